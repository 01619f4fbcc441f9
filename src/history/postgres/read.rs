//! Rows out of the database.

use std::sync::Arc;

use futures::TryStreamExt as _;
use jiff::Timestamp;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::error::Failure;
use crate::history::store::{ClusterSeen, Query, RowCounts};
use crate::inventory::{Digest, ImageRef};
use crate::snapshot::{FirstSeen, Period, Sighting, SightingKey, Workloads};

/// The columns of the key, in the order of [`Keys::read`].
pub(super) const KEY: &str = "image.reference, digest.digest, namespace.name";
/// The columns behind it, in the order of [`values`].
pub(super) const VALUES: &str = "sighting.first_seen, sighting.first_is_exact, sighting.last_seen, sighting.started_at, sighting.workloads, \
     sighting.workloads_dropped";
const SOURCE: &str = "kai.sighting JOIN kai.image ON image.id = sighting.image JOIN kai.digest ON digest.id = sighting.digest \
    JOIN kai.namespace ON namespace.id = sighting.namespace JOIN kai.cluster ON cluster.id = sighting.cluster";
const WINDOW: &str = "($1 IS NULL OR sighting.last_seen IS NULL OR sighting.last_seen >= $1) AND ($2 IS NULL OR sighting.first_seen <= $2)";

/// Gives rows of one cluster, or of those with the uids (none: of all), each with the uid.
pub(super) async fn rows(
    client: &Client,
    cluster: Option<i32>,
    uids: &[String],
    query: &Query,
    take: &mut dyn FnMut(&Arc<str>, Sighting),
) -> Result<(), Failure> {
    let (since, until) = (query.since.map(in_range), query.until.map(in_range));
    let which = if cluster.is_some() {
        "sighting.cluster = $3"
    } else if uids.is_empty() {
        "$3 IS NULL"
    } else {
        "$3 IS NULL AND cluster.uid = ANY($4)"
    };
    let sql = format!("SELECT cluster.uid, {KEY}, {VALUES} FROM {SOURCE} WHERE {WINDOW} AND {which}");
    let with = |more: &str| format!("{sql} AND {more}");
    let base: [(&(dyn ToSql + Sync), Type); 4] =
        [(&since, Type::TIMESTAMPTZ), (&until, Type::TIMESTAMPTZ), (&cluster, Type::INT4), (&uids, Type::TEXT_ARRAY)];
    let mut reading = Reading { query, keys: Keys::default(), uid: None, take };
    if !query.digests.is_empty() {
        for digest in &query.digests {
            let parameters = base.iter().cloned().chain([(digest as _, Type::TEXT)]);
            // Digits and small letters alone: `g` stands behind all that begin so. A beginning is some digests of many, which the planner
            // cannot know of a join.
            let of_digest = "sighting.digest IN (SELECT id FROM kai.digest WHERE digest >= $5 AND digest < $5 || 'g')";
            reading.all(client, &with(of_digest), parameters).await?;
        }
        return Ok(());
    }
    if let (Some(wants), None) = (&query.image, cluster) {
        // Rows of a fleet are many, and references few.
        let images = images(client, wants).await?;
        let parameters = base.iter().cloned().chain([(&images as _, Type::INT4_ARRAY)]);
        return reading.all(client, &with("sighting.image = ANY($5)"), parameters).await;
    }
    reading.all(client, &sql, base.iter().cloned()).await
}

/// The ids of references that are asked for.
async fn images(client: &Client, wants: &(dyn Fn(&ImageRef) -> bool + Send)) -> Result<Vec<i32>, Failure> {
    let rows =
        client.query_typed_raw("SELECT id, reference FROM kai.image", std::iter::empty::<(&str, Type)>()).await?;
    let mut rows = std::pin::pin!(rows);
    let mut ids = Vec::new();
    while let Some(row) = rows.try_next().await? {
        if wants(&ImageRef::parse(row.get(1))) {
            ids.push(row.get(0));
        }
    }
    Ok(ids)
}

struct Reading<'a> {
    query: &'a Query,
    keys: Keys,
    uid: Option<Arc<str>>,
    take: &'a mut dyn FnMut(&Arc<str>, Sighting),
}

impl Reading<'_> {
    async fn all<'p>(
        &mut self,
        client: &Client,
        sql: &str,
        parameters: impl Iterator<Item = (&'p (dyn ToSql + Sync), Type)>,
    ) -> Result<(), Failure> {
        let parameters: Vec<_> = parameters.collect();
        let rows = client.query_typed_raw(sql, parameters).await?;
        let mut rows = std::pin::pin!(rows);
        while let Some(row) = rows.try_next().await? {
            let key = self.keys.read(&row, 1)?;
            if self.query.image.as_ref().is_none_or(|wants| wants(&key.image)) {
                let uid = shared(&mut self.uid, row.try_get(0)?);
                (self.take)(&uid, values(&row, 4, key)?);
            }
        }
        Ok(())
    }
}

