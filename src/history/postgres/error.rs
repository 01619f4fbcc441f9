//! Why a database cannot be used: what is wrong and what to do. No message holds a password.

use std::error::Error as StdError;
use std::path::PathBuf;

use crate::inventory::excerpt;

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

/// What can go wrong on the way to a statement's answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The message is whole.
    Told(PostgresError),
    /// The server or the connection says so.
    Client(tokio_postgres::Error),
    /// Another kai has written for the cluster, or the database is another one.
    Replaced,
}

impl From<PostgresError> for Failure {
    fn from(error: PostgresError) -> Self {
        Self::Told(error)
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Client(error)
    }
}

impl Failure {
    pub(super) fn told(self, server: &str) -> PostgresError {
        let reason = match self {
            Self::Told(error) => return error,
            Self::Client(error) => reason(&error),
            Self::Replaced => {
                "the rows of this cluster are no longer there, or another kai has written them".to_owned()
            }
        };
        PostgresError::Unusable { server: server.to_owned(), reason }
    }
}

/// What the server says, else the innermost cause.
fn reason(error: &tokio_postgres::Error) -> String {
    if let Some(said) = error.as_db_error() {
        return format!("{} ({})", excerpt(said.message()), said.code().code());
    }
    let mut cause: &dyn StdError = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    excerpt(&cause.to_string()).to_string()
}
