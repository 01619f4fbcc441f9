//! A history in PostgreSQL: one for a fleet. Every row has its cluster, and one kai writes for a cluster at a time.
//!
//! | file | what it knows |
//! |---|---|
//! | `connect`, `error` | the way to the server; why it cannot be used |
//! | `schema` | tables and their versions |
//! | `claim` | which rows are this cluster's, and who else had them |
//! | `write`, `read` | rows in, rows out |
//!
//! The thread of the history owns the runtime: what waits for the server is that thread alone.

mod claim;
mod connect;
mod error;
#[cfg(test)]
mod outages;
mod read;
#[cfg(test)]
mod roles;
mod schema;
#[cfg(test)]
pub(crate) mod server;
#[cfg(test)]
mod tests;
mod write;

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::runtime::Runtime;
use tokio_postgres::Client;

use self::claim::Claim;
use self::connect::Link;
use self::error::Failure;
use super::error::{PostgresError, StoreError};
use super::store::{Batch, ClusterSeen, Dropped, Limits, Query, Store};
use crate::config::PostgresSettings;
use crate::snapshot::{FirstSeen, Period, Sighting, SightingKey};

/// Of a new connection, with all that is looked at first.
const OPEN_TIMEOUT: Duration = Duration::from_secs(20);
/// Of one call. A server that needs longer is as good as gone.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Of the question whether it is still there.
const CHECK_TIMEOUT: Duration = Duration::from_secs(10);
/// Of reading all rows, once, and of what a long outage has left.
const LONG_TIMEOUT: Duration = Duration::from_mins(5);
/// Rows beyond which a write may take that long.
const MANY_ROWS: usize = 10_000;
/// Of everything when the process stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(3);

/// A database, connected when it is needed.
pub struct PostgresStore {
    link: Option<Link>,
    runtime: Runtime,
    settings: PostgresSettings,
    server: String,
    /// `None`: it is only read.
    claim: Option<Claim>,
    retry: Duration,
    /// Why it is away, and when it is tried again: until then nothing waits for it.
    away: Option<(Instant, PostgresError)>,
    /// Of whatever it is.
    limit: Duration,
}

impl PostgresStore {
    /// Connects for the cluster of that uid. A server that is away is tried again at most that often.
    pub fn open(settings: &PostgresSettings, cluster: &str, retry: Duration) -> Result<Self, StoreError> {
        Self::connected(settings, Some(Claim::new(cluster)), retry)
    }

    /// Connects to read what others keep there.
    pub fn reader(settings: &PostgresSettings, retry: Duration) -> Result<Self, StoreError> {
        Self::connected(settings, None, retry)
    }

    /// Only what others write is read.
    pub fn is_read_only(&self) -> bool {
        self.claim.is_none()
    }

    /// What the cluster is called from the next write on.
    pub fn set_name(&mut self, name: &Arc<str>) {
        if let Some(claim) = &mut self.claim {
            claim.name = Arc::clone(name);
        }
    }

    /// Waits for the server no longer than a stop may take.
    pub fn hurry(&mut self) {
        self.limit = STOP_TIMEOUT;
    }

