//! A history whose server goes away and comes back, whole, empty, or in other hands.

use std::time::{Duration, Instant};

use super::server::{self, Server};
use super::*;
use crate::config::HistoryStore;
use crate::history::tests::Kept;

fn kept(settings: &PostgresSettings, uid: Option<&str>) -> Kept {
    let settings = PostgresSettings { cluster_id: uid.map(str::to_owned), ..settings.clone() };
    Kept::open(HistoryStore::Postgres(Box::new(settings)))
}

/// Rows as they stand in the database.
fn rows(server: &Server, database: &str) -> String {
    let sql = "SELECT string_agg(reference || CASE WHEN s.last_seen IS NULL THEN '' ELSE ' left' END, ', ' ORDER BY reference) \
               FROM kai.sighting s JOIN kai.image i ON i.id = s.image";
    server.run(database, sql)
}

#[test]
fn memory_serves_until_the_cluster_is_known() {
    let Some(server) = server::shared() else { return };
    let database = server.database();
    let mut kept = kept(&server.settings(&database), None);
    kept.list(&["nginx:1"]);
    let state = kept.wait("in memory", |state| (state.store, state.rows) == ("memory", 1) && state.problem.is_some());
    assert!(state.problem.unwrap().contains("the uid of the namespace kube-system is not read yet"));
    kept.history.recorder().identified(Err("403 Forbidden".to_owned()));
    let is_refused = |problem: &str| problem.contains("cannot be read: 403 Forbidden; allow kai to get it, or set ");
    kept.wait("refused", |state| state.problem.as_deref().is_some_and(is_refused));
    kept.history.recorder().identified(Ok("uid-1".to_owned()));
    kept.wait("taken over", |state| (state.store, state.rows, &state.problem) == ("postgres", 1, &None));
    assert_eq!(server.run(&database, "SELECT uid || ' ' || name FROM kai.cluster"), "uid-1 demo");
    kept.history.stop();
}

#[test]
fn memory_serves_until_another_process_ends() {
    let Some(server) = server::shared() else { return };
    let settings = server.settings(&server.database());
    let mut first = kept(&settings, Some("uid-1"));
    first.list(&["nginx:1"]);
    let seen = first.first_seen("nginx:1").unwrap();
    first.wait("written", |state| (state.store, state.rows) == ("postgres", 1));
    let mut second = kept(&settings, Some("uid-1"));
    second.list_at("2026-11-24T10:00:00Z", &["nginx:1", "redis:7"]);
    let state = second.wait("in memory", |state| state.store == "memory" && state.problem.is_some());
    assert!(state.problem.unwrap().contains("another kai writes the history of this cluster (uid-1)"));
    first.history.stop();
    second.wait("taken over", |state| (state.store, state.rows, &state.problem) == ("postgres", 2, &None));
    assert!(second.history.recorder().exchange(&mut second.index), "the database knows more");
    second.index.publish();
    assert_eq!(second.first_seen("nginx:1"), Some(seen));
    second.history.stop();
}

#[tokio::test]
async fn what_was_seen_is_known_after_a_restart_and_to_others() {
    let Some(server) = server::shared() else { return };
    let settings = server.settings(&server.database());
    let mut first = kept(&settings, Some("uid-1"));
    first.list(&["nginx:1", "redis:7"]);
    let seen = first.first_seen("nginx:1").unwrap();
    first.history.stop();
    let mut second = kept(&settings, Some("uid-1"));
    second.wait("read", |state| (state.store, state.rows) == ("postgres", 2));
    assert!(second.history.recorder().exchange(&mut second.index), "as before each snapshot");
    second.list_at("2026-11-24T10:00:00Z", &["nginx:1"]);
    assert_eq!(second.first_seen("nginx:1"), Some(seen));
    let other = kept(&settings, Some("uid-2"));
    other.wait("connected", |state| state.store == "postgres");
    let reader = other.history.reader();
    let asked = reader.ask(|kept| {
        let mut found = Vec::new();
        kept.read_fleet(&[], &Query::default(), |uid, row| found.push(format!("{uid} {}", row.key.image.written())))?;
        found.sort();
        Ok((found, kept.clusters(true)?.len()))
    });
    assert_eq!(asked.await.unwrap(), (vec!["uid-1 nginx:1".to_owned(), "uid-1 redis:7".to_owned()], 2));
    let alone = Kept::open(HistoryStore::Memory);
    let error = alone.history.reader().ask(|kept| kept.clusters(true).map(|all| all.len())).await.unwrap_err();
    assert!(error.to_string().contains("set history.postgres.url"), "{error}");
    second.history.stop();
    other.history.stop();
    alone.history.stop();
}

