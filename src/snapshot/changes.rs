//! What changed from one snapshot to the next.
//!
//! Namespaces and groups of pods that are the same are the same allocation in both and are passed over, so that the cost is
//! that of what changed. Nothing counts as gone that may only not have been read.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::part::{NamespacePart, NamespaceParts, NamespaceState};
use super::pods::Pods;
use super::snapshot::Snapshot;
use crate::inventory::{ImageRef, join_names};

/// As many names of namespaces, and of images, stand in one line.
const NAMES_MAX: usize = 5;

/// What came, went and changed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Namespaces that are there now.
    pub namespaces_added: Vec<Arc<str>>,
    pub namespaces_removed: Vec<Arc<str>>,
    /// Those that were read and are not, or the other way round.
    pub namespaces_otherwise: Vec<Arc<str>>,
    /// Pods that are there now.
    pub pods_added: usize,
    pub pods_removed: usize,
    /// Pods of which anything is another.
    pub pods_changed: usize,
    /// Images that a namespace has now.
    pub images_added: Vec<NamespacedImage>,
    /// Images that a namespace has no more.
    pub images_removed: Vec<NamespacedImage>,
}

/// What a manifest asks for, once in each namespace.
#[derive(Debug, PartialEq, Eq)]
pub struct NamespacedImage {
    pub image: Arc<ImageRef>,
    pub namespace: Arc<str>,
}

impl Changes {
    /// What is in `after` and was not in `before`, and the other way round.
    #[must_use]
    pub fn between(before: &Snapshot, after: &Snapshot) -> Self {
        let mut changes = Self::default();
        for (old, new) in NamespaceParts::differences(before.namespaces(), after.namespaces()) {
            changes.take_namespace(old.filter(|part| exists(part)), new.filter(|part| exists(part)), before, after);
        }
        changes
    }

    fn take_namespace(
        &mut self,
        old: Option<&Arc<NamespacePart>>,
        new: Option<&Arc<NamespacePart>>,
        before: &Snapshot,
        after: &Snapshot,
    ) {
        match (old, new) {
            (None, None) => return,
            (Some(old), Some(new)) if old.content_hash() == new.content_hash() => return,
            (Some(old), Some(new)) if old.state() != new.state() => {
                self.namespaces_otherwise.push(Arc::clone(new.name()));
                return;
            }
            (Some(_), Some(_)) => {}
            (None, Some(new)) => self.namespaces_added.push(Arc::clone(new.name())),
            (Some(old), None) => self.namespaces_removed.push(Arc::clone(old.name())),
        }
        // What is not in one that is not whole may be there all the same.
        let was_whole = old.is_none_or(|part| before.vouches_for(part));
        let is_whole = new.is_none_or(|part| after.vouches_for(part));
        for (old, new) in Pods::differences(
            &NamespacePart::pods_of(old.map(Arc::as_ref)),
            &NamespacePart::pods_of(new.map(Arc::as_ref)),
        ) {
            match (old, new) {
                (Some(_), Some(_)) => self.pods_changed += 1,
                (None, _) => self.pods_added += usize::from(was_whole),
                (_, None) => self.pods_removed += usize::from(is_whole),
            }
        }
        if old.map(|part| part.images_hash()) != new.map(|part| part.images_hash()) {
            if was_whole {
                self.images_added.extend(only_in(new, old));
            }
            if is_whole {
                self.images_removed.extend(only_in(old, new));
            }
        }
    }
}

/// The images of a namespace that it has not on the other side.
fn only_in(part: Option<&Arc<NamespacePart>>, other: Option<&Arc<NamespacePart>>) -> Vec<NamespacedImage> {
    let Some(part) = part else { return Vec::new() };
    let mut images: BTreeMap<&str, &Arc<ImageRef>> =
        part.images(false).map(|each| (each.image.written(), &each.image)).collect();
    for each in other.into_iter().flat_map(|part| part.images(false)) {
        images.remove(each.image.written());
    }
    let placed = |image| NamespacedImage { image: Arc::clone(image), namespace: Arc::clone(part.name()) };
    images.into_values().map(placed).collect()
}

/// Namespaces that the cluster does not have stand in a snapshot when they were asked for by name.
fn exists(part: &NamespacePart) -> bool {
    part.state() != NamespaceState::Unknown
}

/// As in `pods +3 -1 ~2; images +1 (nginx:1.28 in shop)`; `nothing` when all is the same.
impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            namespaces_added,
            namespaces_removed,
            namespaces_otherwise,
            pods_added,
            pods_removed,
            pods_changed,
            images_added,
            images_removed,
        } = self;
        let namespaces =
            [named('+', namespaces_added), named('-', namespaces_removed), named('~', namespaces_otherwise)];
        let pods = [counted('+', *pods_added), counted('-', *pods_removed), counted('~', *pods_changed)];
        let images = [named('+', images_added), named('-', images_removed), None];
        let mut is_first = true;
        for (what, parts) in [("namespaces", namespaces), ("pods", pods), ("images", images)] {
            let parts: Vec<String> = parts.into_iter().flatten().collect();
            if !parts.is_empty() {
                write!(f, "{}{what} {}", if is_first { "" } else { "; " }, parts.join(" "))?;
                is_first = false;
            }
        }
        if is_first { f.write_str("nothing") } else { Ok(()) }
    }
}

