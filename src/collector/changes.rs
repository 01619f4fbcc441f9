//! What changed from one snapshot to the next, for a line of the log.
//!
//! Namespaces and pods that are the same are the same allocation in both, so that a poll of a quiet cluster costs a
//! comparison of pointers. Nothing is said to be gone that may only not have been read.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use super::report::some;
use crate::inventory::PodRecord;
use crate::snapshot::{NamespacePart, NamespaceState, Snapshot};

/// As many names of namespaces, and of images, stand in one line.
const NAMES_MAX: usize = 5;

/// Counts, and the first names. An image is what a manifest asks for, once in each namespace.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    namespaces_added: Vec<Arc<str>>,
    namespaces_removed: Vec<Arc<str>>,
    /// Those that were read and are not, or the other way round.
    namespaces_otherwise: Vec<Arc<str>>,
    pods_added: usize,
    pods_removed: usize,
    pods_changed: usize,
    images_added: Vec<String>,
    images_removed: Vec<String>,
}

impl Changes {
    pub(super) fn between(before: &Snapshot, after: &Snapshot) -> Self {
        let mut changes = Self::default();
        for (old, new) in pairs(before.namespaces(), after.namespaces(), |part| part.name()) {
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
            (Some(old), Some(new)) if Arc::ptr_eq(old, new) => return,
            (Some(old), Some(new)) if old.state() != new.state() => {
                self.namespaces_otherwise.push(Arc::clone(new.name()));
                return;
            }
            (Some(_), Some(_)) => {}
            (None, Some(new)) => self.namespaces_added.push(Arc::clone(new.name())),
            (Some(old), None) => self.namespaces_removed.push(Arc::clone(old.name())),
        }
        let before = Side { part: old, is_whole: old.is_none_or(|part| before.vouches_for(part)) };
        let after = Side { part: new, is_whole: new.is_none_or(|part| after.vouches_for(part)) };
        self.take_pods(before, after);
    }

    fn take_pods(&mut self, before: Side<'_>, after: Side<'_>) {
        let (mut gone, mut come) = (BTreeSet::new(), BTreeSet::new());
        for (old, new) in pairs(before.pods(), after.pods(), |pod| &pod.name) {
            match (old, new) {
                (Some(old), Some(new)) if Arc::ptr_eq(old, new) => continue,
                (Some(_), Some(_)) => self.pods_changed += 1,
                (None, _) => self.pods_added += usize::from(before.is_whole),
                (_, None) => self.pods_removed += usize::from(after.is_whole),
            }
            gone.extend(old.into_iter().flat_map(images));
            come.extend(new.into_iter().flat_map(images));
        }
        if before.is_whole {
            self.images_added.extend(after.only_here(come, &before));
        }
        if after.is_whole {
            self.images_removed.extend(before.only_here(gone, &after));
        }
    }
}

/// A namespace in one of the snapshots.
#[derive(Clone, Copy)]
struct Side<'a> {
    part: Option<&'a Arc<NamespacePart>>,
    /// Whether what is not in it is not there.
    is_whole: bool,
}

impl<'a> Side<'a> {
    fn pods(&self) -> impl Iterator<Item = &'a Arc<PodRecord>> + use<'a> {
        self.part.into_iter().flat_map(|part| part.pods())
    }

    /// Those of the images of this side that no pod of the other side has, with the namespace.
    fn only_here(&self, mut candidates: BTreeSet<&'a str>, other: &Side<'_>) -> Vec<String> {
        for image in other.pods().flat_map(images) {
            if candidates.is_empty() {
                break;
            }
            candidates.remove(image);
        }
        let name = self.part.map_or("", |part| part.name());
        candidates.into_iter().map(|image| format!("{image} in {name}")).collect()
    }
}

fn images(pod: &Arc<PodRecord>) -> impl Iterator<Item = &str> {
    pod.containers.iter().map(|container| container.image.written())
}

