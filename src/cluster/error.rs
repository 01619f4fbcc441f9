//! Why the cluster could not be read: each message names the address and the setting, the reason, and what to try.

pub(crate) use super::connection::Endpoint;
use super::connection::{ConnectError, KubeconfigError};
use crate::remote::CallError;

/// The cluster could not be read. Causes are part of the message; there is no source to print after it.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// The description of the connection cannot be used.
    #[error("{0}")]
    Kubeconfig(KubeconfigError),
    /// The credential plugin of the kubeconfig gave nothing.
    #[error("credential plugin {command} of {setting} {problem}")]
    Plugin {
        command: String,
        setting: String,
        /// What went wrong, and what to do.
        problem: String,
    },
    /// Credentials that are fetched anew for each request could not be.
    #[error("{setting} cannot be fetched: {reason}; log in again with the tool that made the kubeconfig")]
    Credentials { setting: String, reason: String },
    #[error("{0}")]
    Call(CallError),
    /// 401.
    #[error("the API server {endpoint} does not accept the credentials (401{words}); {advice}")]
    Unauthorized {
        endpoint: Box<Endpoint>,
        /// `: Unauthorized`, in the server's words.
        words: String,
        advice: String,
    },
    /// 403 to everything that was asked for.
    #[error("nothing can be read from the API server {endpoint}: {reason}; {advice}")]
    NothingReadable {
        endpoint: Box<Endpoint>,
        /// The missing right: verb, resource, scope, and the server's words.
        reason: String,
        /// Which right to give to whom.
        advice: &'static str,
    },
    /// `collection.method` is `watch`.
    #[error(
        "{0}; give that right, include fewer namespaces, leave the list empty to watch the whole cluster, or set \
         collection.method to auto"
    )]
    TooManyToWatch(String),
    /// The server answered that it cannot now (429, 5xx), each time it was asked.
    #[error("the API server {endpoint} answers {status} to GET {path}{words}, {tries} times; try again later")]
    Busy {
        endpoint: Box<Endpoint>,
        path: String,
        status: u16,
        /// `: etcdserver: leader changed`, in the server's words.
        words: String,
        /// How often it was asked.
        tries: usize,
    },
    /// Something answers, and it is no Kubernetes API server.
    #[error("{endpoint} is not a Kubernetes API server: GET {path} is answered with {what}; check {setting}")]
    NotKubernetes {
        endpoint: Box<Endpoint>,
        path: String,
        /// An HTML page, a redirect, a bare 404.
        what: String,
        /// Where the address is set.
        setting: String,
    },
    /// Any other answer that is no list.
    #[error("the API server {endpoint} answers {status} to GET {path}{words}; {advice}")]
    Rejected {
        endpoint: Box<Endpoint>,
        path: String,
        status: u16,
        /// `: …`, in the words of whoever answered.
        words: String,
        advice: String,
    },
    /// The answer is a list that cannot be read.
    #[error("the answer of the API server {endpoint} to GET {path} cannot be read: {problem}")]
    Malformed {
        endpoint: Box<Endpoint>,
        path: String,
        /// Where it stops making sense.
        problem: String,
    },
    /// The pages of a list expired (410) however often it was begun again.
    #[error(
        "the list {path} of the API server {endpoint} expired (410) {restarts} times before it was read to its end; \
         raise kubernetes.request-batch-size, or look at how often etcd is compacted"
    )]
    Expired {
        endpoint: Box<Endpoint>,
        path: String,
        /// How often it was begun again.
        restarts: usize,
    },
    /// A defect of kai or of a library.
    #[error("reading the cluster failed by a defect of kai ({0}); report it with this message")]
    Panicked(String),
    /// Nobody takes the events any more.
    #[error("the list was given up: nobody reads its results any more")]
    Abandoned,
}

impl From<CallError> for ClusterError {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl From<ConnectError> for ClusterError {
    fn from(error: ConnectError) -> Self {
        match error {
            ConnectError::Description(error) => Self::Kubeconfig(error),
            ConnectError::Plugin { command, setting, problem } => Self::Plugin { command, setting, problem },
        }
    }
}

impl From<KubeconfigError> for ClusterError {
    fn from(error: KubeconfigError) -> Self {
        Self::Kubeconfig(error)
    }
}

impl ClusterError {
    /// Whether the user described the connection wrongly, so that trying again is of no use.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        matches!(self, Self::Kubeconfig(_) | Self::TooManyToWatch(_))
    }

    /// A word for what went wrong, of a fixed set, to count by.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Kubeconfig(_) | Self::TooManyToWatch(_) => "configuration",
            Self::Plugin { .. } | Self::Credentials { .. } => "credentials",
            Self::Call(error) => error.kind(),
            Self::Unauthorized { .. } => "unauthorized",
            Self::NothingReadable { .. } => "forbidden",
            Self::Busy { .. } => "busy",
            Self::NotKubernetes { .. } => "not_kubernetes",
            Self::Rejected { .. } => "rejected",
            Self::Malformed { .. } => "malformed",
            Self::Expired { .. } => "expired",
            Self::Panicked(_) => "panic",
            Self::Abandoned => "abandoned",
        }
    }

    /// Whether the credentials were not accepted: connecting again reads them anew.
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        matches!(self, Self::Unauthorized { .. })
    }
}
