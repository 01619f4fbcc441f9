//! One allocation for equal texts: a cluster repeats the same few thousand names a hundred thousand times.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{Digest, ImageRef};

/// Shares equal strings and parsed references. Kept across relists, so that equal records share memory.
#[derive(Debug, Default)]
pub struct Interner {
    strings: HashSet<Arc<str>>,
    images: HashMap<Arc<str>, Arc<ImageRef>>,
}

impl Interner {
    /// The shared copy of `text`.
    pub fn string(&mut self, text: &str) -> Arc<str> {
        if let Some(shared) = self.strings.get(text) {
            return Arc::clone(shared);
        }
        let shared: Arc<str> = text.into();
        self.strings.insert(Arc::clone(&shared));
        shared
    }

    /// The shared reference of that text, parsed when first seen.
    pub fn image(&mut self, text: &str) -> Arc<ImageRef> {
        if let Some(shared) = self.images.get(text) {
            return Arc::clone(shared);
        }
        let image = Arc::new(ImageRef::parse(text));
        self.images.insert(text.into(), Arc::clone(&image));
        image
    }

    /// The digest that `text` is, its text shared.
    pub fn digest(&mut self, text: &str) -> Option<Digest> {
        Digest::shared(text, |text| self.string(text))
    }

    /// Forgets what nothing else holds any more. Call it after a relist, when the last snapshot has been replaced.
    pub fn sweep(&mut self) {
        self.images.retain(|_, image| Arc::strong_count(image) > 1);
        self.strings.retain(|string| Arc::strong_count(string) > 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_share_one_allocation_until_nothing_holds_them() {
        let mut interner = Interner::default();
        let (first, second) = (interner.string("node-1"), interner.string("node-1"));
        assert!(Arc::ptr_eq(&first, &second));
        interner.image("nginx");
        interner.sweep();
        assert_eq!((interner.strings.len(), interner.images.len()), (1, 0));
        drop((first, second));
        interner.sweep();
        assert!(interner.strings.is_empty());
    }
}
