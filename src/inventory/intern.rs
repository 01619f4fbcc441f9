//! One allocation for equal texts: a cluster repeats the same few thousand names a hundred thousand times.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{Digest, ImageRef};

/// So many new texts at least are taken in before what nothing holds any more is looked for.
const NEW_MIN: usize = 1_024;

/// Shares equal strings and parsed references. Kept across relists, so that equal records share memory. While a cluster is
/// watched new texts come all the time and old ones are not needed any more: they are forgotten along the way.
#[derive(Debug, Default)]
pub struct Interner {
    strings: HashSet<Arc<str>>,
    images: HashMap<Arc<str>, Arc<ImageRef>>,
    /// How many of both there were when the last ones were forgotten.
    kept: usize,
}

impl Interner {
    /// The shared copy of `text`.
    pub fn string(&mut self, text: &str) -> Arc<str> {
        if let Some(shared) = self.strings.get(text) {
            return Arc::clone(shared);
        }
        self.make_room();
        let shared: Arc<str> = text.into();
        self.strings.insert(Arc::clone(&shared));
        shared
    }

    /// The shared reference of that text, parsed when first seen.
    pub fn image(&mut self, text: &str) -> Arc<ImageRef> {
        if let Some(shared) = self.images.get(text) {
            return Arc::clone(shared);
        }
        self.make_room();
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
        self.kept = self.len();
    }

    /// Looks through everything once in as many new texts as cost no more to take in.
    fn make_room(&mut self) {
        if self.len() > self.kept + NEW_MIN.max(self.kept / 4) {
            self.sweep();
        }
    }

    fn len(&self) -> usize {
        self.strings.len() + self.images.len()
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

    #[test]
    fn texts_that_nothing_holds_any_more_are_forgotten_without_a_relist() {
        let mut interner = Interner::default();
        let held: Vec<_> = (0..3_000).map(|at| interner.image(&format!("app:{at}"))).collect();
        for at in 0..100_000 {
            interner.image(&format!("live:{at}"));
            interner.string(&format!("container-{at}"));
        }
        assert!(interner.len() < 2 * (held.len() + NEW_MIN), "{} texts", interner.len());
        assert!(held.iter().all(|image| Arc::ptr_eq(image, &interner.image(image.written()))));
    }
}
