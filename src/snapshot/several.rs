//! Tags that run with several contents: one name and tag, several digests in the cluster.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::part::NamespaceParts;
use crate::inventory::{Digest, ImageRef};

/// Which references those are, as written.
#[derive(Debug, Default)]
pub(super) struct SeveralDigests(HashSet<Arc<ImageRef>>);

/// What runs under a name and tag, however they are spelled.
#[derive(Default)]
struct Contents<'a> {
    first: Option<&'a Digest>,
    are_several: bool,
    names: HashSet<&'a Arc<ImageRef>>,
}

impl SeveralDigests {
    pub(super) fn of(parts: &NamespaceParts) -> Self {
        let mut by_tag: HashMap<_, Contents<'_>> = HashMap::new();
        for image in parts.iter().flat_map(|part| part.images(false)) {
            // What runs of an image that is updated has its own name, if it is known.
            let name = image.updating_from.as_ref().unwrap_or(&image.image);
            let (Some(running), Some(tag)) = (&image.running, name.tag()) else { continue };
            let contents = by_tag.entry((name.registry(), name.repository(), tag)).or_default();
            contents.are_several |= *contents.first.get_or_insert(running) != running;
            contents.names.insert(name);
        }
        let several = by_tag.into_values().filter(|contents| contents.are_several);
        Self(several.flat_map(|contents| contents.names).cloned().collect())
    }

    pub(super) fn has(&self, image: &ImageRef) -> bool {
        self.0.contains(image)
    }
}
