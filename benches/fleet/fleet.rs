//! Measures one history for a fleet: what a question costs among 1,000 clusters, and whether what they write at once is all there.
//!
//!     fleet questions SOCKET_FOLDER PORT CLUSTERS ROWS
//!     fleet writes SOCKET_FOLDER PORT CLUSTERS SECONDS
//!
//! `benches/fleet.sh` starts a server of its own for it.

#![expect(clippy::print_stdout, reason = "it prints its measurements")]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use kai::config::{PostgresHost, PostgresSettings, PostgresTls};
use kai::history::{Batch, PostgresStore, Query, RowCounts, Store as _};
use kai::inventory::{Digest, ImageRef};
use kai::snapshot::{FirstSeen, Sighting, SightingKey, Workloads};

/// Different digests of the fleet, and how many of them are everywhere (proxies, agents, the system's own).
const DIGESTS: u32 = 100_000;
const COMMON: u32 = 50;
/// One row of ten is of a digest that is everywhere.
const COMMON_SHARE: u32 = 10;
const QUESTIONS: u32 = 1_000;
const THREADS: usize = 8;
/// Every cluster writes once in that time.
const ROUND: Duration = Duration::from_secs(10);
/// Images that came and went in one write.
const TRANSITIONS: u32 = 5;
const RETRY: Duration = Duration::from_secs(10);

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [what, folder, port, clusters, last] = arguments.as_slice() else {
        anyhow::bail!("fleet questions|writes SOCKET_FOLDER PORT CLUSTERS ROWS|SECONDS")
    };
    let settings = PostgresSettings {
        host: PostgresHost::Socket(PathBuf::from(folder)),
        port: port.parse()?,
        user: "kai".to_owned(),
        database: "postgres".to_owned(),
        password: None,
        tls: PostgresTls::Never,
        ca_file: None,
        cluster_id: None,
        is_read_only: false,
    };
    let clusters: u32 = clusters.parse()?;
    match what.as_str() {
        "questions" => questions(&settings, clusters, last.parse()?),
        _ => writes(&settings, clusters, Duration::from_secs(last.parse()?)),
    }
}

/// SHA-256 of a number stands for a digest: beginnings are as different as in life.
fn digest_of(number: &str) -> String {
    format!("'sha256:' || encode(sha256(({number})::text::bytea), 'hex')")
}

