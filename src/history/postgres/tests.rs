//! What only a database does: several clusters, other processes, versions, ways to it that do not lead there, and what a role may see.

use std::time::Duration;

use secrecy::SecretString;

use super::server::{self, Server};
use super::*;
use crate::config::{Password, PostgresHost, PostgresTls};
use crate::history::tests::{DIGEST, OTHER, at, key, period, row, write};
use crate::snapshot::Workloads;

const NOW: Duration = Duration::ZERO;

fn open(settings: &PostgresSettings, uid: &str) -> PostgresStore {
    let mut store = PostgresStore::open(settings, uid, NOW).unwrap();
    store.set_name(&"prod".into());
    store
}

fn refused(settings: &PostgresSettings) -> String {
    PostgresStore::open(settings, "uid", NOW).map(drop).unwrap_err().to_string()
}

/// `uid image last`, sorted.
fn fleet(store: &mut PostgresStore, clusters: &[&str], query: &Query) -> Vec<String> {
    let clusters: Vec<String> = clusters.iter().map(|&uid| uid.to_owned()).collect();
    let mut found = Vec::new();
    let line = &mut |uid: &Arc<str>, row: Sighting| {
        let last = row.last.map_or("-".to_owned(), |last| last.as_second().to_string());
        found.push(format!("{uid} {} {last}", row.key.image.written()));
    };
    store.read_fleet(&clusters, query, line).unwrap();
    found.sort();
    found
}

fn of_digest(beginning: &str) -> Query {
    Query { digests: vec![beginning.to_owned()], ..Query::default() }
}

/// Three clusters of one name.
fn three(server: &Server, database: &str) -> PostgresStore {
    let settings = server.settings(database);
    for (number, uid) in (0..).zip(["uid-1", "uid-2", "uid-3"]) {
        let mut store = open(&settings, uid);
        let image = format!("nginx:{number}");
        let rows = [
            row(key("shop", "redis:7", Some(DIGEST)), 100, (number == 1).then_some(150)),
            row(key("shop", &image, Some(OTHER)), 200 + number, Some(300)),
        ];
        write(&mut store, &rows, &[period(90, 300, None)]);
    }
    PostgresStore::reader(&settings, NOW).unwrap()
}

#[test]
fn clusters_of_one_name_are_told_apart() {
    let Some(server) = server::shared() else { return };
    let database = server.database();
    let mut reader = three(server, &database);
    let clusters = reader.clusters(true).unwrap();
    let shown: Vec<_> =
        clusters.iter().map(|one| (&*one.uid, &*one.name, one.rows.map(|rows| (rows.all, rows.running)))).collect();
    assert_eq!(
        shown,
        [("uid-1", "prod", Some((2, 1))), ("uid-2", "prod", Some((2, 0))), ("uid-3", "prod", Some((2, 1)))]
    );
    assert!(clusters.iter().all(|one| Timestamp::now().duration_since(one.last_seen).as_secs() < 60));
    assert_eq!(
        fleet(&mut reader, &[], &of_digest(DIGEST)),
        ["uid-1 redis:7 -", "uid-2 redis:7 150", "uid-3 redis:7 -"]
    );
    assert_eq!(fleet(&mut reader, &["uid-3", "uid-9"], &of_digest(&DIGEST[..14])), ["uid-3 redis:7 -"]);
    let nginx =
        || Query { image: Some(Box::new(|image| image.repository() == Some("library/nginx"))), ..Query::default() };
    assert_eq!(fleet(&mut reader, &[], &nginx()), ["uid-1 nginx:0 300", "uid-2 nginx:1 300", "uid-3 nginx:2 300"]);
    let at_201 = Query { since: Some(at(201)), until: Some(at(201)), ..Query::default() };
    assert_eq!(
        fleet(&mut reader, &[], &at_201),
        ["uid-1 nginx:0 300", "uid-1 redis:7 -", "uid-2 nginx:1 300", "uid-3 redis:7 -"]
    );
    let both = Query { digests: vec![OTHER.to_owned()], ..nginx() };
    assert_eq!(fleet(&mut reader, &["uid-2"], &both), ["uid-2 nginx:1 300"]);
    assert!(matches!(
        reader.write(&Batch { sightings: &[], periods: &[] }),
        Err(StoreError::Postgres(PostgresError::Reader))
    ));
}

