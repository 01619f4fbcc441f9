//! What goes wrong on the way to a database's answer, in the words of the log.

use std::error::Error as StdError;

use crate::history::error::PostgresError;
use crate::inventory::excerpt;

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