fn questions(settings: &PostgresSettings, clusters: u32, rows: u32) -> anyhow::Result<()> {
    drop(PostgresStore::open(settings, "none", RETRY)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let begun = Instant::now();
    runtime.block_on(fill(settings, clusters, rows))?;
    println!("filled in {:.0} s", begun.elapsed().as_secs_f64());
    let digests: Vec<String> =
        runtime.block_on(random_digests(settings, "SELECT digest FROM kai.digest WHERE id > 0"))?;
    let by_row = "SELECT digest.digest FROM kai.sighting TABLESAMPLE BERNOULLI (0.5) JOIN kai.digest ON digest.id = sighting.digest";
    let by_row: Vec<String> = runtime.block_on(random_digests(settings, by_row))?;
    let mut store = PostgresStore::reader(settings, RETRY)?;
    for (name, digests) in [("random digests", &digests), ("digests of random rows", &by_row)] {
        for (question, since) in [("run", Some(Timestamp::now())), ("ever ran", None)] {
            let (mut times, mut most) = (Vec::new(), 0);
            for digest in digests {
                let query = Query { since, digests: vec![digest.clone()], ..Query::default() };
                let (begun, mut found, mut rows) = (Instant::now(), BTreeSet::new(), 0);
                store.read_fleet(&[], &query, &mut |uid, _| {
                    rows += 1;
                    found.insert(Arc::clone(uid));
                })?;
                times.push(begun.elapsed());
                most = most.max(rows);
            }
            times.sort_unstable();
            let at = |part: usize| times[times.len() * part / 1_000].as_secs_f64() * 1e3;
            println!(
                "which clusters {question} X, {name}: p50 {:.2} ms, p99 {:.2} ms, worst {:.2} ms (up to {most} rows)",
                at(500),
                at(990),
                times[times.len() - 1].as_secs_f64() * 1e3
            );
        }
    }
    let begun = Instant::now();
    let found = store.clusters(true)?;
    println!("{} clusters listed in {:.0} ms", found.len(), begun.elapsed().as_secs_f64() * 1e3);
    transitions(settings)
}

async fn connect(settings: &PostgresSettings) -> anyhow::Result<tokio_postgres::Client> {
    let mut config = tokio_postgres::Config::new();
    if let PostgresHost::Socket(folder) = &settings.host {
        config.host_path(folder);
    }
    config.port(settings.port).user(&settings.user).dbname(&settings.database);
    let (client, connection) = config.connect(tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Rows as kai writes them, made by the server.
async fn fill(settings: &PostgresSettings, clusters: u32, rows: u32) -> anyhow::Result<()> {
    let sql = format!(
        "INSERT INTO kai.digest (digest) SELECT {digest} FROM generate_series(1, {DIGESTS}) AS number; \
         INSERT INTO kai.image (reference) SELECT 'registry.example.com/team-' || number % 300 || '/service-' || number || ':1.' || number % 40 \
             FROM generate_series(1, {DIGESTS}) AS number; \
         INSERT INTO kai.namespace (name) SELECT 'namespace-' || number FROM generate_series(1, 500) AS number; \
         INSERT INTO kai.cluster (uid, name, last_seen, holder, writes, dropped_rows) \
             SELECT 'uid-' || number, 'prod', now(), '', 0, 0 FROM generate_series(1, {clusters}) AS number; \
         INSERT INTO kai.sighting (cluster, digest, image, namespace, first_seen, last_seen, workloads_dropped, first_is_exact, workloads) \
             SELECT cluster.id, pick, pick, 1 + (random() * 499)::int, now() - random() * interval '400 days', \
                 CASE WHEN random() < 0.6 THEN NULL ELSE now() - random() * interval '30 days' END, 0, true, \
                 ARRAY['Deployment/service-' || pick] \
             FROM kai.cluster CROSS JOIN LATERAL ( \
                 SELECT CASE WHEN number % {COMMON_SHARE} = 0 THEN 1 + (random() * {COMMON})::int \
                     ELSE 1 + (random() * ({DIGESTS} - 1))::int END AS pick \
                 FROM generate_series(1, {rows}) AS number WHERE cluster.id > 0 \
             ) AS picked WHERE uid LIKE 'uid-%' ON CONFLICT DO NOTHING; ",
        digest = digest_of("number"),
    );
    let client = connect(settings).await?;
    client.batch_execute(&sql).await?;
    // As autovacuum does within minutes.
    client.batch_execute("VACUUM ANALYZE").await?;
    let size = "SELECT pg_size_pretty(pg_database_size(current_database())), (SELECT count(*) FROM kai.sighting)";
    let row = client.query_one(size, &[]).await?;
    println!("{} rows, {}", row.get::<_, i64>(1), row.get::<_, String>(0));
    Ok(())
}

async fn random_digests(settings: &PostgresSettings, sql: &str) -> anyhow::Result<Vec<String>> {
    let client = connect(settings).await?;
    let rows =
        client.query(&format!("SELECT digest FROM ({sql}) AS one ORDER BY random() LIMIT {QUESTIONS}"), &[]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// Images of one cluster that come, and go, in one write.
fn transitions(settings: &PostgresSettings) -> anyhow::Result<()> {
    let mut store = PostgresStore::open(settings, "one", RETRY)?;
    let mut times = Vec::new();
    for round in 0..20 {
        let last = (round % 2 == 1).then(Timestamp::now);
        let sightings: Vec<_> = (0..1_000).map(|image| sighting(round / 2, image, last)).collect();
        let begun = Instant::now();
        store.write(&Batch { sightings: &sightings, periods: &[] })?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    let [median, worst] = [times[10], times[19]].map(|time| time.as_secs_f64() * 1e3);
    println!("1,000 transitions of a cluster in one commit: median {median:.0} ms, worst {worst:.0} ms");
    Ok(())
}

/// Every cluster has a connection of its own, and writes what came and went every ten seconds.
fn writes(settings: &PostgresSettings, clusters: u32, duration: Duration) -> anyhow::Result<()> {
    let mut groups: Vec<Vec<PostgresStore>> = (0..THREADS).map(|_| Vec::new()).collect();
    let begun = Instant::now();
    for number in 0..clusters {
        let store = PostgresStore::open(settings, &format!("writer-{number}"), RETRY)?;
        groups[number as usize % THREADS].push(store);
    }
    println!("{clusters} connections in {:.1} s", begun.elapsed().as_secs_f64());
    let end = Instant::now() + duration;
    let written = std::thread::scope(|scope| {
        let threads: Vec<_> = groups.into_iter().map(|group| scope.spawn(move || write_until(group, end))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect::<anyhow::Result<Vec<_>>>()
    })?;
    let rounds = written[0].0;
    let mut times: Vec<Duration> = written.into_iter().flat_map(|(_, times)| times).collect();
    times.sort_unstable();
    let at = |part: usize| times[times.len() * part / 1_000].as_secs_f64() * 1e3;
    println!("{} commits: p50 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms", times.len(), at(500), at(990), at(999));
    let seen = PostgresStore::reader(settings, RETRY)?.clusters(true)?;
    let expected = u64::from(rounds * TRANSITIONS);
    let writers = seen.iter().filter(|one| one.uid.starts_with("writer-"));
    let (whole, all) = writers.fold((0, 0), |(whole, all), one| {
        let counts = RowCounts { all: expected, running: u64::from(TRANSITIONS) };
        (whole + u32::from(one.rows == Some(counts)), all + 1)
    });
    println!("{whole} of {all} clusters have all of their {expected} rows");
    anyhow::ensure!(whole == clusters, "rows are lost");
    Ok(())
}

/// Gives how many rounds there were, and how long each write took.
fn write_until(mut stores: Vec<PostgresStore>, end: Instant) -> anyhow::Result<(u32, Vec<Duration>)> {
    let (mut round, mut times) = (0, Vec::new());
    // All threads make as many rounds.
    let rounds = u32::try_from(end.duration_since(Instant::now()).as_millis().div_ceil(ROUND.as_millis()))?;
    let begun = Instant::now();
    let pace = ROUND / u32::try_from(stores.len())?;
    while round < rounds {
        for (place, store) in (0..).zip(&mut stores) {
            std::thread::sleep((begun + ROUND * round + pace * place).saturating_duration_since(Instant::now()));
            let came = (0..TRANSITIONS).map(|image| sighting(round, image, None));
            let went = (0..TRANSITIONS)
                .filter_map(|image| Some(sighting(round.checked_sub(1)?, image, Some(Timestamp::now()))));
            let sightings: Vec<_> = came.chain(went).collect();
            let begun = Instant::now();
            store.write(&Batch { sightings: &sightings, periods: &[] })?;
            times.push(begun.elapsed());
        }
        round += 1;
    }
    Ok((rounds, times))
}

/// The same images in all clusters, as a rollout has it.
fn sighting(round: u32, image: u32, last: Option<Timestamp>) -> Sighting {
    let written = format!("registry.example.com/service-{image}:{round}");
    let digest = format!("sha256:{:064x}", u64::from(round) << 32 | u64::from(image));
    let (image, digest) = (Arc::new(ImageRef::parse(&written)), Digest::parse(&digest));
    let key = SightingKey { namespace: "shop".into(), image, digest };
    let first = FirstSeen { at: last.unwrap_or_else(Timestamp::now), is_exact: true };
    Sighting { key, first, last, started_at: None, workloads: Workloads::default() }
}
