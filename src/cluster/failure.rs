//! Why one request to the API server gave nothing.

use http::StatusCode;

use super::rejection::{Rejection, Source};
use crate::inventory::excerpt;
use crate::remote::{Transport, causes};

/// Why one request gave nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// No answer, or it broke off.
    Transport(Transport),
    /// Credentials could not be fetched.
    Credentials(String),
    /// No whole answer in time.
    Timeout,
    /// Another status than 200.
    Rejected(Rejection),
    /// 200, and nothing that Kubernetes would send.
    NotKubernetes(String),
    /// 200, and the body cannot be read.
    Malformed(String),
}

/// A failure that was not, or no longer, worth another try.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) failure: Failure,
    pub(super) tries: usize,
}

impl Failure {
    pub(super) fn of(error: &kube::Error) -> Self {
        let auth = causes(error).find_map(|cause| cause.downcast_ref::<kube::client::AuthError>());
        match auth {
            Some(auth) => Self::Credentials(excerpt(&auth.to_string()).to_string()),
            None => Self::Transport(Transport::of(error)),
        }
    }

    /// The status of the answer, when there was one.
    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Self::Rejected(rejection) => Some(rejection.status.as_u16()),
            Self::NotKubernetes(_) | Self::Malformed(_) => Some(StatusCode::OK.as_u16()),
            Self::Transport(_) | Self::Credentials(_) | Self::Timeout => None,
        }
    }
}

impl Failed {
    /// The status of an answer that came from Kubernetes itself, and its words.
    pub(super) fn kubernetes_words(&self) -> Option<(StatusCode, &str)> {
        match &self.failure {
            Failure::Rejected(Rejection { status, source: Source::Kubernetes(message), .. }) => {
                Some((*status, message))
            }
            _ => None,
        }
    }
}
