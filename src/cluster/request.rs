//! The connection to one API server: what is asked for, with deadlines and retries, and credentials that are renewed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use backon::Retryable as _;
use http::request::Builder;
use http::{Request, Response, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use kube::client::Body;

use super::connection::{Endpoint, FreshClient, Recipe};
use super::describe::describe;
use super::environment::Environment;
use super::error::ClusterError;
use super::failure::{Failed, Failure};
use super::rejection::{Rejection, read_text};
use super::retry::{RetryPolicy, backoff, wait};
use crate::config::ClusterSettings;
use crate::decode::Encoding;
use crate::metrics::Metrics;
use crate::remote::{describe_page, has_html_type};

/// Of the question whether a server reaches its store, to which a server gives two seconds.
const STORE_TIMEOUT: Duration = Duration::from_secs(5);

/// A wait this long is no pause any more: whoever reads the log should know what kai waits for.
const LONG_WAIT: Duration = Duration::from_secs(5);

/// Credentials that end sooner than this are renewed before they are used again.
const RENEW_BEFORE: SignedDuration = SignedDuration::from_secs(60);

/// One API server with the credentials for it. Clones share both: what one renews, all use.
#[derive(Clone)]
pub(super) struct Connection {
    shared: Arc<Shared>,
    pub(super) metrics: Metrics,
}

struct Shared {
    recipe: Recipe,
    /// Deadline of one request, its body included.
    timeout: Duration,
    current: Mutex<FreshClient>,
}

/// Takes answers of status 200.
pub(super) trait Reader: Sync {
    type Output: Send;
    /// The form of body that is asked for.
    const ACCEPT: &'static str = "application/json";

    /// Reads an answer to its end. Called again, with another answer, when that fails.
    fn read(&self, response: Response<Body>) -> impl Future<Output = Result<Self::Output, Failure>> + Send;
}

impl Connection {
    /// Reads how the server is reached and makes a client. Sends nothing to it; a credential plugin is run.
    pub(super) async fn open(settings: &ClusterSettings, environment: &Environment) -> Result<Self, ClusterError> {
        let recipe = Recipe::read(settings, environment)?;
        let timeout = settings.request_timeout;
        let current = Mutex::new(recipe.client(timeout).await?);
        Ok(Self { shared: Arc::new(Shared { recipe, timeout, current }), metrics: Metrics::default() })
    }

    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.shared.recipe.endpoint
    }

    /// The name that the kubeconfig's context gives the cluster.
    pub(super) fn cluster_name(&self) -> Option<&str> {
        self.shared.recipe.cluster_name.as_deref()
    }

    /// Deadline of one request.
    pub(super) fn timeout(&self) -> Duration {
        self.shared.timeout
    }

    /// Whether renewing may give other credentials.
    pub(super) fn is_renewable(&self) -> bool {
        self.shared.recipe.is_renewable()
    }

    /// Renews credentials that end soon, and a token whose file has another one by now.
    pub(super) async fn refresh(&self) -> Result<(), ClusterError> {
        let is_stale = {
            let current = self.current();
            let ends = current.expires.is_some_and(|expires| Timestamp::now() + RENEW_BEFORE >= expires);
            ends || self.shared.recipe.has_new_token(&current)
        };
        if is_stale { self.renew().await } else { Ok(()) }
    }

    pub(super) async fn renew(&self) -> Result<(), ClusterError> {
        let fresh = self.shared.recipe.client(self.shared.timeout).await?;
        *self.current() = fresh;
        Ok(())
    }

    fn current(&self) -> MutexGuard<'_, FreshClient> {
        // Only ever replaced as a whole.
        self.shared.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for `path`, and again as the policy has it; `reader` takes an answer of status 200 to its end. Each try,
    /// reading included, has the deadline of a request.
    pub(super) async fn get<R: Reader>(
        &self,
        path: &str,
        policy: RetryPolicy,
        reader: &R,
    ) -> Result<R::Output, Failed> {
        let mut tries = 0;
        let attempt = || self.attempt(path, reader);
        let result = attempt
            .retry(backoff())
            .adjust(|failure, backoff| {
                tries += 1;
                let backoff = backoff.filter(|_| tries < policy.most_tries(failure))?;
                let wait = wait(failure, backoff);
                self.log_wait(path, failure, wait);
                Some(wait)
            })
            .await;
        result.map_err(|failure| Failed { failure, tries })
    }

    fn log_wait(&self, path: &str, failure: &Failure, wait: Duration) {
        match failure {
            Failure::Rejected(rejection) if wait >= LONG_WAIT => tracing::info!(
                "the API server {} answers {} to GET {}{}: waiting {} s before the next try, as it asks",
                self.endpoint(),
                rejection.status.as_u16(),
                without_query(path),
                rejection.words(),
                wait.as_secs()
            ),
            failure => tracing::debug!("GET {path} failed with {failure:?}: trying again in {wait:?}"),
        }
    }

    async fn attempt<R: Reader>(&self, path: &str, reader: &R) -> Result<R::Output, Failure> {
        let whole = async { reader.read(self.send(path, R::ACCEPT).await?).await };
        let result = tokio::time::timeout(self.timeout(), whole).await.unwrap_or(Err(Failure::Timeout));
        let status = result.as_ref().map_or_else(Failure::status, |_| Some(StatusCode::OK.as_u16()));
        self.metrics.api().requested(path, status);
        result
    }

    /// Asks for a stream. It has no deadline, not even for its head. It is not compressed: a server sends its compressed
    /// parts one by one, and the client's own layer stops reading behind the first.
    pub(super) async fn watch(&self, path: &str) -> Result<Response<Body>, Failure> {
        let request = Request::get(path).header(header::ACCEPT_ENCODING, "identity");
        let result = self.answer(request.header(header::ACCEPT, Encoding::ACCEPT)).await;
        let status = result.as_ref().map_or_else(Failure::status, |_| Some(StatusCode::OK.as_u16()));
        self.metrics.api().requested(path, status);
        result
    }

    /// Whether the server reaches its store, by its own word. It goes on serving watches without it, in which nothing comes.
    /// An account that may not ask and a server that does not know the path say nothing against it.
    pub(super) async fn reaches_its_store(&self) -> bool {
        const PATH: &str = "/readyz";
        let answer = tokio::time::timeout(STORE_TIMEOUT, self.send(PATH, "text/plain")).await;
        let answer = answer.unwrap_or(Err(Failure::Timeout));
        let status = answer.as_ref().map_or_else(Failure::status, |_| Some(StatusCode::OK.as_u16()));
        self.metrics.api().requested(PATH, status);
        match answer {
            Ok(_) | Err(Failure::NotKubernetes(_)) => true,
            Err(Failure::Rejected(rejection)) => !rejection.status.is_server_error(),
            Err(_) => false,
        }
    }

    async fn send(&self, path: &str, accept: &'static str) -> Result<Response<Body>, Failure> {
        self.answer(Request::get(path).header(header::ACCEPT, accept)).await
    }

    async fn answer(&self, request: Builder) -> Result<Response<Body>, Failure> {
        let request = request
            .body(Body::empty())
            .map_err(|error| Failure::Malformed(format!("the request cannot be written: {error}")))?;
        let client = self.current().client.clone();
        let response = client.send(request).await.map_err(|error| Failure::of(&error))?;
        if response.status() != StatusCode::OK {
            return Err(Failure::Rejected(Rejection::read(response).await));
        }
        if has_html_type(response.headers()) {
            let text = read_text(response.into_body()).await.unwrap_or_default();
            return Err(Failure::NotKubernetes(describe_page(&text)));
        }
        Ok(response)
    }

    /// What a failure means for whoever reads the message.
    pub(super) fn error(&self, path: &str, failed: Failed) -> ClusterError {
        describe(self.endpoint(), without_query(path), self.timeout(), failed)
    }
}

fn without_query(path: &str) -> &str {
    path.split('?').next().unwrap_or_default()
}
