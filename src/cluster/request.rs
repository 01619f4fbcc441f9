//! One GET to the API server: its deadline, its retries, and what becomes of a failure.

use std::time::Duration;

use backon::Retryable as _;
use http::{Request, Response, StatusCode, header};
use kube::client::Body;

use super::answer::{Answer, read_text};
use super::connection::{Endpoint, Origin};
use super::error::ClusterError;
use super::retry::{Patience, backoff, most_tries, wait};
use crate::inventory::excerpt;
use crate::metrics::Metrics;
use crate::remote::{CertificateCure, Transport, causes, describe_page, has_html_type};

/// Sends requests to one API server.
pub(super) struct Requests {
    pub(super) client: kube::Client,
    pub(super) endpoint: Endpoint,
    /// Deadline of one request, its body included.
    pub(super) timeout: Duration,
    pub(super) metrics: Metrics,
}

/// Takes answers of status 200.
pub(super) trait Reader: Sync {
    /// What an answer gives.
    type Output: Send;
    /// The form of body that is asked for.
    const ACCEPT: &'static str = "application/json";

    /// Reads an answer to its end. Called again, with another answer, when that fails.
    fn read(&self, response: Response<Body>) -> impl Future<Output = Result<Self::Output, Failure>> + Send;
}

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
    Answer(Answer),
    /// 200, and nothing that Kubernetes would say.
    NotKubernetes(String),
    /// 200, and the body cannot be read.
    Malformed(String),
}

/// A failure that was not, or no longer, worth another try.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) failure: Failure,
    tries: usize,
}

impl Failure {
    pub(super) fn of(error: &kube::Error) -> Self {
        let auth = causes(error).find_map(|cause| cause.downcast_ref::<kube::client::AuthError>());
        match auth {
            Some(auth) => Self::Credentials(excerpt(&auth.to_string()).to_string()),
            None => Self::Transport(Transport::of(error)),
        }
    }
}

impl Failed {
    /// The status of an answer that came from Kubernetes itself.
    pub(super) fn status(&self) -> Option<StatusCode> {
        match &self.failure {
            Failure::Answer(answer) if answer.is_kubernetes => Some(answer.status),
            _ => None,
        }
    }

    /// In the server's words, for a missing right.
    pub(super) fn message(&self) -> &str {
        match &self.failure {
            Failure::Answer(answer) => &answer.message,
            _ => "",
        }
    }
}

impl Requests {
    /// Asks for `path`, and again while that can help; `reader` takes an answer of status 200 to its end. Each try,
    /// reading included, has the deadline of a request.
    pub(super) async fn get<R: Reader>(&self, path: &str, patience: Patience, reader: &R) -> Result<R::Output, Failed> {
        let mut tries = 0;
        let attempt = || self.attempt(path, reader);
        let result = attempt
            .retry(backoff())
            .adjust(|failure, backoff| {
                tries += 1;
                let backoff = backoff.filter(|_| tries < most_tries(failure, patience))?;
                let wait = wait(failure, backoff);
                tracing::debug!("GET {path} gave {failure:?} at try {tries}; asking again in {wait:?}");
                Some(wait)
            })
            .await;
        result.map_err(|failure| Failed { failure, tries })
    }

    async fn attempt<R: Reader>(&self, path: &str, reader: &R) -> Result<R::Output, Failure> {
        let whole = async { reader.read(self.send(path, R::ACCEPT).await?).await };
        let result = tokio::time::timeout(self.timeout, whole).await.unwrap_or(Err(Failure::Timeout));
        let status = match &result {
            Ok(_) | Err(Failure::NotKubernetes(_) | Failure::Malformed(_)) => Some(StatusCode::OK.as_u16()),
            Err(Failure::Answer(answer)) => Some(answer.status.as_u16()),
            Err(Failure::Transport(_) | Failure::Credentials(_) | Failure::Timeout) => None,
        };
        self.metrics.api().requested(path, status);
        result
    }

    async fn send(&self, path: &str, accept: &'static str) -> Result<Response<Body>, Failure> {
        let request = Request::get(path)
            .header(header::ACCEPT, accept)
            .body(Body::empty())
            .map_err(|error| Failure::Malformed(format!("the request cannot be written: {error}")))?;
        let response = self.client.send(request).await.map_err(|error| Failure::of(&error))?;
        if response.status() != StatusCode::OK {
            return Err(Failure::Answer(Answer::read(response).await));
        }
        if has_html_type(response.headers()) {
            let text = read_text(response.into_body()).await.unwrap_or_default();
            return Err(Failure::NotKubernetes(describe_page(&text)));
        }
        Ok(response)
    }

