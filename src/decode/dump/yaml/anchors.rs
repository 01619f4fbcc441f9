//! Anchors of one item that another item's aliases stand for.
//!
//! Items are parsed alone. An item with an alias that it does not explain is written again behind the items whose anchors
//! it names, which are kept for that, within bounds.

use std::collections::HashMap;

use memchr::memchr_iter;

/// As many bytes of items with anchors are kept.
const KEPT_MAX: usize = 4 * 1024 * 1024;
/// As many bytes are put before an item: what an alias stands for may have aliases itself.
const BEFORE_MAX: usize = 1024 * 1024;

/// The items of one list that have anchors.
#[derive(Debug, Default)]
pub(in crate::decode::dump) struct Anchors {
    items: Vec<Box<[u8]>>,
    /// The item that an anchor was set in last.
    by_name: HashMap<Box<[u8]>, usize>,
    size: usize,
}

impl Anchors {
    /// Keeps the item if it sets anchors.
    pub(in crate::decode::dump) fn note(&mut self, item: &[u8]) {
        let mut names = marks(item, b'&').peekable();
        if names.peek().is_none() || self.size + item.len() > KEPT_MAX {
            return;
        }
        for name in names {
            self.by_name.insert(name.into(), self.items.len());
        }
        self.size += item.len();
        self.items.push(item.into());
    }

    /// A document with the item under `object`, behind the items that set its aliases; `None` when none is known.
    pub(in crate::decode::dump) fn explained(&self, item: &[u8]) -> Option<Vec<u8>> {
        let mut wanted: Vec<usize> = Vec::new();
        let mut size = 0;
        let mut unread: Vec<&[u8]> = vec![item];
        while let Some(text) = unread.pop() {
            for at in marks(text, b'*').filter_map(|name| self.by_name.get(name)) {
                if !wanted.contains(at) {
                    size += self.items[*at].len();
                    if size > BEFORE_MAX {
                        return None;
                    }
                    wanted.push(*at);
                    unread.push(&self.items[*at]);
                }
            }
        }
        if wanted.is_empty() {
            return None;
        }
        wanted.sort_unstable();
        let mut text = b"before:\n".to_vec();
        for at in wanted {
            // The column of its dash was made a blank, so that all of it is indented.
            text.extend_from_slice(b"-\n");
            text.extend_from_slice(&self.items[at]);
        }
        text.extend_from_slice(b"object:\n");
        text.extend_from_slice(item);
        Some(text)
    }
}

/// The names behind a mark that stands where a value begins. Some may be parts of texts: that does no harm.
fn marks(item: &[u8], mark: u8) -> impl Iterator<Item = &[u8]> {
    memchr_iter(mark, item).filter_map(move |at| {
        let begins_value = at == 0 || matches!(item[at - 1], b' ' | b'\t' | b'\n' | b'[' | b'{' | b',');
        let rest = &item[at + 1..];
        let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b'[' | b']' | b'{' | b'}');
        let name = &rest[..rest.iter().position(ends).unwrap_or(rest.len())];
        (begins_value && !name.is_empty()).then_some(name)
    })
}