/// Reads keys; rows of one reference and namespace often follow each other, and share it.
#[derive(Default)]
pub(super) struct Keys {
    image: Option<Arc<ImageRef>>,
    namespace: Option<Arc<str>>,
}

impl Keys {
    pub(super) fn read(&mut self, row: &Row, column: usize) -> Result<SightingKey, tokio_postgres::Error> {
        let text: &str = row.try_get(column)?;
        let image = match &self.image {
            Some(image) if image.written() == text => Arc::clone(image),
            _ => Arc::clone(self.image.insert(Arc::new(ImageRef::parse(text)))),
        };
        let digest = Digest::parse(row.try_get(column + 1)?);
        let namespace = shared(&mut self.namespace, row.try_get(column + 2)?);
        Ok(SightingKey { namespace, image, digest })
    }
}

fn shared(last: &mut Option<Arc<str>>, text: &str) -> Arc<str> {
    match last {
        Some(known) if **known == *text => Arc::clone(known),
        _ => Arc::clone(last.insert(text.into())),
    }
}

/// The values behind the key, from a column on.
pub(super) fn values(row: &Row, column: usize, key: SightingKey) -> Result<Sighting, tokio_postgres::Error> {
    let workloads: Vec<&str> = row.try_get(column + 4)?;
    let dropped: i64 = row.try_get(column + 5)?;
    Ok(Sighting {
        key,
        first: FirstSeen { at: row.try_get(column)?, is_exact: row.try_get(column + 1)? },
        last: row.try_get(column + 2)?,
        started_at: row.try_get(column + 3)?,
        workloads: Workloads { names: workloads.into_iter().map(Box::from).collect(), dropped: dropped.unsigned_abs() },
    })
}

pub(super) async fn periods(client: &Client, cluster: i32) -> Result<Vec<Period>, Failure> {
    let sql = "SELECT start, until, missing, ended FROM kai.period WHERE cluster = $1 ORDER BY start";
    client.query_typed(sql, &[(&cluster, Type::INT4)]).await?.iter().map(period).collect()
}

/// Those of the cluster with that uid.
pub(super) async fn periods_of(client: &Client, uid: &str) -> Result<Vec<Period>, Failure> {
    let sql = "SELECT start, until, missing, ended FROM kai.period WHERE cluster = (SELECT id FROM kai.cluster WHERE uid = $1) ORDER BY start";
    client.query_typed(sql, &[(&uid, Type::TEXT)]).await?.iter().map(period).collect()
}

fn period(row: &Row) -> Result<Period, Failure> {
    let missing: Vec<&str> = row.try_get(2)?;
    let ended: Option<&str> = row.try_get(3)?;
    let missing = missing.into_iter().map(Box::from).collect();
    Ok(Period { start: row.try_get(0)?, end: row.try_get(1)?, missing, ended: ended.map(Box::from) })
}

pub(super) async fn clusters(client: &Client, are_counted: bool) -> Result<Vec<ClusterSeen>, Failure> {
    let counted = "SELECT uid, name, cluster.last_seen, count(sighting.cluster), \
                       count(sighting.cluster) FILTER (WHERE sighting.last_seen IS NULL) \
                   FROM kai.cluster LEFT JOIN kai.sighting ON sighting.cluster = cluster.id GROUP BY cluster.id ORDER BY name, uid";
    let named = "SELECT uid, name, last_seen FROM kai.cluster ORDER BY name, uid";
    let rows = client.query_typed(if are_counted { counted } else { named }, &[]).await?;
    let counts = |row: &Row| -> Result<RowCounts, Failure> {
        let (all, running): (i64, i64) = (row.try_get(3)?, row.try_get(4)?);
        Ok(RowCounts { all: all.unsigned_abs(), running: running.unsigned_abs() })
    };
    let cluster = |row: &Row| {
        Ok(ClusterSeen {
            uid: row.try_get::<_, &str>(0)?.into(),
            name: row.try_get::<_, &str>(1)?.into(),
            last_seen: row.try_get(2)?,
            rows: are_counted.then(|| counts(row)).transpose()?,
        })
    };
    rows.iter().map(cluster).collect()
}

/// PostgreSQL knows fewer years than the clock; nothing was seen before 1970.
pub(super) fn in_range(time: Timestamp) -> Timestamp {
    time.max(Timestamp::UNIX_EPOCH)
}
