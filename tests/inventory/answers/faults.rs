//! What is known after a fault, and by which name the cluster goes.

use jiff::Timestamp;
use kai::inventory::NamespaceSelection;
use kai::snapshot::{Event, Observation, PodIndex};
use kai::testing::namespace;

use super::cluster::{index, pod, relist};

#[test]
fn after_a_reset_an_unchanged_cluster_is_no_news_and_what_vanished_is_gone() {
    let mut index = index();
    let both = || [namespace("apps"), namespace("shop"), Event::from(pod("apps", "web", "nginx:1", ""))];
    let first = relist(&mut index, both());
    index.reset();
    assert!(index.publish().is_none(), "nothing is known, and the last answers stay");
    let second = relist(&mut index, both());
    assert_eq!(second.generation(), first.generation());
    index.reset();
    let third = relist(&mut index, [namespace("shop")]);
    assert_eq!(third.generation(), first.generation() + 1);
    assert!(third.namespace("apps").is_none() && third.namespace("shop").is_some());
}

#[test]
fn the_source_names_a_cluster_that_the_settings_do_not_name() {
    for (configured, expected) in [("", "from-the-context"), ("prod", "prod")] {
        let mut index = PodIndex::new(configured, NamespaceSelection::default());
        let named = |name: &str| {
            let known = Observation::at(Timestamp::UNIX_EPOCH);
            Event::Observed(Observation { cluster_name: Some(name.into()), ..known })
        };
        index.apply(named("from-the-context"));
        assert_eq!(index.publish().expect("a snapshot").snapshot.cluster_name(), expected);
        index.apply(named("renamed"));
        assert_eq!(index.publish().is_some(), configured.is_empty(), "a name is content");
    }
}