#[test]
fn nothing_is_lost_while_the_server_is_away() {
    let Some(server) = Server::own() else { return };
    let mut kept = kept(&server.settings("postgres"), Some("uid-1"));
    kept.list(&["nginx:1", "redis:7"]);
    kept.wait("written", |state| (state.store, state.rows, state.queue) == ("postgres", 2, 0));
    server.stop();
    kept.wait("away", |state| state.problem.is_some());
    // What came and went meanwhile: whoever tells it never waits.
    let begun = Instant::now();
    for number in 0..50 {
        kept.list(&["nginx:1", &format!("job:{number:02}")]);
    }
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    let state = kept.wait("waiting", |state| state.queue >= 51);
    assert_eq!((state.store, state.lost), ("postgres", 0));
    server.resume();
    kept.wait("back", |state| (state.rows, state.queue, &state.problem) == (52, 0, &None));
    let jobs: Vec<String> =
        (0..50).map(|number| format!("job:{number:02}{}", if number < 49 { " left" } else { "" })).collect();
    assert_eq!(rows(&server, "postgres"), format!("{}, nginx:1, redis:7 left", jobs.join(", ")));
    kept.history.stop();
}

#[test]
fn an_empty_database_is_told_everything_again() {
    let Some(server) = Server::own() else { return };
    let mut kept = kept(&server.settings("postgres"), Some("uid-1"));
    kept.list(&["nginx:1", "redis:7"]);
    let seen = kept.first_seen("nginx:1").unwrap();
    kept.wait("written", |state| (state.rows, state.queue) == (2, 0));
    server.stop();
    kept.wait("away", |state| state.problem.is_some());
    server.renew();
    kept.wait("back", |state| state.problem.is_none());
    kept.history.recorder().exchange(&mut kept.index);
    kept.wait("told again", |state| (state.rows, state.queue) == (2, 0));
    assert_eq!(rows(&server, "postgres"), "nginx:1, redis:7");
    let first = server.run("postgres", "SELECT DISTINCT extract(epoch FROM first_seen)::bigint FROM kai.sighting");
    assert_eq!(first, seen.as_second().to_string());
    kept.history.stop();
}

#[test]
fn rows_that_another_kai_has_written_meanwhile_are_set_right() {
    let Some(server) = Server::own() else { return };
    let settings = server.settings("postgres");
    let mut first = kept(&settings, Some("uid-1"));
    first.list(&["nginx:1"]);
    first.wait("written", |state| (state.rows, state.queue) == (1, 0));
    server.stop();
    first.wait("away", |state| state.problem.is_some());
    server.resume();
    // Whoever is first has it.
    let mut store = None;
    while store.is_none() {
        server.run("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'kai'");
        store = PostgresStore::open(&settings, "uid-1", Duration::ZERO).ok();
    }
    first.wait("in use", |state| state.problem.as_deref().is_some_and(|problem| problem.contains("another kai")));
    assert_eq!(rows(&server, "postgres"), "nginx:1 left");
    drop(store);
    first.wait("back", |state| state.problem.is_none());
    first.history.recorder().exchange(&mut first.index);
    first.wait("told again", |state| state.queue == 0);
    while rows(&server, "postgres") != "nginx:1" {
        std::thread::sleep(Duration::from_millis(10));
    }
    first.history.stop();
}
