//! Rows into the database: a batch is a few statements, however many rows it has, because the server may be far away.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, GenericClient, Row, Transaction};

use super::claim::Claim;
use super::error::Failure;
use super::read::{KEY, Keys, VALUES, in_range, values};
use crate::history::memory::oldest_kept;
use crate::history::store::{Batch, Dropped, Limits};
use crate::snapshot::{ContentHash, Period, Sighting, SightingKey};

/// Rows of one statement.
const CHUNK: usize = 5_000;
/// Bytes of a reference that an index takes. Longer ones are none that a registry knows.
const TEXT_MAX: usize = 2_000;

/// Digest, image and namespace.
type Ids = (i32, i32, i32);

/// Writes all of it, or nothing.
pub(super) async fn write(client: &mut Client, claim: &mut Claim, batch: &Batch<'_>) -> Result<(), Failure> {
    let names = Names::of(client, batch.sightings).await?;
    let transaction = client.transaction().await?;
    let writes = claim.writes + 1;
    let counted = transaction
        .execute_typed(
            "UPDATE kai.cluster SET writes = $3, name = $4, last_seen = now() WHERE id = $1 AND holder = $2",
            &[
                (&claim.id, Type::INT4),
                (&claim.holder, Type::TEXT),
                (&writes, Type::INT8),
                (&text(&claim.name), Type::TEXT),
            ],
        )
        .await?;
    if counted != 1 {
        return Err(Failure::Replaced);
    }
    let mut added = 0;
    for sightings in batch.sightings.chunks(CHUNK) {
        added += put(&transaction, claim.id, sightings, &names).await?;
    }
    for periods in batch.periods.chunks(CHUNK) {
        put_periods(&transaction, claim.id, periods).await?;
    }
    transaction.commit().await?;
    claim.writes = writes;
    claim.rows += added;
    Ok(())
}

/// The ids of what repeats.
struct Names {
    images: HashMap<String, i32>,
    digests: HashMap<String, i32>,
    namespaces: HashMap<String, i32>,
}

impl Names {
    /// Outside of the transaction: what it added would else keep every other cluster waiting that has the same image.
    async fn of(client: &Client, sightings: &[Sighting]) -> Result<Self, Failure> {
        let images = sightings.iter().map(|row| text(row.key.image.written())).collect();
        let digests = sightings.iter().filter_map(|row| Some(text(row.key.digest.as_ref()?.as_str()))).collect();
        let namespaces = sightings.iter().map(|row| text(&row.key.namespace)).collect();
        // Sent together, so that they wait for the server once.
        let (images, digests, namespaces) = futures::try_join!(
            ids(client, "image", "reference", images),
            ids(client, "digest", "digest", digests),
            ids(client, "namespace", "name", namespaces),
        )?;
        Ok(Self { images, digests, namespaces })
    }

    fn get(&self, key: &SightingKey) -> Option<Ids> {
        let digest = match &key.digest {
            Some(digest) => *self.digests.get(&*text(digest.as_str()))?,
            None => 0,
        };
        let image = *self.images.get(&*text(key.image.written()))?;
        Some((digest, image, *self.namespaces.get(&*text(&key.namespace))?))
    }
}

async fn ids(
    client: &Client,
    table: &str,
    column: &str,
    texts: BTreeSet<Cow<'_, str>>,
) -> Result<HashMap<String, i32>, Failure> {
    let mut known = HashMap::with_capacity(texts.len());
    if texts.is_empty() {
        return Ok(known);
    }
    let select = format!("SELECT {column}, id FROM kai.{table} WHERE {column} = ANY($1)");
    // In the same order everywhere, so that no two clusters wait for each other.
    let insert = format!("INSERT INTO kai.{table} ({column}) SELECT unnest($1) ON CONFLICT DO NOTHING");
    let mut missing: Vec<&str> = texts.iter().map(|text| &**text).collect();
    for is_last in [false, true] {
        let rows = client.query_typed(&select, &[(&missing, Type::TEXT_ARRAY)]).await?;
        known.extend(rows.iter().map(|row| (row.get::<_, String>(0), row.get::<_, i32>(1))));
        missing.retain(|text| !known.contains_key(*text));
        if missing.is_empty() || is_last {
            break;
        }
        client.execute_typed(&insert, &[(&missing, Type::TEXT_ARRAY)]).await?;
    }
    Ok(known)
}

