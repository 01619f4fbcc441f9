//! Bodies are rendered once, and before anyone who asked for them has to wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::http_support::{Cluster, DEADLINE, OBSERVED, PODS, Server};
use proptest::prelude::*;
use tokio::task::JoinSet;

const LATER: &str = "2026-11-24T09:35:00Z";

/// Waits until the server serves a generation.
async fn serves(server: &Server, generation: u64) {
    let arrived = async {
        while server.get("/namespaces").await.header("inventory-generation") != Some(&*generation.to_string()) {
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
        let before = server.service.renders();
        let mut readers = JoinSet::new();
        for _ in 0..100 {
            let server = Arc::clone(&server);
            readers.spawn(async move { server.get_with(uri, &[("accept-encoding", coding)]).await });
        }
        let replies = readers.join_all().await;
        assert!(replies.iter().all(|reply| reply.status.as_u16() == 200 && reply.body == replies[0].body), "{uri}");
        assert_eq!(server.service.renders() - before, 1, "{uri} {coding}");
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
    assert_eq!(server.service.renders(), 1);
}

#[tokio::test]
async fn a_body_above_the_bound_is_rendered_once_a_generation_all_the_same() {
    let mut cluster = Cluster::new();
    let server = Server::with(|settings| settings.cache_max_bytes = 1, Some(cluster.relist(OBSERVED, &PODS)));
    let follow = tokio::spawn(server.service.follow());
    let uris = ["/inventory", "/inventory?format=csv", "/namespaces"];
    for generation in 1..=3 {
        if generation > 1 {
            server.writer.publish(cluster.relist(LATER, &PODS[..generation]));
            serves(&server, generation as u64).await;
        }
        for _ in 0..3 {
            for uri in uris {
                assert_eq!(server.get(uri).await.status.as_u16(), 200);
            }
        }
        assert_eq!(server.service.renders(), (uris.len() * generation) as u64);
    }
    follow.abort();
}

#[tokio::test]
async fn the_images_of_a_namespace_that_did_not_change_are_not_rendered_again() {
    let mut cluster = Cluster::new();
    let server = Server::with(|_| {}, Some(cluster.relist(OBSERVED, &PODS)));
    let follow = tokio::spawn(server.service.follow());
    let before = server.get("/namespaces/apps/images").await;
    let renders = server.service.renders();
    server.writer.publish(cluster.relist(LATER, &PODS));
    // `/namespaces` says when the cluster was observed: asked for by the wait itself, it is rendered in each generation.
    serves(&server, 2).await;
    let asked = server.service.renders();
    let after = server.get("/namespaces/apps/images").await;
    assert_eq!(server.service.renders(), asked);
    assert!(asked - renders <= 2, "only /namespaces was rendered");
    assert_eq!((&after.body, after.header("etag")), (&before.body, before.header("etag")));
    assert_eq!(after.headers["inventory-generation"], "2");
    assert_eq!(after.headers["inventory-observed-at"], LATER);
    follow.abort();
}

#[tokio::test]
async fn equal_content_is_304_in_the_next_generation_with_its_headers() {
    let mut cluster = Cluster::new();
    let server = Server::with(|_| {}, Some(cluster.relist(OBSERVED, &PODS)));
    let follow = tokio::spawn(server.service.follow());
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
    let follow = tokio::spawn(server.service.follow());
    for uri in ["/inventory?namespace=shop", "/namespaces/shop/images"] {
        assert_eq!(server.get(uri).await.status.as_u16(), 200);
    }
    server.writer.publish(cluster.relist_all(LATER, &PODS[..2]));
    serves(&server, 2).await;
    server.get("/inventory?namespace=shop").await.problem(404, "/inventory");
    server.get("/namespaces/shop/images").await.problem(404, "/namespaces/shop/images");
    follow.abort();
}

#[tokio::test]
async fn chosen_sets_are_not_rendered_for_ever_because_someone_asked_once() {
    let namespaces: Vec<_> = (0..200).map(|number| format!("ns-{number}")).collect();
    let pods: Vec<_> = namespaces.iter().map(|name| (&**name, "nginx:1.27")).collect();
    let mut cluster = Cluster::whole();
    let server = Server::with(|_| {}, Some(cluster.relist_all(OBSERVED, &pods)));
    let follow = tokio::spawn(server.service.follow());
    server.get("/inventory").await;
    for name in &namespaces {
        server.get(&format!("/inventory?namespace={name}")).await;
    }
    assert_eq!(server.service.renders(), 201);
    server.writer.publish(cluster.relist_all(LATER, &pods));
    serves(&server, 2).await;
    let again = server.service.renders() - 201;
    assert!((64..=67).contains(&again), "{again} bodies were rendered again");
    server.writer.publish(cluster.relist_all(LATER, &pods[1..]));
    let before = server.service.renders();
    serves(&server, 3).await;
    let again = server.service.renders() - before;
    assert!(again <= 2, "{again} bodies were rendered though nobody asked in the last generation");
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
        bound in prop_oneof![Just(1_u64), Just(64 * 1024 * 1024)],
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
        runtime.block_on(async {
            let mut cluster = Cluster::new();
            let server = Arc::new(Server::with(
                |settings| settings.cache_max_bytes = bound,
                Some(cluster.relist(OBSERVED, &PODS)),
            ));
            let follow = tokio::spawn(server.service.follow());
            for number in &asked {
                let (uri, coding) = QUESTIONS[*number];
                server.get_with(uri, &[("accept-encoding", coding)]).await;
            }
            let waits = server.service.waits();
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
            assert_eq!(server.service.waits(), waits, "someone waited");
        });
    }
}
