//! What the readers of changes were told so far, and what a snapshot adds to that.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::change::{Change, ChangeKind, OldDigest};
use super::users::{Counts, Image, Users, references_of};
use crate::inventory::{Digest, ImageRef};
use crate::snapshot::{DifferentImage, NamespacePart, NamespaceState, Snapshot};

/// As many images are remembered of which it is unknown whether they have left.
const HELD_MAX: usize = 20_000;

/// What is known to readers: the images of a snapshot, and those that it only may not have.
#[derive(Debug)]
pub struct Told {
    snapshot: Arc<Snapshot>,
    /// By namespace, the images that were there when all of it was read, with those who had them.
    held: BTreeMap<Arc<str>, BTreeMap<Image, Users>>,
}

type Part<'a> = Option<&'a Arc<NamespacePart>>;
type Digests = BTreeSet<Option<Digest>>;

/// A reference of a namespace, with what it ran and runs with.
struct Reference {
    image: Arc<ImageRef>,
    was: Digests,
    is: Digests,
}

impl Told {
    /// Readers know the images of the snapshot.
    #[must_use]
    pub fn new(snapshot: Arc<Snapshot>) -> Self {
        Self { snapshot, held: BTreeMap::new() }
    }

    /// What is to be told of the next snapshot. Costs what changed. `None`: more images may have left than can be
    /// remembered, and readers have to take those of that snapshot instead.
    #[must_use]
    pub fn advance(&mut self, after: &Arc<Snapshot>) -> Option<Vec<Change>> {
        let before = std::mem::replace(&mut self.snapshot, Arc::clone(after));
        let mut changes = Vec::new();
        for (old, new) in before.changed_namespaces(after) {
            let Some(part) = new.or(old) else { continue };
            self.advance_in(part.name(), old, new, &mut changes);
        }
        // A namespace that did not change may be read whole only now.
        let held: Vec<_> = self.held.keys().filter(|name| after.has_all_pods_of(name)).cloned().collect();
        for name in held {
            let part = after.namespace(&name);
            self.advance_in(&name, part, part, &mut changes);
        }
        if before.is_complete() != after.is_complete() {
            changes.push(Change::complete(after));
        }
        if self.held.values().map(BTreeMap::len).sum::<usize>() > HELD_MAX {
            self.held.clear();
            return None;
        }
        Some(changes)
    }

    fn advance_in(&mut self, name: &Arc<str>, old: Part<'_>, new: Part<'_>, changes: &mut Vec<Change>) {
        let is_refused = |part: Part<'_>| part.is_some_and(|part| part.state() == NamespaceState::Refused);
        if is_refused(new) && !is_refused(old) {
            let users = Counts::of_all(old.into_iter().flat_map(|part| part.pods()));
            changes.push(Change::refused(name, new.and_then(|part| part.reason()), users));
        }
        let is_whole = self.snapshot.has_all_pods_of(name);
        let mut held = self.held.remove(name).unwrap_or_default();
        let mut references = BTreeSet::new();
        if old.map(|part| part.images_hash()) != new.map(|part| part.images_hash()) {
            for changed in NamespacePart::changed_images(old.map(Arc::as_ref), new.map(Arc::as_ref)) {
                references.extend(of_different(&changed).map(|(image, _)| Arc::clone(image)));
            }
        }
        if is_whole {
            references.extend(held.keys().map(|(image, _)| Arc::clone(image)));
        }
        if !references.is_empty() {
            Affected::of(old, new, &references).tell(name, is_whole, &mut held, changes);
        }
        if !held.is_empty() {
            self.held.insert(Arc::clone(name), held);
        }
    }
}

/// The references of a namespace of which images have changed, and who had and has them.
struct Affected {
    references: Vec<Reference>,
    had: Counts<Image>,
    have: Counts<Image>,
}

impl Affected {
    fn of(old: Part<'_>, new: Part<'_>, names: &BTreeSet<Arc<ImageRef>>) -> Self {
        let [were, are] = NamespacePart::changed_pods(old.map(Arc::as_ref), new.map(Arc::as_ref));
        let references: Vec<_> = names
            .iter()
            .map(|image| Reference { image: Arc::clone(image), was: digests(old, image), is: digests(new, image) })
            .collect();
        // What is new is new in pods that changed; but for those whose nodes have reported nothing: they count only now.
        let counts_again = |Reference { image, was, is }: &Reference| {
            let unreported = image.digest().cloned();
            !was.is_empty() && !was.contains(&unreported) && is.contains(&unreported)
        };
        let have = match new.filter(|_| references.iter().any(counts_again)) {
            Some(part) => Counts::of_images(part.pods(), names),
            None => Counts::of_images(&are, names),
        };
        Self { references, had: Counts::of_images(&were, names), have }
    }

    fn tell(self, namespace: &Arc<str>, is_whole: bool, held: &mut BTreeMap<Image, Users>, changes: &mut Vec<Change>) {
        let Self { references, mut had, mut have } = self;
        for Reference { image, was, is } in references {
            let of_reference = held.range((Arc::clone(&image), None)..).take_while(|((of, _), _)| *of == image);
            let told: Digests = was.into_iter().chain(of_reference.map(|((_, digest), _)| digest.clone())).collect();
            is.iter().for_each(|digest| drop(held.remove(&(Arc::clone(&image), digest.clone()))));
            let mut left = Vec::new();
            for digest in told.difference(&is) {
                let key = (Arc::clone(&image), digest.clone());
                let users = held.remove(&key).unwrap_or_else(|| had.take(&key));
                if is_whole {
                    left.push((digest.clone(), users));
                } else {
                    held.insert(key, users);
                }
            }
            let event = |kind, digest, users| Change::of_image(kind, namespace, &image, digest, users);
            let stays = told.iter().find(|digest| !left.iter().any(|(gone, _)| gone == *digest));
            let mut left = left.into_iter();
            let mut last_left = None;
            for digest in is.difference(&told) {
                let users = have.take(&(Arc::clone(&image), digest.clone()));
                if told.is_empty() {
                    changes.push(event(ChangeKind::ImageAppeared, digest.clone(), users));
                    continue;
                }
                last_left = left.next().map(|(digest, _)| digest).or(last_left);
                let old = match (&last_left, stays) {
                    (Some(gone), _) => OldDigest { digest: gone.clone(), has_left: true },
                    (None, stays) => OldDigest { digest: stays.cloned().flatten(), has_left: false },
                };
                let event = event(ChangeKind::DigestChanged, digest.clone(), users);
                changes.push(Change { old: Some(old), ..event });
            }
            changes.extend(left.map(|(digest, users)| event(ChangeKind::ImageLeft, digest, users)));
        }
    }
}

fn of_different(image: &DifferentImage) -> impl Iterator<Item = (&Arc<ImageRef>, Option<&Digest>)> {
    let DifferentImage { image, running, updating_from } = image;
    references_of(image, running.as_ref(), updating_from.as_ref())
}

/// What the reference counts with in a namespace: the digests that nodes report; else the one that it pins, or none. Empty
/// when the namespace does not have it.
fn digests(part: Part<'_>, image: &ImageRef) -> Digests {
    let Some(part) = part else { return Digests::new() };
    let all = part.images_of(image).flat_map(of_different).filter(|(of, _)| ***of == *image);
    let mut digests: Digests = all.map(|(_, running)| running.cloned()).collect();
    if digests.len() > 1 {
        digests.remove(&None);
    } else if digests.remove(&None) {
        digests.insert(image.digest().cloned());
    }
    digests
}
