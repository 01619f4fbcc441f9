//! Bodies are rendered once, and before anyone who asked for them has to wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::http_support::{Cluster, DEADLINE, OBSERVED, PODS, Server};
use proptest::prelude::*;
use tokio::task::JoinSet;

const LATER: &str = "2026-11-24T09:35:00Z";

/// Waits until the server serves a generation, in long answers and in short ones.
async fn serves(server: &Server, generation: u64) {
    for uri in ["/namespaces", "/namespaces/apps/images"] {
        answers_of(server, uri, generation).await;
    }
}

/// Waits until an answer is of a generation.
async fn answers_of(server: &Server, uri: &str, generation: u64) {
    let arrived = async {
        while server.get(uri).await.header("inventory-generation") != Some(&*generation.to_string()) {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(DEADLINE, arrived).await.expect("the generation is served");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_is_rendered_once_however_many_ask_at_once() {
    let server = Arc::new(Server::new());
    for (uri, coding) in [
        ("/inventory", "identity"),
        ("/inventory", "gzip"),
        ("/inventory?format=csv", "gzip"),
        ("/inventory?namespace=apps&namespace=shop", "gzip"),
        ("/namespaces", "identity"),
        ("/namespaces/apps/images", "identity"),
    ] {
        let before = server.http.renders();
        let mut readers = JoinSet::new();
        for _ in 0..100 {
            let server = Arc::clone(&server);
            readers.spawn(async move { server.get_with(uri, &[("accept-encoding", coding)]).await });
        }
        let replies = readers.join_all().await;
        assert!(replies.iter().all(|reply| reply.status.as_u16() == 200 && reply.body == replies[0].body), "{uri}");
        assert_eq!(server.http.renders() - before, 1, "{uri} {coding}");
    }
}

#[tokio::test]
async fn questions_that_mean_the_same_share_a_body() {
    let server = Server::new();
    for uri in [
        "/inventory?namespace=apps&namespace=shop",
        "/inventory?namespace=shop&namespace=apps",
        "/inventory?namespace=shop&format=json&namespace=apps&namespace=shop",
        "/inventory?namespace=%61pps&namespace=shop",
    ] {
        assert_eq!(server.get(uri).await.status.as_u16(), 200);
    }
    assert_eq!(server.http.renders(), 1);
}

#[tokio::test]
async fn a_body_above_the_bound_is_rendered_once_a_generation_all_the_same() {
    let mut cluster = Cluster::new();
    let server = Server::with(|settings| settings.cache_max_bytes = 1, Some(cluster.relist(OBSERVED, &PODS)));
    let follow = tokio::spawn(server.http.follow());
    let uris = ["/inventory", "/inventory?format=csv", "/namespaces"];
    for generation in 1..=3 {
        if generation > 1 {
            server.writer.publish(cluster.relist(LATER, &PODS[..generation]));
            answers_of(&server, "/namespaces", generation as u64).await;
        }
        for _ in 0..3 {
            for uri in uris {
                assert_eq!(server.get(uri).await.status.as_u16(), 200);
            }
        }
        assert_eq!(server.http.renders(), (uris.len() * generation) as u64);
    }
    follow.abort();
}

#[tokio::test]
async fn what_did_not_change_is_not_rendered_again_and_keeps_its_time() {
    let mut cluster = Cluster::new();
    let server = Server::with(|_| {}, Some(cluster.relist(OBSERVED, &PODS)));
    let follow = tokio::spawn(server.http.follow());
    let uris =
        ["/inventory", "/inventory?format=csv", "/namespaces", "/inventory?namespace=apps", "/namespaces/apps/images"];
    let mut before = Vec::new();
    for uri in uris {
        before.push(server.get(uri).await);
    }
    assert_eq!(server.http.renders(), 5);
    server.writer.publish(cluster.relist(LATER, &PODS));
    serves(&server, 2).await;
    for (uri, before) in uris.iter().zip(&before) {
        let after = server.get(uri).await;
        assert_eq!((&after.body, after.header("etag")), (&before.body, before.header("etag")), "{uri}");
        assert_eq!(after.header("inventory-generation"), Some("2"), "{uri}");
        assert_eq!(after.header("inventory-observed-at"), Some(LATER), "{uri}");
    }
    assert_eq!(server.http.renders(), 5, "nothing was rendered for the same content");
    assert_eq!(server.get("/inventory").await.json()["timestamp"], OBSERVED, "when this content first appeared");
    // One namespace less: what is of the other is still good.
    server.writer.publish(cluster.relist(LATER, &PODS[..2]));
    serves(&server, 3).await;
    let renders = server.http.renders();
    for uri in &uris[3..] {
        assert_eq!(server.get(uri).await.body, before[uris.iter().position(|one| one == uri).expect("known")].body);
    }
    assert_eq!(server.http.renders(), renders);
    follow.abort();
}

#[tokio::test]
async fn the_time_of_an_unchanged_snapshot_moves_in_the_header_alone() {
    let server = Server::new();
    let before = server.get("/inventory").await;
    server.writer.observed(LATER.parse().expect("time"));
    let after = server.get("/inventory").await;
    assert_eq!((after.header("inventory-observed-at"), after.header("inventory-generation")), (Some(LATER), Some("1")));
    assert_eq!(after.body, before.body);
}

#[tokio::test]
async fn the_time_of_a_snapshot_does_not_go_back_while_the_next_one_is_prepared() {
    let mut cluster = Cluster::new();
    // Nothing follows the feed: the first snapshot stays the one that is served.
    let server = Server::with(|_| {}, Some(cluster.relist(OBSERVED, &PODS)));
    server.get("/inventory").await;
    server.writer.observed(LATER.parse().expect("time"));
    assert_eq!(server.get("/inventory").await.header("inventory-observed-at"), Some(LATER));
    server.writer.publish(cluster.relist("2026-11-24T09:40:00Z", &PODS[..1]));
    let reply = server.get("/inventory").await;
    assert_eq!((reply.header("inventory-generation"), reply.header("inventory-observed-at")), (Some("1"), Some(LATER)));
}

#[tokio::test]
async fn probes_and_metrics_have_the_time_at_which_an_unchanged_snapshot_was_last_seen() {
    let server = Server::new();
    server.writer.observed(LATER.parse().expect("time"));
    let probe = server.get("/readyz?verbose").await.json();
    let (snapshot, seconds) = (&probe["snapshot"], LATER.parse::<jiff::Timestamp>().expect("time").as_second());
    assert_eq!((&snapshot["observed_at"], &snapshot["generation"]), (&LATER.into(), &1.into()));
    let metrics = server.get("/metrics").await;
    let line = format!("kai_snapshot_observed_timestamp_seconds {seconds}");
    assert!(metrics.text().lines().any(|one| one.starts_with(&line)), "{line} in {}", metrics.text());
}

#[tokio::test]
async fn equal_content_is_304_in_the_next_generation_with_its_headers() {
    let mut cluster = Cluster::new();
    let server = Server::with(|_| {}, Some(cluster.relist(OBSERVED, &PODS)));
    let follow = tokio::spawn(server.http.follow());
    let etag = server.get("/inventory").await.header("etag").expect("etag").to_owned();
    server.writer.publish(cluster.relist(LATER, &PODS));
    serves(&server, 2).await;
    let reply = server.get_with("/inventory", &[("if-none-match", &etag)]).await;
    assert_eq!(reply.status.as_u16(), 304);
    assert_eq!((reply.header("inventory-generation"), reply.header("inventory-observed-at")), (Some("2"), Some(LATER)));
    server.writer.publish(cluster.relist(LATER, &PODS[..1]));
    serves(&server, 3).await;
    assert_eq!(server.get_with("/inventory", &[("if-none-match", &etag)]).await.status.as_u16(), 200);
    follow.abort();
}

#[tokio::test]
async fn a_chosen_namespace_that_vanished_holds_nothing_up() {
    let mut cluster = Cluster::whole();
    let server = Server::with(|_| {}, Some(cluster.relist_all(OBSERVED, &PODS)));
    let follow = tokio::spawn(server.http.follow());
    for uri in ["/inventory?namespace=shop", "/namespaces/shop/images"] {
        assert_eq!(server.get(uri).await.status.as_u16(), 200);
    }
    server.writer.publish(cluster.relist_all(LATER, &PODS[..2]));
    serves(&server, 2).await;
    server.get("/inventory?namespace=shop").await.problem(404, "/inventory");
    server.get("/namespaces/shop/images").await.problem(404, "/namespaces/shop/images");
    follow.abort();
}

#[tokio::test(start_paused = true)]
async fn chosen_sets_are_not_rendered_for_ever_because_someone_asked_once() {
    let namespaces: Vec<_> = (0..200).map(|number| format!("ns-{number}")).collect();
    let pods: Vec<_> = namespaces.iter().map(|name| (&**name, "nginx:1.27")).collect();
    let mut cluster = Cluster::whole();
    let server = Server::with(|_| {}, Some(cluster.relist_all(OBSERVED, &pods)));
    let follow = tokio::spawn(server.http.follow());
    server.get("/inventory").await;
    for name in &namespaces {
        server.get(&format!("/inventory?namespace={name}")).await;
    }
    assert_eq!(server.http.renders(), 201);
    let changed: Vec<_> = namespaces.iter().map(|name| (&**name, "nginx:1.28")).collect();
    server.writer.publish(cluster.relist_all(LATER, &changed));
    answers_of(&server, "/namespaces", 2).await;
    let again = server.http.renders() - 201;
    assert!((64..=67).contains(&again), "{again} bodies were rendered again");
    tokio::time::advance(Duration::from_secs(61)).await;
    server.writer.publish(cluster.relist_all(LATER, &pods[1..]));
    let before = server.http.renders();
    answers_of(&server, "/namespaces", 3).await;
    let again = server.http.renders() - before;
    assert!(again <= 2, "{again} bodies were rendered though nobody asked in the last generation, or for a minute");
    follow.abort();
}

/// What readers ask for.
const QUESTIONS: [(&str, &str); 6] = [
    ("/inventory", "identity"),
    ("/inventory", "gzip"),
    ("/inventory?format=csv", "identity"),
    ("/inventory?namespace=apps", "gzip"),
    ("/namespaces", "identity"),
    ("/namespaces/shop/images", "identity"),
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(12) })]

    #[test]
    fn a_reader_never_waits_for_a_body_that_was_asked_for_in_the_last_generation(
        asked in proptest::sample::subsequence((0..QUESTIONS.len()).collect::<Vec<_>>(), 1..=QUESTIONS.len()),
        changes in proptest::collection::vec(1..PODS.len(), 1..8),
        bound in prop_oneof![Just(100_000_u64), Just(64 * 1024 * 1024)],
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
        runtime.block_on(async {
            let mut cluster = Cluster::new();
            let server = Arc::new(Server::with(
                |settings| settings.cache_max_bytes = bound,
                Some(cluster.relist(OBSERVED, &PODS)),
            ));
            let follow = tokio::spawn(server.http.follow());
            for number in &asked {
                let (uri, coding) = QUESTIONS[*number];
                server.get_with(uri, &[("accept-encoding", coding)]).await;
            }
            let waits = server.http.waits();
            assert_eq!(waits, asked.len() as u64);
            let done = Arc::new(AtomicBool::new(false));
            let seen: Arc<[AtomicU64]> = asked.iter().map(|_| AtomicU64::new(0)).collect();
            let mut readers = JoinSet::new();
            for (reader, number) in asked.iter().copied().enumerate() {
                let (server, done, seen) = (Arc::clone(&server), Arc::clone(&done), Arc::clone(&seen));
                readers.spawn(async move {
                    let (uri, coding) = QUESTIONS[number];
                    let mut last = 0;
                    while !done.load(Ordering::Relaxed) {
                        let reply = server.get_with(uri, &[("accept-encoding", coding)]).await;
                        let generation = reply.header("inventory-generation").expect("generation").parse().expect("number");
                        assert!(generation >= last, "{uri}: generation {generation} after {last}");
                        last = generation;
                        seen[reader].store(generation, Ordering::Relaxed);
                        tokio::task::yield_now().await;
                    }
                });
            }
            for (generation, pods) in (2..).zip(&changes) {
                server.writer.publish(cluster.relist(LATER, &PODS[..*pods]));
                let arrived = async {
                    // Each reader asks in this generation too, before the next one comes.
                    while seen.iter().any(|last| last.load(Ordering::Relaxed) < generation) {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                };
                tokio::time::timeout(DEADLINE, arrived).await.expect("the generation is served");
            }
            done.store(true, Ordering::Relaxed);
            readers.join_all().await;
            follow.abort();
            assert_eq!(server.http.waits(), waits, "someone waited");
        });
    }
}