/// As in `nginx:1.28 in shop`.
impl fmt::Display for NamespacedImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.image.written(), self.namespace)
    }
}

fn counted(sign: char, count: usize) -> Option<String> {
    (count > 0).then(|| format!("{sign}{count}"))
}

fn named(sign: char, names: &[impl fmt::Display]) -> Option<String> {
    let count = counted(sign, names.len())?;
    Some(format!("{count} ({})", join_names(names, NAMES_MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::NamespaceSelection;
    use crate::snapshot::{Event, PodIndex};
    use crate::testing::{cluster, namespace, pod, pods_of, refused, skipped};
    use rstest::rstest;

    const NAMESPACES: [&str; 2] = ["apps", "shop"];
    const PODS: [(&str, &str); 3] =
        [("apps/web-1", "nginx:1.27"), ("apps/web-2", "nginx:1.27"), ("shop/cart-1", "cart:1")];

    /// A relist of these, with more that happened in it.
    fn relist(
        index: &mut PodIndex,
        namespaces: &[&str],
        pods: &[(&str, &str)],
        more: impl IntoIterator<Item = Event>,
    ) -> Arc<Snapshot> {
        let pods = pods.iter().map(|(path, image)| pod(path, image));
        cluster().with(namespaces.iter().map(|name| namespace(name))).with(pods).with(more).relist_into(index)
    }

    fn index() -> PodIndex {
        PodIndex::new("demo", NamespaceSelection::default())
    }

    /// The text of the changes from that cluster to this one.
    fn changes(namespaces: &[&str], pods: &[(&str, &str)]) -> String {
        let mut index = index();
        let before = relist(&mut index, &NAMESPACES, &PODS, []);
        let after = relist(&mut index, namespaces, pods, []);
        Changes::between(&before, &after).to_string()
    }

    #[rstest]
    #[case::same(&PODS, "nothing")]
    #[case::a_further_copy(
        &[PODS[0], PODS[1], PODS[2], ("apps/web-3", "nginx:1.27")],
        "pods +1"
    )]
    #[case::one_copy_less(&[PODS[0], PODS[2]], "pods -1")]
    #[case::another_image(
        &[PODS[0], PODS[1], ("shop/cart-2", "cart:2")],
        "pods +1 -1; images +1 (cart:2 in shop) -1 (cart:1 in shop)"
    )]
    #[case::half_an_update(
        &[PODS[0], ("apps/web-2", "nginx:1.28"), PODS[2]],
        "pods ~1; images +1 (nginx:1.28 in apps)"
    )]
    #[case::an_image_of_another_namespace(
        &[PODS[0], PODS[1], PODS[2], ("shop/web-1", "nginx:1.27")],
        "pods +1; images +1 (nginx:1.27 in shop)"
    )]
    #[case::none_left(&[PODS[2]], "pods -2; images -1 (nginx:1.27 in apps)")]
    fn pods_and_images_that_came_and_went_are_counted(#[case] pods: &[(&str, &str)], #[case] expected: &str) {
        assert_eq!(changes(&NAMESPACES, pods), expected);
    }

    #[test]
    fn a_namespace_comes_and_goes_with_what_is_in_it() {
        let pods = [PODS[0], PODS[1], ("new/a", "busybox")];
        let expected = "namespaces +1 (new) -1 (shop); pods +1 -1; images +1 (busybox in new) -1 (cart:1 in shop)";
        assert_eq!(changes(&["apps", "new"], &pods), expected);
    }

    #[test]
    fn a_refused_namespace_is_not_said_to_have_lost_its_pods() {
        let select = || NamespaceSelection::new(NAMESPACES.map(Box::from), Vec::new());
        let mut index = PodIndex::new("demo", select());
        let before = relist(&mut index, &NAMESPACES, &PODS, []);
        let between = relist(&mut index, &NAMESPACES, &PODS[..2], [refused(pods_of("shop"), "missing right")]);
        let after = relist(&mut index, &NAMESPACES, &PODS, []);
        assert_eq!(Changes::between(&before, &between).to_string(), "namespaces ~1 (shop)");
        assert_eq!(Changes::between(&between, &after).to_string(), "namespaces ~1 (shop)");
    }

    #[test]
    fn a_pod_that_could_not_be_read_is_not_said_to_be_gone_or_new() {
        let mut index = index();
        let broken = skipped(Some("apps"), "pod apps/web-2");
        let before = relist(&mut index, &NAMESPACES, &PODS, []);
        let between = relist(&mut index, &NAMESPACES, &[PODS[0], PODS[2]], [broken]);
        let after = relist(&mut index, &NAMESPACES, &PODS, []);
        assert_eq!(Changes::between(&before, &between).to_string(), "nothing");
        assert_eq!(Changes::between(&between, &after).to_string(), "nothing");
    }

    #[test]
    fn a_line_stays_short_whatever_changes() {
        let many: Vec<_> = (0..300).map(|at| (format!("apps/pod-{at}"), format!("{}:{at}", "i".repeat(400)))).collect();
        let pods: Vec<_> = many.iter().map(|(path, image)| (path.as_str(), image.as_str())).collect();
        let text = changes(&NAMESPACES, &pods);
        assert!(text.starts_with("pods +300 -3; images +300 (iii"), "{text}");
        assert!(text.contains(" and 295 more) -2 (nginx:1.27 in apps, cart:1 in shop)"), "{text}");
        assert!(text.len() < 1300, "{}", text.len());
    }
}
