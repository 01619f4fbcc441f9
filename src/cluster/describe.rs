//! What a failure means for whoever reads the message: the address, the setting, the reason, and what to do.

use std::time::Duration;

use super::connection::Endpoint;
use super::error::ClusterError;
use super::failure::{Failed, Failure};
use super::rejection::{Rejection, Source};

/// The error of a request for `path` that failed for good; `limit` was its deadline.
pub(super) fn describe(endpoint: &Endpoint, path: &str, limit: Duration, failed: Failed) -> ClusterError {
    let not_kubernetes = |what: String| ClusterError::NotKubernetes {
        endpoint: Box::new(endpoint.clone()),
        path: path.to_owned(),
        what,
        setting: endpoint.server_setting(),
    };
    match failed.failure {
        Failure::Transport(transport) => endpoint.server(path).no_answer(transport).into(),
        Failure::Timeout => endpoint.server(path).timeout(limit).into(),
        Failure::Credentials(reason) => ClusterError::Credentials { setting: endpoint.user_setting(), reason },
        Failure::Malformed(problem) => {
            ClusterError::Malformed { endpoint: Box::new(endpoint.clone()), path: path.to_owned(), problem }
        }
        Failure::NotKubernetes(what) => not_kubernetes(what),
        Failure::Rejected(rejection) => {
            let words = rejection.words();
            let (endpoint, path) = (Box::new(endpoint.clone()), path.to_owned());
            match (rejection.status.as_u16(), &rejection.source) {
                (status, _) if rejection.is_temporary() => {
                    ClusterError::Busy { endpoint, path, status, words, tries: failed.tries }
                }
                (401, _) => {
                    let advice = login_advice(&endpoint, &rejection);
                    ClusterError::Unauthorized { endpoint, words, advice }
                }
                (status @ 403, Source::Page(_) | Source::Text(_)) => {
                    let advice = format!(
                        "that is no answer of Kubernetes: a proxy, gateway or firewall in between refuses the request, so \
                         give it access, or check {}",
                        endpoint.way_setting()
                    );
                    ClusterError::Rejected { endpoint, path, status, words, advice }
                }
                (404, _) => not_kubernetes(format!("404{words}")),
                (status, Source::Page(_) | Source::Redirect(_)) => not_kubernetes(format!("{status}{words}")),
                (status, _) => {
                    let advice = format!("check {}", endpoint.server_setting());
                    ClusterError::Rejected { endpoint, path, status, words, advice }
                }
            }
        }
    }
}

fn login_advice(endpoint: &Endpoint, rejection: &Rejection) -> String {
    match rejection.source {
        Source::Page(_) => {
            format!("a proxy or gateway in between asks for a login: log in there, or check {}", endpoint.way_setting())
        }
        _ => format!("they are expired or wrong: renew {}", endpoint.user_setting()),
    }
}
