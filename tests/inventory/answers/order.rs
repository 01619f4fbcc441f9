//! The same cluster gives the same bytes, in whatever order it is told.

use kai::inventory::ReportPolicy;
use kai::snapshot::{ContentHash, Event};
use kai::testing::namespace;
use kai::views::{Format, KaiReport, Layout, NamespaceList};
use proptest::prelude::*;

use super::cluster::{DIGEST, pod, snapshot};

/// Something to tell: a namespace, or a pod with one of a few images.
#[derive(Debug, Clone)]
enum Fact {
    Namespace(String),
    Pod { namespace: String, name: String, image: String, runs: bool },
}

impl Fact {
    fn event(&self) -> Event {
        match self {
            Self::Namespace(name) => namespace(name),
            Self::Pod { namespace, name, image, runs } => {
                let running = if *runs { format!("r/a@{DIGEST}") } else { String::new() };
                Event::from(pod(namespace, name, image, &running))
            }
        }
    }
}

fn facts() -> impl Strategy<Value = Vec<Fact>> {
    let names = proptest::collection::btree_map(("[a-c]", "[a-z]{1,2}"), ("[x-z](:[12])?", any::<bool>()), 0..20);
    let namespaces = proptest::collection::btree_set("[a-e]", 0..5);
    (names, namespaces).prop_map(|(pods, namespaces)| {
        let pods =
            pods.into_iter().map(|((namespace, name), (image, runs))| Fact::Pod { namespace, name, image, runs });
        namespaces.into_iter().map(Fact::Namespace).chain(pods).collect()
    })
}

/// Everything that is said of the cluster.
fn said(facts: &[Fact]) -> (ContentHash, String, String, Vec<u8>) {
    let snapshot = snapshot(facts.iter().map(Fact::event));
    let policy = ReportPolicy::default();
    let report = KaiReport::of(&snapshot, &policy, |_| true);
    let mut csv = Vec::new();
    Format::Csv.write(&report, Layout::Compact, &mut csv).expect("a vector takes all");
    let report = serde_json::to_string(&report).expect("JSON");
    let list = serde_json::to_string(&NamespaceList::of(&snapshot, &policy)).expect("JSON");
    (snapshot.content_hash(), report, list, csv)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn the_order_of_events_does_not_matter(
        (told, shuffled) in facts().prop_flat_map(|facts| (Just(facts.clone()), Just(facts).prop_shuffle())),
    ) {
        prop_assert_eq!(said(&told), said(&shuffled));
    }

    #[test]
    fn namespaces_pods_and_images_are_sorted_and_said_once(facts in facts()) {
        let snapshot = snapshot(facts.iter().map(Fact::event));
        prop_assert!(snapshot.namespaces().iter().is_sorted_by(|a, b| a.name() < b.name()));
        for part in snapshot.namespaces().iter() {
            prop_assert!(part.pods().is_sorted_by(|a, b| a.name < b.name));
        }
        let report = KaiReport::of(&snapshot, &ReportPolicy::default(), |_| true);
        prop_assert!(report.results.is_sorted_by(|a, b| a.namespace < b.namespace));
        for namespace in &report.results {
            prop_assert!(namespace.images.is_sorted_by(|a, b| (&a.tag, &a.repo_digest) < (&b.tag, &b.repo_digest)));
        }
    }
}
