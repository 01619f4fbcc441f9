//! Events lead from the images of the first snapshot to those of the last, whatever happens in between.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// Namespace, reference, digest.
type Image = (String, String, Option<String>);
type Known = BTreeSet<Image>;

/// The images of a snapshot with their containers, counted in another way.
fn images_of(snapshot: &Snapshot) -> BTreeMap<Image, usize> {
    let mut all = Vec::new();
    for pod in snapshot.namespaces().iter().flat_map(|part| part.pods()) {
        for ContainerRecord { image, running, updating_from, .. } in &pod.containers {
            let running = running.as_ref().map(ToString::to_string);
            let entry = |image: &ImageRef, running| {
                let pinned = image.digest().map(ToString::to_string);
                (pod.namespace.to_string(), image.written().to_owned(), running, pinned)
            };
            match updating_from {
                Some(old) => all.extend([entry(old, running), entry(image, None)]),
                None => all.push(entry(image, running)),
            }
        }
    }
    let mut images = BTreeMap::new();
    for (namespace, image, running, pinned) in &all {
        let is_same = |other: &(String, String, _, _)| other.0 == *namespace && other.1 == *image;
        let is_reported = all.iter().any(|other| is_same(other) && other.2.is_some());
        if running.is_some() || !is_reported {
            let digest = running.as_ref().or(pinned.as_ref()).cloned();
            *images.entry((namespace.clone(), image.clone(), digest)).or_insert(0) += 1;
        }
    }
    images
}

/// What readers know, once they have taken the events that lead to the snapshot.
fn apply(known: &mut Known, changes: &[Change], after: &Snapshot) {
    let images = images_of(after);
    for change in changes {
        let row = ChangeRow::of(change, "", after);
        let Some(image) = row.image else { continue };
        let one =
            |digest: Option<&str>| (row.namespace.unwrap().to_owned(), image.to_owned(), digest.map(str::to_owned));
        if row.old_digest_left == Some(true) {
            known.remove(&one(row.old_digest));
        }
        if change.kind == ChangeKind::ImageLeft {
            assert!(known.remove(&one(row.digest)), "{change:?}");
        } else {
            assert!(known.insert(one(row.digest)), "{change:?}");
            assert_eq!(images.get(&one(row.digest)), Some(&row.containers), "{change:?}");
        }
    }
}

fn any_pods() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    const PATHS: [&str; 6] = ["apps/a-1", "apps/a-2", "apps/b-1", "shop/a-1", "shop/b-1", "shop/b-2"];
    const IMAGES: [&str; 9] = [
        "x:1",
        "x:1 = a1",
        "x:1 = b2",
        "x:2 = a1",
        "x:2 = a1 of x:1",
        "x:1 = d4 of x:2",
        "y@a1",
        "y@a1 = a1",
        "y@a1 = c3",
    ];
    let pods = prop::collection::btree_map(select(&PATHS[..]), select(&IMAGES[..]), 0..6);
    pods.prop_map(|pods| pods.into_iter().collect())
}

/// What cannot be read of a cluster.
fn faults() -> [Option<Event>; 4] {
    [
        None,
        Some(refused(pods_of("apps"), "no")),
        Some(skipped(Some("shop"), "pod shop/a-1")),
        Some(skipped(None, "item 3")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn events_lead_from_the_first_images_to_the_last(
        first in any_pods(),
        steps in prop::collection::vec((any_pods(), select(&[0, 0, 0, 0, 1, 2, 3][..]), any::<bool>()), 0..12),
        last in any_pods(),
    ) {
        let mut followed = Followed::new(&first);
        let mut known: Known = images_of(followed.index.snapshot().unwrap()).into_keys().collect();
        for (pods, fault, is_told) in steps {
            let after = relist(&mut followed.index, &NAMESPACES, &pods, faults().into_iter().nth(fault).flatten());
            if is_told {
                apply(&mut known, &followed.told.advance(&after).unwrap(), &after);
                prop_assert!(images_of(&after).keys().all(|image| known.contains(image)), "{:?}", known);
            }
        }
        let changes = followed.changes(&last, []);
        let after = followed.index.snapshot().unwrap();
        apply(&mut known, &changes, after);
        prop_assert_eq!(known, images_of(after).into_keys().collect());
    }
}