#[test]
fn a_cluster_closes_and_drops_its_own_rows_alone() {
    let Some(server) = server::shared() else { return };
    let database = server.database();
    let mut reader = three(server, &database);
    let mut first = open(&server.settings(&database), "uid-1");
    let mut known = 0;
    let periods = first.load(&mut |_, _| known += 1).unwrap();
    assert_eq!((known, periods), (2, vec![period(90, 300, None)]));
    assert_eq!(
        fleet(&mut reader, &[], &of_digest(DIGEST)),
        ["uid-1 redis:7 300", "uid-2 redis:7 150", "uid-3 redis:7 -"]
    );
    let gone = first.prune(Limits { retention_days: 1, max_rows: 10 }, at(90_000)).unwrap();
    assert_eq!((gone.len(), first.rows().unwrap(), first.periods().unwrap()), (2, 0, vec![]));
    assert_eq!(fleet(&mut reader, &[], &Query::default()).len(), 4);
}

#[test]
fn one_process_writes_for_a_cluster_at_a_time() {
    let Some(server) = server::shared() else { return };
    let settings = server.settings(&server.database());
    let first = open(&settings, "uid-1");
    let expected = "history.postgres: another kai writes the history of this cluster (uid-1) to kai@";
    let error = PostgresStore::open(&settings, "uid-1", NOW).unwrap_err().to_string();
    assert!(error.starts_with(expected), "{error}");
    drop(open(&settings, "uid-2"));
    drop(first);
    drop(open(&settings, "uid-1"));
}

#[test]
fn tables_of_a_newer_kai_are_left_alone() {
    let Some(server) = server::shared() else { return };
    let database = server.database();
    drop(open(&server.settings(&database), "uid-1"));
    server.run(&database, "UPDATE kai.version SET version = 99");
    let error = refused(&server.settings(&database));
    assert!(error.contains("has tables of version 99, and this kai knows up to 1"), "{error}");
}

#[test]
fn many_make_the_tables_at_once() {
    let Some(server) = server::shared() else { return };
    let settings = server.settings(&server.database());
    std::thread::scope(|scope| {
        for number in 0..8 {
            let settings = &settings;
            scope.spawn(move || {
                let mut store = open(settings, &format!("uid-{number}"));
                // The same names in another order each: nobody waits for another for ever.
                let rows: Vec<_> = (0..50)
                    .map(|image| row(key("a", &format!("x:{}", (image * 7 + number) % 50), None), 1, None))
                    .collect();
                write(&mut store, &rows, &[]);
            });
        }
    });
    let clusters = PostgresStore::reader(&settings, NOW).unwrap().clusters(true).unwrap();
    assert_eq!(clusters.iter().filter_map(|one| one.rows).map(|rows| rows.all).collect::<Vec<_>>(), [50; 8]);
}

#[test]
fn a_database_that_lost_everything_is_noticed() {
    let Some(server) = server::shared() else { return };
    let database = server.database();
    let mut store = open(&server.settings(&database), "uid-1");
    write(&mut store, &[row(key("shop", "nginx:1", None), 100, None)], &[]);
    let end_connections = |database: &str| {
        let sql = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'");
        server.run("postgres", &sql);
    };
    end_connections(&database);
    assert!(store.check().is_err());
    assert!(store.check().is_ok() && !store.take_loss(), "it was only away");
    write(&mut store, &[row(key("shop", "nginx:2", None), 100, None)], &[]);
    end_connections(&database);
    server.run(&database, "DROP SCHEMA kai CASCADE");
    assert!(store.check().is_err());
    assert!(store.check().is_ok() && store.take_loss() && !store.take_loss());
    assert_eq!(store.rows().unwrap(), 0);
    write(&mut store, &[row(key("shop", "nginx:1", None), 100, None)], &[]);
    assert_eq!(store.rows().unwrap(), 1);
    // An older copy of the same database.
    end_connections(&database);
    server.run(&database, "UPDATE kai.cluster SET writes = writes - 1");
    assert!(store.check().is_err());
    assert!(store.check().is_ok() && store.take_loss());
}

#[test]
fn texts_that_a_database_does_not_take_are_written_all_the_same() {
    let Some(server) = server::shared() else { return };
    let mut store = open(&server.settings(&server.database()), "uid-1");
    let long = "x".repeat(60_000);
    let mut odd = row(key("shop", "a\0b", None), 1, Some(2));
    odd.workloads.add("Job/\0");
    let rows = [odd, row(key("shop", &long, None), 1, None), row(key("shop", &format!("{long}y"), None), 1, None)];
    write(&mut store, &rows, &[]);
    write(&mut store, &rows, &[]);
    assert_eq!(store.rows().unwrap(), 3);
    let mut found = Vec::new();
    store.read(&Query::default(), &mut |row| found.push(row)).unwrap();
    found.sort_by_key(|row| row.key.image.written().len());
    assert_eq!((found[0].key.image.written(), &*found[0].workloads.names[0]), ("a\u{fffd}b", "Job/\u{fffd}"));
    assert!(found[1..].iter().all(|row| row.key.image.written().len() < 2_100));
}