/// Namespaces that the cluster does not have stand in a snapshot when they were asked for by name.
fn exists(part: &NamespacePart) -> bool {
    part.state() != NamespaceState::Unknown
}

/// Both of a name, or the one of it, in the order of names; both lists are sorted by them.
fn pairs<'a, T: 'a, N: Ord + 'a>(
    before: impl IntoIterator<Item = &'a T>,
    after: impl IntoIterator<Item = &'a T>,
    name: impl Fn(&'a T) -> &'a N,
) -> impl Iterator<Item = (Option<&'a T>, Option<&'a T>)> {
    let (mut before, mut after) = (before.into_iter().peekable(), after.into_iter().peekable());
    std::iter::from_fn(move || {
        let order = match (before.peek(), after.peek()) {
            (None, None) => return None,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => name(old).cmp(name(new)),
        };
        Some(match order {
            Ordering::Less => (before.next(), None),
            Ordering::Equal => (before.next(), after.next()),
            Ordering::Greater => (None, after.next()),
        })
    })
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

fn counted(sign: char, count: usize) -> Option<String> {
    (count > 0).then(|| format!("{sign}{count}"))
}

fn named(sign: char, names: &[impl AsRef<str>]) -> Option<String> {
    let count = counted(sign, names.len())?;
    Some(format!("{count} ({})", some(names, NAMES_MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::{
        ContainerKind, ContainerState, Interner, NamespaceRecord, NamespaceSelection, Phase, PodGenerations, SpecEntry,
        StatusEntry, read_container,
    };
    use crate::snapshot::{Event, ListScope, PodIndex, RelistEnd, ServerVersion, SkippedItem};
    use rstest::rstest;

    const NAMESPACES: [&str; 2] = ["apps", "shop"];
    const PODS: [(&str, &str, &str); 3] =
        [("apps", "web-1", "nginx:1.27"), ("apps", "web-2", "nginx:1.27"), ("shop", "cart-1", "cart:1")];

    fn pod((namespace, name, image): (&str, &str, &str)) -> PodRecord {
        let spec = SpecEntry { name: "main", kind: ContainerKind::Container, image };
        let status =
            StatusEntry { image: "", image_id: "", state: ContainerState::Running, reason: "", container_id: "" };
        let container = read_container(spec, status, PodGenerations::default(), &mut Interner::default());
        PodRecord {
            namespace: namespace.into(),
            name: name.into(),
            uid: None,
            phase: Phase::Running,
            node: None,
            owner: None,
            containers: [container].into(),
            stray_statuses: [].into(),
            metadata: None,
        }
    }

    /// A relist of these, with more that happened in it.
    fn relist(
        index: &mut PodIndex,
        namespaces: &[&str],
        pods: &[(&str, &str, &str)],
        more: impl IntoIterator<Item = Event>,
    ) -> Arc<Snapshot> {
        let mut events = vec![Event::RelistBegun, Event::ListBegun(ListScope::AllPods)];
        events.extend(namespaces.iter().map(|name| Event::Namespace(NamespaceRecord::named(*name))));
        events.extend(pods.iter().map(|each| Event::Pod(pod(*each))));
        events.extend(more);
        events.into_iter().for_each(|event| assert!(index.apply(event).is_none()));
        let end = RelistEnd {
            observed_at: "2026-11-24T09:30:00Z".parse().expect("time"),
            server_version: ServerVersion::default(),
            cut_short: None,
        };
        index.apply(Event::RelistEnded(end)).expect("a finished relist")
    }

    fn index() -> PodIndex {
        PodIndex::new("demo", NamespaceSelection::default())
    }

    /// What is said of a cluster that was as above and now is so.
    fn changes(namespaces: &[&str], pods: &[(&str, &str, &str)]) -> String {
        let mut index = index();
        let before = relist(&mut index, &NAMESPACES, &PODS, []);
        let after = relist(&mut index, namespaces, pods, []);
        Changes::between(&before, &after).to_string()
    }

    #[rstest]
    #[case::same(&PODS, "nothing")]
    #[case::a_further_copy(
        &[PODS[0], PODS[1], PODS[2], ("apps", "web-3", "nginx:1.27")],
        "pods +1"
    )]
    #[case::one_copy_less(&[PODS[0], PODS[2]], "pods -1")]
    #[case::another_image(
        &[PODS[0], PODS[1], ("shop", "cart-2", "cart:2")],
        "pods +1 -1; images +1 (cart:2 in shop) -1 (cart:1 in shop)"
    )]
    #[case::half_an_update(
        &[PODS[0], ("apps", "web-2", "nginx:1.28"), PODS[2]],
        "pods ~1; images +1 (nginx:1.28 in apps)"
    )]
    #[case::an_image_of_another_namespace(
        &[PODS[0], PODS[1], PODS[2], ("shop", "web-1", "nginx:1.27")],
        "pods +1; images +1 (nginx:1.27 in shop)"
    )]
    #[case::none_left(&[PODS[2]], "pods -2; images -1 (nginx:1.27 in apps)")]
    fn pods_and_images_that_came_and_went_are_counted(#[case] pods: &[(&str, &str, &str)], #[case] expected: &str) {
        assert_eq!(changes(&NAMESPACES, pods), expected);
    }

    #[test]
    fn a_namespace_comes_and_goes_with_what_is_in_it() {
        let pods = [PODS[0], PODS[1], ("new", "a", "busybox")];
        let expected = "namespaces +1 (new) -1 (shop); pods +1 -1; images +1 (busybox in new) -1 (cart:1 in shop)";
        assert_eq!(changes(&["apps", "new"], &pods), expected);
    }

    #[test]
    fn a_refused_namespace_is_not_said_to_have_lost_its_pods() {
        let select = || NamespaceSelection::new(NAMESPACES.map(Box::from), Vec::new());
        let mut index = PodIndex::new("demo", select());
        let scope = || ListScope::PodsOf("shop".into());
        let before = relist(&mut index, &NAMESPACES, &PODS, []);
        let refused = Event::Refused { scope: scope(), reason: "missing right".into() };
        let between = relist(&mut index, &NAMESPACES, &PODS[..2], [Event::ListBegun(scope()), refused]);
        let after = relist(&mut index, &NAMESPACES, &PODS, []);
        assert_eq!(Changes::between(&before, &between).to_string(), "namespaces ~1 (shop)");
        assert_eq!(Changes::between(&between, &after).to_string(), "namespaces ~1 (shop)");
    }

    #[test]
    fn a_pod_that_could_not_be_read_is_not_said_to_be_gone_or_new() {
        let mut index = index();
        let broken = SkippedItem {
            scope: ListScope::AllPods,
            namespace: Some("apps".into()),
            item: "pod apps/web-2".into(),
            problem: "spec: missing".into(),
        };
        let before = relist(&mut index, &NAMESPACES, &PODS, []);
        let between = relist(&mut index, &NAMESPACES, &[PODS[0], PODS[2]], [Event::Skipped(broken)]);
        let after = relist(&mut index, &NAMESPACES, &PODS, []);
        assert_eq!(Changes::between(&before, &between).to_string(), "nothing");
        assert_eq!(Changes::between(&between, &after).to_string(), "nothing");
    }

    #[test]
    fn a_line_stays_short_whatever_changes() {
        let many: Vec<_> = (0..300).map(|at| (format!("pod-{at}"), format!("{}:{at}", "i".repeat(400)))).collect();
        let pods: Vec<_> = many.iter().map(|(name, image)| ("apps", name.as_str(), image.as_str())).collect();
        let said = changes(&NAMESPACES, &pods);
        assert!(said.starts_with("pods +300 -3; images +300 (iii"), "{said}");
        assert!(said.contains(" and 295 more) -2 (nginx:1.27 in apps, cart:1 in shop)"), "{said}");
        assert!(said.len() < 1300, "{}", said.len());
    }
}
