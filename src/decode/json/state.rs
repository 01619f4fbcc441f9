//! Where in the grammar a stream of JSON is, and the bytes that count there.

use crate::decode::error::{Found, Problem};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    BetweenDocuments,
    /// Text between documents, to the end of its line.
    Line,
    Key {
        first: bool,
    },
    InKey {
        escaped: bool,
    },
    Colon,
    Value,
    InValue,
    InScalar,
    AfterValue,
    Item {
        first: bool,
    },
    /// An item that was in order as far as it went, and is tried once more with the bytes that follow.
    OpenItem,
    /// An item whose end is found by counting.
    InItem,
    InItemScalar,
    AfterItem,
    /// Text between items, to the end of its line.
    LineInItems {
        behind_item: bool,
    },
}

impl State {
    pub(super) fn is_in_items(self) -> bool {
        matches!(
            self,
            Self::Item { .. }
                | Self::OpenItem
                | Self::InItem
                | Self::InItemScalar
                | Self::AfterItem
                | Self::LineInItems { .. }
        )
    }

    /// What may stand there, where the grammar has a choice.
    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::Key { .. } => "a key in double quotes",
            Self::Item { .. } => "an item",
            Self::Colon => "`:`",
            Self::AfterValue => "`,` or `}`",
            _ => "`,` or `]`",
        }
    }
}

pub(super) fn unexpected(found: u8, expected: &'static str) -> Problem {
    Problem::Unexpected { expected, found: Found(found) }
}

pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

pub(super) fn ends_scalar(byte: u8) -> bool {
    is_blank(byte) || matches!(byte, b',' | b'}' | b']' | b'{' | b'[' | b'"' | b':')
}