#[test]
fn a_thousand_rows_are_written_and_read_again() {
    let Some(server) = server::shared() else { return };
    let mut store = open(&server.settings(&server.database()), "uid-1");
    let mut workloads = Workloads::default();
    workloads.add("Deployment/web");
    let rows = (0..12_000).map(|number| row(key("shop", &format!("x:{number}"), Some(DIGEST)), 100, None));
    let rows: Vec<_> = rows.map(|row| Sighting { workloads: workloads.clone(), ..row }).collect();
    write(&mut store, &rows, &[]);
    let left: Vec<_> = rows[..1_000].iter().map(|row| Sighting { last: Some(at(200)), ..row.clone() }).collect();
    write(&mut store, &left, &[]);
    let mut last = Vec::new();
    store.read(&Query::default(), &mut |row| last.push(row.last)).unwrap();
    assert_eq!((last.len(), last.iter().flatten().count()), (12_000, 1_000));
}

#[test]
fn a_port_that_nobody_listens_on_is_named_and_not_asked_again_at_once() {
    let settings = PostgresSettings {
        host: PostgresHost::Name("127.0.0.1".to_owned()),
        port: 1,
        user: "kai".to_owned(),
        database: "kai".to_owned(),
        password: Some(Password::Text("hunter2".into())),
        tls: PostgresTls::Never,
        ca_file: None,
        cluster_id: None,
        is_read_only: false,
    };
    let error = refused(&settings);
    assert!(error.starts_with("history.postgres: kai@127.0.0.1:1/kai cannot be used: "), "{error}");
    assert!(error.to_lowercase().contains("connection refused") && !error.contains("hunter2"), "{error}");
}

#[test]
fn a_password_file_is_read_at_every_connect() {
    let Some(server) = Server::own() else { return };
    server.run("postgres", "ALTER ROLE kai PASSWORD 'hunter2'");
    server.write("pg_hba.conf", "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n");
    server.run("postgres", "SELECT pg_reload_conf()");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    let mut settings = server.settings("postgres");
    (settings.host, settings.password) =
        (PostgresHost::Name("127.0.0.1".to_owned()), Some(Password::File(path.clone())));
    assert!(refused(&settings).contains("history.postgres.password-file "), "there is none");
    std::fs::write(&path, "hunter3\n").unwrap();
    let error = refused(&settings);
    assert!(error.contains("password authentication failed for user") && error.ends_with("(28P01)"), "{error}");
    assert!(!error.contains("hunter3"), "{error}");
    std::fs::write(&path, "hunter2\n").unwrap();
    drop(open(&settings, "uid-1"));
    settings.password = Some(Password::Text(SecretString::from("hunter2")));
    drop(open(&settings, "uid-1"));
}

#[test]
fn a_certificate_is_checked() {
    let Some(server) = Server::own() else { return };
    server.stop();
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let other = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    server.write("server.crt", &signed.cert.pem());
    server.write("server.key", &signed.signing_key.serialize_pem());
    server.resume();
    let folder = tempfile::tempdir().unwrap();
    let ca = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
        Some(folder.path().join(name))
    };
    let mut settings = server.settings("postgres");
    settings.tls = PostgresTls::Verified;
    settings.host = PostgresHost::Name("localhost".to_owned());
    settings.ca_file = ca("right.pem", &signed.cert.pem());
    let mut store = open(&settings, "uid-1");
    store.check().unwrap();
    assert_eq!(
        server.run(
            "postgres",
            "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'kai'"
        ),
        "t"
    );
    drop(store);
    settings.ca_file = ca("wrong.pem", &other.cert.pem());
    let error = refused(&settings);
    assert!(error.contains("invalid peer certificate"), "{error}");
    settings.ca_file = ca("right.pem", &signed.cert.pem());
    settings.host = PostgresHost::Name("127.0.0.1".to_owned());
    let error = refused(&settings);
    assert!(error.contains("not valid for name"), "{error}");
    settings.ca_file = ca("none.pem", "no certificate");
    assert!(refused(&settings).contains("history.postgres.ca-file "), "no authority");
}
