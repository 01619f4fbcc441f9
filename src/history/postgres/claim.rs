//! The rows of this cluster: one kai has them at a time, and finds out when somebody else had them meanwhile, or when they are gone.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::error::Failure;
use crate::history::error::PostgresError;
use crate::history::store::Dropped;

/// A server needs a moment to see that a connection of this process has ended.
const SECOND_TRY: Duration = Duration::from_millis(300);

/// What is known of the cluster's rows.
pub(super) struct Claim {
    pub(super) uid: String,
    pub(super) name: Arc<str>,
    /// That of the row in `kai.cluster`; 0 before the first connection.
    pub(super) id: i32,
    /// Names this process, for as long as it runs.
    pub(super) holder: String,
    /// How often it has written.
    pub(super) writes: i64,
    pub(super) rows: u64,
    pub(super) dropped: Dropped,
    /// What this process has written is perhaps gone.
    pub(super) has_lost: bool,
}

impl Claim {
    pub(super) fn new(uid: &str) -> Self {
        Self {
            uid: uid.to_owned(),
            name: Arc::default(),
            id: 0,
            holder: uuid::Uuid::new_v4().to_string(),
            writes: 0,
            rows: 0,
            dropped: Dropped::default(),
            has_lost: false,
        }
    }

    pub(super) fn id(claim: Option<&mut Self>) -> Result<i32, PostgresError> {
        claim.map(|claim| claim.id).ok_or(PostgresError::Reader)
    }

    /// Takes the cluster's lock, which the server frees with the connection, and looks at what is there.
    pub(super) async fn take(&mut self, client: &mut Client, server: &str) -> Result<(), Failure> {
        if !self.lock(client).await? {
            tokio::time::sleep(SECOND_TRY).await;
            if !self.lock(client).await? {
                return Err(PostgresError::InUse { server: server.to_owned(), cluster: self.uid.clone() }.into());
            }
        }
        let transaction = client.transaction().await?;
        let of_uid = [(&self.uid as _, Type::TEXT), (&&*self.name as _, Type::TEXT), (&self.holder as _, Type::TEXT)];
        transaction
            .execute_typed(
                "INSERT INTO kai.cluster (uid, name, last_seen, holder, writes, dropped_rows) VALUES ($1, $2, now(), $3, 0, 0) \
                 ON CONFLICT (uid) DO NOTHING",
                &of_uid,
            )
            .await?;
        let row = transaction
            .query_typed_one(
                "SELECT id, holder, writes, dropped_rows, dropped_until FROM kai.cluster WHERE uid = $1",
                &[(&self.uid, Type::TEXT)],
            )
            .await?;
        let (id, holder, writes): (i32, String, i64) = (row.get(0), row.get(1), row.get(2));
        // Whether the last commit counted is not known where the connection broke during it.
        let goes_on = holder == self.holder && (writes == self.writes || writes == self.writes + 1);
        let is_first = self.id == 0;
        if is_first || !goes_on {
            transaction
                .execute_typed(
                    "UPDATE kai.sighting SET last_seen = greatest(first_seen, (SELECT max(until) FROM kai.period WHERE cluster = $1)) \
                     WHERE cluster = $1 AND last_seen IS NULL",
                    &[(&id, Type::INT4)],
                )
                .await?;
            transaction
                .execute_typed(
                    "UPDATE kai.cluster SET holder = $2 WHERE id = $1",
                    &[(&id, Type::INT4), (&self.holder, Type::TEXT)],
                )
                .await?;
        }
        let rows = transaction
            .query_typed_one("SELECT count(*) FROM kai.sighting WHERE cluster = $1", &[(&id, Type::INT4)])
            .await?;
        transaction.commit().await?;
        self.has_lost |= !is_first && !goes_on;
        (self.id, self.writes) = (id, writes);
        self.rows = rows.get::<_, i64>(0).unsigned_abs();
        let until: Option<Timestamp> = row.get(4);
        self.dropped = Dropped { rows: row.get::<_, i64>(3).unsigned_abs(), until };
        Ok(())
    }

    async fn lock(&self, client: &Client) -> Result<bool, Failure> {
        let sql = "SELECT pg_try_advisory_lock(hashtextextended('kai ' || $1, 0))";
        Ok(client.query_typed_one(sql, &[(&self.uid, Type::TEXT)]).await?.get(0))
    }
}
