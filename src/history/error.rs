//! Why a store cannot be used: what is wrong and what to do. No message holds a password.

use std::path::PathBuf;

use crate::inventory::excerpt;

/// Why a store cannot be used. Written for the log: what is wrong and what to do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("history.path: {} cannot be opened: {reason}", path.display())]
    Open { path: PathBuf, reason: String },
    /// Another process has it.
    #[error("history.path: {} is in use by another process; give each kai a file of its own", path.display())]
    InUse { path: PathBuf },
    /// It is no history, or one of a newer kai.
    #[error("history.path: {} is no history that this kai can read: {reason}", path.display())]
    Broken { path: PathBuf, reason: String },
    #[error("the history could not be written or read: {0}")]
    Io(String),
    /// Its file breaks while it is in use.
    #[error("the history could not be written or read: {0}")]
    Damaged(String),
    /// What is written goes where nobody finds it.
    #[error("history.path: {} was removed or replaced under kai; what is there now is opened, or a new file begun", path.display())]
    Moved { path: PathBuf },
    #[error(transparent)]
    Postgres(#[from] PostgresError),
    /// It has the rows of one cluster.
    #[error(
        "this kai knows the history of its own cluster alone; set history.postgres.url for one that clusters share"
    )]
    Alone,
}

impl StoreError {
    /// The store that was opened is of no use any more, and must be opened anew.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self, Self::Damaged(_) | Self::Moved { .. })
    }
}

/// Why a database cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PostgresError {
    #[error("history.postgres: {server} cannot be used: {reason}")]
    Unusable { server: String, reason: String },
    #[error("history.postgres: {server} did not answer within {seconds} s")]
    Late { server: String, seconds: u64 },
    /// Another process has the lock of the cluster.
    #[error(
        "history.postgres: another kai writes the history of this cluster ({cluster}) to {server}; one kai writes for a cluster, and this \
         one goes on when that one ends"
    )]
    InUse { server: String, cluster: String },
    #[error(
        "history.postgres: {server} has tables of version {version}, and this kai knows up to {known}; start the newer kai, or use \
         another database"
    )]
    Newer { server: String, version: i32, known: usize },
    #[error("history.postgres: {server} is a database in {encoding}; make one in UTF8")]
    Encoding { server: String, encoding: String },
    #[error("history.postgres.{key} {} cannot be used: {reason}", excerpt(&path.to_string_lossy()))]
    File { key: &'static str, path: PathBuf, reason: String },
    #[error(
        "history.postgres: the authorities of this system cannot be read ({0}); name one in history.postgres.ca-file"
    )]
    Authorities(String),
    /// Nobody has said yet which cluster is read.
    #[error(
        "history.postgres: the uid of the namespace kube-system is not read yet, which tells this cluster from others; a saved dump needs \
         history.postgres.cluster-id"
    )]
    NoCluster,
    #[error(
        "history.postgres: the uid of the namespace kube-system, which tells this cluster from others, cannot be read: {0}; allow kai to get \
         it, or set history.postgres.cluster-id"
    )]
    UnreadableCluster(String),
    /// It was opened to read the histories of others.
    #[error("history.postgres: it was opened for no cluster, and only read")]
    Reader,
}
