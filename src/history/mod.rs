//! Since when: what was seen is kept, and read again after a restart.
//!
//! The index tells what came and went ([`Recorder`]), one thread writes it to a store and reads from it, and whoever answers
//! questions asks that thread ([`HistoryReader`]). Serving never waits for a store, and a store that fails loses nothing
//! before memory is full.

mod error;
#[cfg(test)]
mod faults;
mod keeper;
mod looking;
mod memory;
mod pending;
mod postgres;
mod reader;
mod recorder;
mod sqlite;
mod store;
#[cfg(test)]
mod tests;
mod transfer;
mod wanted;

pub use error::{PostgresError, StoreError};
pub use keeper::{History, HistoryClock};
pub use postgres::PostgresStore;
pub use reader::{HistoryReader, Kept, Unreadable};
pub use recorder::Recorder;
pub use sqlite::SqliteStore;
pub use store::{Batch, ClusterSeen, Dropped, ImageTest, Limits, Query, RowCounts, Store};
pub use transfer::{ExportError, ImportError, Moved, export, import};
#[cfg(test)]
pub(crate) use {postgres::server as postgres_server, tests::Kept as Keeping};
