//! What a body says again and again, kept once: a cluster runs the same few images in most of its pods.

use std::sync::Arc;

use crate::views::quick_hash::QuickMap;

/// Texts in one block. Full blocks are shared by all bodies, the one under way is copied into each.
const BLOCK: usize = 256;

/// The most images of which is remembered, by where their texts lie, what was kept of them: a short cut past the texts.
pub(super) const MOST_PLACES: usize = 32 * 1024;

/// A text that is kept, as it stands among the text of a section: [`Repeat::MARK`] and four more bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Repeat {
    index: u16,
    length: u16,
}

/// The texts of all payloads of a request.
#[derive(Default)]
pub(super) struct Repeats {
    known: QuickMap<Arc<[u8]>, u16>,
    full: Vec<Arc<[Arc<[u8]>]>>,
    open: Vec<Arc<[u8]>>,
}

/// The texts that one body needs, and more.
#[derive(Clone, Default)]
pub(super) struct Kept {
    full: Vec<Arc<[Arc<[u8]>]>>,
    open: Arc<[Arc<[u8]>]>,
}

impl Repeat {
    /// No UTF-8 has this byte.
    pub(super) const MARK: u8 = 0xff;
    pub(super) const WIDTH: usize = 5;

    /// Length of the text.
    pub(super) fn length(self) -> usize {
        self.length.into()
    }

    pub(super) fn to_bytes(self) -> [u8; Self::WIDTH] {
        let ([a, b], [c, d]) = (self.index.to_le_bytes(), self.length.to_le_bytes());
        [Self::MARK, a, b, c, d]
    }

    /// Reads what begins with a mark.
    pub(super) fn read(bytes: &[u8]) -> Self {
        let Some([_, a, b, c, d]) = bytes.first_chunk() else { unreachable!("a mark stands alone: {bytes:?}") };
        Self { index: u16::from_le_bytes([*a, *b]), length: u16::from_le_bytes([*c, *d]) }
    }
}

impl Repeats {
    /// Keeps a text that is longer than its mark. `None` when it is not, when it is too long, and when there are too many
    /// others, so that what is kept stays small whatever a cluster runs.
    pub(super) fn keep(&mut self, text: &[u8]) -> Option<Repeat> {
        let length = u16::try_from(text.len()).ok().filter(|length| usize::from(*length) > Repeat::WIDTH)?;
        if let Some(index) = self.known.get(text) {
            return Some(Repeat { index: *index, length });
        }
        let index = u16::try_from(self.known.len()).ok()?;
        let kept: Arc<[u8]> = text.into();
        self.known.insert(Arc::clone(&kept), index);
        self.open.push(kept);
        if self.open.len() == BLOCK {
            self.full.push(std::mem::take(&mut self.open).into());
        }
        Some(Repeat { index, length })
    }

    /// For a body of what was written until now.
    pub(super) fn kept(&self) -> Kept {
        Kept { full: self.full.clone(), open: self.open.as_slice().into() }
    }
}

impl Kept {
    pub(super) fn text(&self, repeat: Repeat) -> &[u8] {
        let (block, position) = (usize::from(repeat.index) / BLOCK, usize::from(repeat.index) % BLOCK);
        &self.full.get(block).unwrap_or(&self.open)[position]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_once_and_found_again() {
        let mut repeats = Repeats::default();
        let texts: Vec<String> = (0..1000).map(|number| format!("text {number}")).collect();
        let first: Vec<Repeat> = texts.iter().map(|text| repeats.keep(text.as_bytes()).unwrap()).collect();
        let early = repeats.kept();
        assert_eq!(repeats.keep(b"another").unwrap().index, 1000);
        for (repeat, text) in first.iter().zip(&texts) {
            assert_eq!(repeats.keep(text.as_bytes()), Some(*repeat));
            assert_eq!(Repeat::read(&repeat.to_bytes()), *repeat);
            assert_eq!((early.text(*repeat), repeat.length()), (text.as_bytes(), text.len()));
        }
    }

    #[test]
    fn too_many_texts_and_those_of_no_use_are_not_kept() {
        let mut repeats = Repeats::default();
        assert_eq!(repeats.keep("x".repeat(65_536).as_bytes()), None);
        assert!(repeats.keep("x".repeat(65_535).as_bytes()).is_some());
        assert_eq!(repeats.keep(b"short"), None);
        assert!((1..65_536).all(|number| repeats.keep(format!("text {number}").as_bytes()).is_some()));
        assert_eq!(repeats.keep(b"one more"), None);
        let last = repeats.keep(b"text 65535").unwrap();
        assert_eq!(repeats.kept().text(last), b"text 65535");
    }
}