/// Merges rows with those that are there. Nobody else writes rows of this cluster. Gives how many are new.
async fn put(
    transaction: &Transaction<'_>,
    cluster: i32,
    sightings: &[Sighting],
    names: &Names,
) -> Result<u64, Failure> {
    let mut merged: BTreeMap<Ids, Sighting> = BTreeMap::new();
    for sighting in sightings {
        // What was added a moment ago is there, unless somebody emptied the tables.
        let ids = names.get(&sighting.key).ok_or(Failure::Replaced)?;
        match merged.get_mut(&ids) {
            Some(known) => known.merge(sighting),
            None => drop(merged.insert(ids, sighting.clone())),
        }
    }
    let keys: Vec<Vec<i32>> = columns(merged.keys());
    let sql = format!(
        "SELECT sighting.digest, sighting.image, sighting.namespace, {VALUES} FROM unnest($2, $3, $4) AS wanted (digest, image, namespace) \
         JOIN kai.sighting ON sighting.cluster = $1 AND sighting.digest = wanted.digest AND sighting.image = wanted.image \
         AND sighting.namespace = wanted.namespace"
    );
    let rows = transaction
        .query_typed(
            &sql,
            &[
                (&cluster, Type::INT4),
                (&keys[0], Type::INT4_ARRAY),
                (&keys[1], Type::INT4_ARRAY),
                (&keys[2], Type::INT4_ARRAY),
            ],
        )
        .await?;
    let added = merged.len() - rows.len();
    for row in &rows {
        let ids = (row.get(0), row.get(1), row.get(2));
        let Some(later) = merged.remove(&ids) else { continue };
        let before = values(row, 3, later.key.clone())?;
        let mut known = before.clone();
        known.merge(&later);
        if known != before {
            merged.insert(ids, known);
        }
    }
    upsert(transaction, cluster, &merged).await?;
    Ok(added as u64)
}

async fn upsert(transaction: &Transaction<'_>, cluster: i32, rows: &BTreeMap<Ids, Sighting>) -> Result<(), Failure> {
    if rows.is_empty() {
        return Ok(());
    }
    let keys: Vec<Vec<i32>> = columns(rows.keys());
    let all = || rows.values();
    let first: Vec<Timestamp> = all().map(|row| in_range(row.first.at)).collect();
    let is_exact: Vec<bool> = all().map(|row| row.first.is_exact).collect();
    let last: Vec<Option<Timestamp>> = all().map(|row| row.last.map(in_range)).collect();
    let started: Vec<Option<i64>> = all().map(|row| row.started_at).collect();
    let workloads: Vec<String> = all().map(|row| text(&row.workloads.names.join("\n")).into_owned()).collect();
    let dropped: Vec<i64> = all().map(|row| i64::try_from(row.workloads.dropped).unwrap_or(i64::MAX)).collect();
    let parameters: [(&(dyn ToSql + Sync), Type); 10] = [
        (&cluster, Type::INT4),
        (&keys[0], Type::INT4_ARRAY),
        (&keys[1], Type::INT4_ARRAY),
        (&keys[2], Type::INT4_ARRAY),
        (&first, Type::TIMESTAMPTZ_ARRAY),
        (&is_exact, Type::BOOL_ARRAY),
        (&last, Type::TIMESTAMPTZ_ARRAY),
        (&started, Type::INT8_ARRAY),
        (&workloads, Type::TEXT_ARRAY),
        (&dropped, Type::INT8_ARRAY),
    ];
    transaction
        .execute_typed(
            "INSERT INTO kai.sighting (cluster, digest, image, namespace, first_seen, first_is_exact, last_seen, started_at, workloads, \
             workloads_dropped) \
             SELECT $1, digest, image, namespace, first_seen, first_is_exact, last_seen, started_at, string_to_array(workloads, E'\\n'), \
             dropped FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10) \
             AS row (digest, image, namespace, first_seen, first_is_exact, last_seen, started_at, workloads, dropped) \
             ON CONFLICT (cluster, digest, image, namespace) DO UPDATE SET first_seen = excluded.first_seen, \
             first_is_exact = excluded.first_is_exact, last_seen = excluded.last_seen, started_at = excluded.started_at, \
             workloads = excluded.workloads, workloads_dropped = excluded.workloads_dropped",
            &parameters,
        )
        .await?;
    Ok(())
}