    /// What a failure means for whoever reads the message.
    pub(super) fn error(&self, path: &str, failed: Failed) -> ClusterError {
        let endpoint = Box::new(self.endpoint.clone());
        let path = path.split('?').next().unwrap_or_default().to_owned();
        match failed.failure {
            Failure::Transport(transport) => self.transport_error(path, transport),
            Failure::Credentials(reason) => ClusterError::Credentials { setting: self.endpoint.user_setting(), reason },
            Failure::Timeout => ClusterError::Timeout { endpoint, path, limit: self.timeout },
            Failure::Malformed(problem) => ClusterError::Malformed { endpoint, path, problem },
            Failure::NotKubernetes(what) | Failure::Answer(Answer { foreign: Some(what), .. }) => {
                self.not_kubernetes(path, what)
            }
            Failure::Answer(answer) => match answer.status.as_u16() {
                401 => ClusterError::Unauthorized { said: answer.said(), advice: self.login_advice(), endpoint },
                status if status == 429 || answer.status.is_server_error() => {
                    ClusterError::Busy { endpoint, path, status, said: answer.said(), tries: failed.tries }
                }
                404 => self.not_kubernetes(path, format!("404{}", answer.said())),
                status => {
                    let setting = self.endpoint.server_setting();
                    ClusterError::Rejected { endpoint, path, status, said: answer.said(), setting }
                }
            },
        }
    }

    fn not_kubernetes(&self, path: String, what: String) -> ClusterError {
        let setting = self.endpoint.server_setting();
        ClusterError::NotKubernetes { endpoint: Box::new(self.endpoint.clone()), path, what, setting }
    }

    fn transport_error(&self, path: String, transport: Transport) -> ClusterError {
        let endpoint = Box::new(self.endpoint.clone());
        let tls = |reason: String, advice: String| ClusterError::Tls { endpoint: endpoint.clone(), reason, advice };
        match transport {
            Transport::Unreachable(reason) => {
                let advice = match &self.endpoint.proxy {
                    Some(proxy) => format!("check {}, and NO_PROXY if no proxy is needed", proxy.setting),
                    None => format!("check {}, and that the server runs", self.endpoint.server_setting()),
                };
                ClusterError::Unreachable { via: self.via(), reason, advice, endpoint }
            }
            Transport::Broken(reason) => {
                let advice = if self.endpoint.proxy.is_some() {
                    "try again later, or see what the proxy says"
                } else {
                    "try again later, or see what the server says"
                };
                ClusterError::BrokenOff { via: self.via(), path, reason, advice, endpoint }
            }
            Transport::ServerCertificate { reason, cure } => {
                let advice = self.certificate_advice(cure);
                tls(reason, advice)
            }
            Transport::ClientRefused(reason) => {
                let advice = format!("renew {}", self.endpoint.user_setting());
                tls(reason, advice)
            }
            Transport::NoTls => {
                let advice =
                    format!("if it is served without TLS, write http:// in {}", self.endpoint.server_setting());
                tls("what answers there speaks no TLS".to_owned(), advice)
            }
            Transport::NoHttp => self.not_kubernetes(path, "something that is no HTTP".to_owned()),
        }
    }

    fn via(&self) -> String {
        let proxy = self.endpoint.proxy.as_ref();
        proxy
            .map(|proxy| format!(" through the proxy {} ({})", excerpt(&proxy.shown()), proxy.setting))
            .unwrap_or_default()
    }

    fn certificate_advice(&self, cure: CertificateCure) -> String {
        match cure {
            CertificateCure::Authority => {
                format!("put the cluster's authority into {}", self.endpoint.authority_setting())
            }
            CertificateCure::Time => "renew the server's certificate, or set this machine's clock".to_owned(),
            CertificateCure::Name => match &self.endpoint.origin {
                Origin::Kubeconfig { .. } => {
                    format!("use one of its names in {}, or set tls-server-name there", self.endpoint.server_setting())
                }
                Origin::Inline | Origin::InCluster => {
                    format!("use one of its names in {}", self.endpoint.server_setting())
                }
            },
            CertificateCure::Certificate => "replace the server's certificate".to_owned(),
        }
    }

    fn login_advice(&self) -> String {
        format!("they are expired or wrong: renew {}", self.endpoint.user_setting())
    }
}
