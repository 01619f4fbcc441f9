//! What goes wrong under an open watch, and that kai says nothing false meanwhile and finds its way back alone.

use std::io::Write as _;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::watching::{BACK, images, watching};
use crate::harness::{Answer, Service, outage};

super::claims! {
    OwnControlPlane: a_stopped_etcd_under_the_watch_costs_age_and_nothing_else,
}

/// From one look at an answer to the next.
const LOOK: Duration = Duration::from_millis(100);

/// The answer is there, and has this image.
fn has(image: &str) -> impl Fn(&Answer) -> bool + Sync {
    move |answer| answer.status == 200 && answer.body.contains(image)
}

/// Seconds since the inventory was last known to be true.
fn age(service: &Service) -> u64 {
    let age = service.get("/readyz?verbose").json()["snapshot"]["age_seconds"].as_u64();
    age.expect("a snapshot has an age")
}

fn a_stopped_etcd_under_the_watch_costs_age_and_nothing_else() {
    let (_turn, cluster) = outage();
    let namespace = cluster.namespace("etcdless");
    namespace.create_pod("before", "before:1");
    let service = watching(cluster.kai().env("KAI_COLLECTION_METHOD", "watch"));
    let path = images(&namespace);
    service.meanwhile(&path, has("before:1"), || {
        cluster.plane().end("etcd", "KILL");
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(10) {
            let away = begun.elapsed().as_secs();
            assert!(age(&service) >= away, "the age is the true one after {away} s: {}", service.log());
            sleep(LOOK);
        }
        cluster.plane().start_again("etcd");
        cluster.await_server();
        let back = Instant::now();
        namespace.create_pod("after", "after:1");
        service.get_until(&path, BACK, has("after:1"));
        drop(writeln!(std::io::stdout(), "a pod after etcd is back: {:?}", back.elapsed()));
    });
    service.get_until("/readyz?verbose", BACK, |answer| answer.body.contains("the cluster is watched"));
}
