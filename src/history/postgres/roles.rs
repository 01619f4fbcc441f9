//! What `config/history-roles.sql` lets a role do.

use std::time::Duration;

use super::server::Server;
use super::*;
use crate::history::tests::{DIGEST, at, key, period, row, write};

#[test]
fn a_role_of_a_cluster_has_its_own_rows_alone() {
    let Some(server) = Server::own() else { return };
    let owner = server.settings("postgres");
    let of = |user: &str| PostgresSettings { user: user.to_owned(), ..owner.clone() };
    let open = |user: &str, uid: &str| PostgresStore::open(&of(user), uid, Duration::ZERO);
    drop(PostgresStore::open(&owner, "uid-0", Duration::ZERO).unwrap());
    server.run("postgres", include_str!("../../../config/history-roles.sql"));
    for uid in ["uid-1", "uid-2"] {
        server.run("postgres", &format!("CREATE ROLE \"kai-{uid}\" LOGIN IN ROLE kai_cluster"));
        let mut store = open(&format!("kai-{uid}"), uid).unwrap();
        write(&mut store, &[row(key("shop", "nginx:1", Some(DIGEST)), 100, None)], &[period(90, 200, None)]);
        write(&mut store, &[row(key("shop", "nginx:1", Some(DIGEST)), 100, Some(150))], &[]);
    }
    server.run("postgres", "CREATE ROLE fleet LOGIN IN ROLE kai_reader");
    // Its own, whatever it asks for.
    let mut first = open("kai-uid-1", "uid-1").unwrap();
    let mut seen = Vec::new();
    first.read_fleet(&[], &Query::default(), &mut |uid, row| seen.push((uid.to_string(), row.last))).unwrap();
    assert_eq!(seen, [("uid-1".to_owned(), Some(at(150)))]);
    assert_eq!(first.clusters(true).unwrap().len(), 1);
    assert_eq!(first.prune(Limits { retention_days: 1, max_rows: 10 }, at(100_000)).unwrap().len(), 1);
    // Nobody else's, under another uid.
    for uid in ["uid-2", "uid-3"] {
        let error = open("kai-uid-1", uid).map(drop).unwrap_err().to_string();
        assert!(error.contains("row-level security") && error.contains("(42501)"), "{uid}: {error}");
    }
    let mut reader = PostgresStore::reader(&of("fleet"), Duration::ZERO).unwrap();
    let mut rows = 0;
    reader.read_fleet(&[], &Query::default(), &mut |_, _| rows += 1).unwrap();
    assert_eq!((rows, reader.clusters(true).unwrap().len()), (1, 3));
    assert!(open("fleet", "uid-4").is_err(), "a reader writes nothing");
}