async fn put_periods(transaction: &Transaction<'_>, cluster: i32, periods: &[Period]) -> Result<(), Failure> {
    // Of those with one start the last counts.
    let periods: BTreeMap<Timestamp, &Period> = periods.iter().map(|period| (in_range(period.start), period)).collect();
    let start: Vec<Timestamp> = periods.keys().copied().collect();
    let until: Vec<Timestamp> = periods.values().map(|period| in_range(period.end)).collect();
    let missing: Vec<String> = periods.values().map(|period| text(&period.missing.join("\n")).into_owned()).collect();
    let ended: Vec<Option<Cow<'_, str>>> = periods.values().map(|period| period.ended.as_deref().map(text)).collect();
    transaction
        .execute_typed(
            "INSERT INTO kai.period (cluster, start, until, missing, ended) \
             SELECT $1, start, until, string_to_array(missing, E'\\n'), ended FROM unnest($2, $3, $4, $5) AS row (start, until, missing, ended) \
             ON CONFLICT (cluster, start) DO UPDATE SET until = excluded.until, missing = excluded.missing, ended = excluded.ended",
            &[
                (&cluster, Type::INT4),
                (&start, Type::TIMESTAMPTZ_ARRAY),
                (&until, Type::TIMESTAMPTZ_ARRAY),
                (&missing, Type::TEXT_ARRAY),
                (&ended, Type::TEXT_ARRAY),
            ],
        )
        .await?;
    Ok(())
}

/// Drops what is too old or too much. What repeats stays: other clusters may have it, and a role may not see their rows.
pub(super) async fn prune(
    client: &mut Client,
    claim: &mut Claim,
    limits: Limits,
    now: Timestamp,
) -> Result<Vec<SightingKey>, Failure> {
    let oldest = in_range(oldest_kept(limits, now));
    let transaction = client.transaction().await?;
    let cluster = (&claim.id as &(dyn ToSql + Sync), Type::INT4);
    let by_age = delete("sighting.last_seen < $2");
    let old = transaction.query_typed(&by_age, &[cluster.clone(), (&oldest, Type::TIMESTAMPTZ)]).await?;
    let left = claim.rows.saturating_sub(old.len() as u64);
    let too_many = i64::try_from(left.saturating_sub(limits.max_rows)).unwrap_or(i64::MAX);
    let mut dropped = claim.dropped;
    let mut more = Vec::new();
    if too_many > 0 {
        let by_count = delete(
            "(sighting.digest, sighting.image, sighting.namespace) IN (SELECT digest, image, namespace FROM kai.sighting \
             WHERE cluster = $1 ORDER BY last_seen NULLS LAST, first_seen LIMIT $2)",
        );
        more = transaction.query_typed(&by_count, &[cluster.clone(), (&too_many, Type::INT8)]).await?;
        let last = |row: &Row| row.get::<_, Option<Timestamp>>(3).map_or(now, |last| last.min(now));
        dropped.rows += more.len() as u64;
        dropped.until = dropped.until.max(more.iter().map(last).max());
        note_dropped(&transaction, claim.id, dropped).await?;
    }
    let periods = "DELETE FROM kai.period WHERE cluster = $1 AND until < $2";
    transaction.execute_typed(periods, &[cluster, (&oldest, Type::TIMESTAMPTZ)]).await?;
    transaction.commit().await?;
    claim.dropped = dropped;
    claim.rows = left.saturating_sub(more.len() as u64);
    let mut keys = Keys::default();
    Ok(old.iter().chain(&more).map(|row| keys.read(row, 0)).collect::<Result<_, _>>()?)
}

/// Writes how many rows of the cluster had to go in all, and when the newest of them was last seen.
pub(super) async fn note_dropped(client: &impl GenericClient, cluster: i32, dropped: Dropped) -> Result<(), Failure> {
    let rows = i64::try_from(dropped.rows).unwrap_or(i64::MAX);
    let until = dropped.until.map(in_range);
    let counts: [(&(dyn ToSql + Sync), Type); 3] =
        [(&cluster, Type::INT4), (&rows, Type::INT8), (&until, Type::TIMESTAMPTZ)];
    let sql = "UPDATE kai.cluster SET dropped_rows = $2, dropped_until = $3 WHERE id = $1";
    client.execute_typed(sql, &counts).await?;
    Ok(())
}

fn delete(which: &str) -> String {
    format!(
        "DELETE FROM kai.sighting USING kai.image, kai.digest, kai.namespace WHERE sighting.cluster = $1 AND image.id = sighting.image \
         AND digest.id = sighting.digest AND namespace.id = sighting.namespace AND {which} RETURNING {KEY}, sighting.last_seen"
    )
}

fn columns<'a>(keys: impl Iterator<Item = &'a Ids> + Clone) -> Vec<Vec<i32>> {
    vec![
        keys.clone().map(|ids| ids.0).collect(),
        keys.clone().map(|ids| ids.1).collect(),
        keys.map(|ids| ids.2).collect(),
    ]
}

/// The text as PostgreSQL takes it: without NUL, and no longer than an index takes.
fn text(text: &str) -> Cow<'_, str> {
    let text = if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) };
    if text.len() <= TEXT_MAX {
        return text;
    }
    // The rest still tells it from others that begin so.
    let end = text.floor_char_boundary(TEXT_MAX);
    Cow::Owned(format!("{}…{}", &text[..end], ContentHash::of(&text)))
}