    fn connected(settings: &PostgresSettings, claim: Option<Claim>, retry: Duration) -> Result<Self, StoreError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| StoreError::Io(error.to_string()))?;
        let server = connect::named(settings);
        let mut store = Self {
            link: None,
            runtime,
            settings: settings.clone(),
            server,
            claim,
            retry,
            away: None,
            limit: Duration::MAX,
        };
        store.connect()?;
        Ok(store)
    }

    fn connect(&mut self) -> Result<(), PostgresError> {
        if self.link.as_ref().is_some_and(|link| !link.client.is_closed()) {
            return Ok(());
        }
        self.drop_link();
        if let Some((until, error)) = &self.away
            && Instant::now() < *until
        {
            return Err(error.clone());
        }
        let limit = OPEN_TIMEOUT.min(self.limit);
        let Self { runtime, settings, server, claim, .. } = self;
        let open = async {
            let mut link = Link::open(settings).await?;
            schema::migrate(&mut link.client, server).await?;
            if let Some(claim) = claim {
                claim.take(&mut link.client, server).await?;
            }
            Ok(link)
        };
        let failed = match runtime.block_on(async { tokio::time::timeout(limit, open).await }) {
            Ok(Ok(link)) => {
                (self.link, self.away) = (Some(link), None);
                return Ok(());
            }
            Ok(Err(failure)) => Ok(failure),
            Err(_) => Err(limit),
        };
        let error = self.told(failed);
        self.away = Some((Instant::now() + self.retry, error.clone()));
        Err(error)
    }

    /// Does that with a connection. One on which something has failed is given up, so that nothing of it is left half done.
    fn run<R>(
        &mut self,
        limit: Duration,
        work: impl AsyncFnOnce(&mut Client, Option<&mut Claim>) -> Result<R, Failure>,
    ) -> Result<R, StoreError> {
        self.connect()?;
        let limit = limit.min(self.limit);
        let Self { runtime, link: Some(link), claim, .. } = self else { return Err(PostgresError::Reader.into()) };
        let work = work(&mut link.client, claim.as_mut());
        let error = match runtime.block_on(async { tokio::time::timeout(limit, work).await }) {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(failure)) => self.told(Ok(failure)),
            Err(_) => self.told(Err(limit)),
        };
        self.drop_link();
        Err(error.into())
    }

    fn told(&self, failure: Result<Failure, Duration>) -> PostgresError {
        match failure {
            Ok(failure) => failure.told(&self.server),
            Err(limit) => PostgresError::Late { server: self.server.clone(), seconds: limit.as_secs() },
        }
    }

    fn drop_link(&mut self) {
        if let Some(link) = self.link.take() {
            self.runtime.block_on(link.abort());
        }
    }
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        if let Some(link) = self.link.take() {
            self.runtime.block_on(link.close());
        }
    }
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresStore").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Store for PostgresStore {
    /// Those of the cluster; a new connection has closed what nobody closed.
    fn load(&mut self, row: &mut dyn FnMut(SightingKey, FirstSeen)) -> Result<Vec<Period>, StoreError> {
        self.run(LONG_TIMEOUT, async |client, claim| {
            let cluster = Claim::id(claim)?;
            read::rows(client, Some(cluster), &[], &Query::default(), &mut |_, row_read| {
                row(row_read.key, row_read.first);
            })
            .await?;
            read::periods(client, cluster).await
        })
    }

    fn write(&mut self, batch: &Batch<'_>) -> Result<(), StoreError> {
        let limit = if batch.sightings.len() > MANY_ROWS { LONG_TIMEOUT } else { TIMEOUT };
        self.run(limit, async |client, claim| write::write(client, claim.ok_or(PostgresError::Reader)?, batch).await)
    }

    fn prune(&mut self, limits: Limits, now: Timestamp) -> Result<Vec<SightingKey>, StoreError> {
        self.run(TIMEOUT, async |client, claim| {
            write::prune(client, claim.ok_or(PostgresError::Reader)?, limits, now).await
        })
    }

    fn read(&mut self, query: &Query, row: &mut dyn FnMut(Sighting)) -> Result<(), StoreError> {
        self.run(TIMEOUT, async |client, claim| {
            let cluster = Claim::id(claim)?;
            read::rows(client, Some(cluster), &[], query, &mut |_, sighting| row(sighting)).await
        })
    }

    fn periods(&mut self) -> Result<Vec<Period>, StoreError> {
        self.run(TIMEOUT, async |client, claim| read::periods(client, Claim::id(claim)?).await)
    }

    fn rows(&mut self) -> Result<u64, StoreError> {
        Ok(self.claim.as_ref().map_or(0, |claim| claim.rows))
    }

    fn bytes(&self) -> u64 {
        0
    }

    fn lose(&mut self, lost: Dropped) -> Result<(), StoreError> {
        self.run(TIMEOUT, async |client, claim| {
            let claim = claim.ok_or(PostgresError::Reader)?;
            let dropped = claim.dropped.and(lost);
            write::note_dropped(&*client, claim.id, dropped).await?;
            claim.dropped = dropped;
            Ok(())
        })
    }

    fn dropped(&mut self) -> Result<Dropped, StoreError> {
        Ok(self.claim.as_ref().map_or_else(Dropped::default, |claim| claim.dropped))
    }

    fn check(&mut self) -> Result<(), StoreError> {
        self.run(CHECK_TIMEOUT, async |client, _| Ok(client.check_connection().await?))
    }

    fn take_loss(&mut self) -> bool {
        self.claim.as_mut().is_some_and(|claim| std::mem::take(&mut claim.has_lost))
    }

    fn clusters(&mut self, are_counted: bool) -> Result<Vec<ClusterSeen>, StoreError> {
        self.run(TIMEOUT, async |client, _| read::clusters(client, are_counted).await)
    }

    fn periods_of(&mut self, cluster: &str) -> Result<Vec<Period>, StoreError> {
        self.run(TIMEOUT, async |client, _| read::periods_of(client, cluster).await)
    }

    fn read_fleet(
        &mut self,
        clusters: &[String],
        query: &Query,
        row: &mut dyn FnMut(&Arc<str>, Sighting),
    ) -> Result<(), StoreError> {
        self.run(TIMEOUT, async |client, _| read::rows(client, None, clusters, query, row).await)
    }
}
