//! The tables of the database. A step is never changed once it is released: a new one is added behind it.

use tokio_postgres::Client;
use tokio_postgres::types::Type;

use super::error::Failure;
use crate::history::error::PostgresError;

/// Each step leads from its place in the list to the next: `kai.version` counts those that were taken.
pub(super) const STEPS: &[&str] = &[include_str!("steps/1.sql")];

/// One kai changes the tables at a time: the letters `kai`.
const MIGRATION_LOCK: i64 = 0x6b_6169;

/// Makes the tables or brings them up to date. A role that may not do that only needs to where they are not what this kai knows.
pub(super) async fn migrate(client: &mut Client, server: &str) -> Result<(), Failure> {
    if check(version(client).await?, server)? == 0 {
        return Ok(());
    }
    // Before the transaction: one that waits in itself does not see what another made meanwhile.
    client.execute_typed("SELECT pg_advisory_lock($1)", &[(&MIGRATION_LOCK, Type::INT8)]).await?;
    let transaction = client.transaction().await?;
    if !has_version(transaction.client()).await? {
        let encoding = transaction.query_typed_one("SELECT current_setting('server_encoding')", &[]).await?;
        let encoding: String = encoding.get(0);
        if encoding != "UTF8" {
            return Err(PostgresError::Encoding { server: server.to_owned(), encoding }.into());
        }
        transaction.batch_execute(include_str!("steps/0.sql")).await?;
    }
    // Another kai may have done it meanwhile.
    let missing = check(version(transaction.client()).await?, server)?;
    for step in &STEPS[STEPS.len() - missing..] {
        transaction.batch_execute(step).await?;
    }
    let version = i32::try_from(STEPS.len()).unwrap_or(i32::MAX);
    transaction.execute_typed("UPDATE kai.version SET version = $1", &[(&version, Type::INT4)]).await?;
    transaction.commit().await?;
    client.execute_typed("SELECT pg_advisory_unlock($1)", &[(&MIGRATION_LOCK, Type::INT8)]).await?;
    Ok(())
}

async fn has_version(client: &Client) -> Result<bool, Failure> {
    Ok(client.query_typed_one("SELECT to_regclass('kai.version') IS NOT NULL", &[]).await?.get(0))
}

/// 0 where there are no tables.
async fn version(client: &Client) -> Result<i32, Failure> {
    if !has_version(client).await? {
        return Ok(0);
    }
    Ok(client.query_typed_one("SELECT version FROM kai.version", &[]).await?.get(0))
}

/// How many steps are missing.
fn check(version: i32, server: &str) -> Result<usize, PostgresError> {
    let taken = usize::try_from(version).ok();
    taken.and_then(|taken| STEPS.len().checked_sub(taken)).ok_or_else(|| PostgresError::Newer {
        server: server.to_owned(),
        version,
        known: STEPS.len(),
    })
}
