//! One exchange with the receiver: its deadline, and a password that has changed meanwhile.

use std::fmt;
use std::time::Duration;

use http::{HeaderValue, Method, header};
use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, Url};
use secrecy::{ExposeSecret as _, SecretString};

use super::address::{Address, redirect_advice, shown};
use super::answer::{Answer, Question};
use super::api_version::VERSION;
use super::body::{Body, Coding};
use super::credentials::{Passwords, Sender};
use super::error::ClientError;
use super::failure::Failure;
use super::proxy;
use super::tls::Tls;
use crate::config::AnchoreHttpSettings;
use crate::inventory::excerpt;
use crate::remote::{CallError, Credentials, Proxy, ProxyVariables, Server, Transport, install_crypto_provider};

const USER_AGENT: &str = concat!("kai/", env!("CARGO_PKG_VERSION"));

/// How long a connection is kept for the next push, and how often the other end is asked whether it still is there: what
/// stands between forgets silent connections.
const KEPT: Duration = Duration::from_mins(15);
const KEEPALIVE: Duration = Duration::from_secs(30);

/// Sends to one receiver; its connections serve one push after another.
pub struct Client {
    http: reqwest::Client,
    address: Address,
    proxy: Option<Proxy>,
    passwords: Passwords,
    /// Of one exchange: connecting, sending, the whole answer.
    timeout: Duration,
    compress: bool,
    has_client_certificate: bool,
}

/// What is sent, whichever address it goes to.
struct Request<'a> {
    method: Method,
    path: &'a str,
    sender: Option<&'a Sender>,
    body: Option<&'a Body>,
}

impl Client {
    /// Reads certificates and proxies, and sends nothing. `target_url`: `anchore.url`. The variables `HTTPS_PROXY`,
    /// `HTTP_PROXY` and `NO_PROXY` of the process count where `anchore.http.proxy` is not set.
    ///
    /// # Errors
    /// A setting that can never work: the message names its key, its value and what is allowed.
    pub fn new(target_url: &str, http: &AnchoreHttpSettings) -> Result<Self, ClientError> {
        install_crypto_provider();
        let address = Address::parse(target_url)?;
        let tls = Tls::read(http)?;
        let proxy = proxy::choose(address.base(), http.proxy.as_ref(), &ProxyVariables::of_process())?;
        let builder = || {
            let builder = reqwest::Client::builder()
                .user_agent(USER_AGENT)
                // Data and credentials go to no other address than that of the settings.
                .redirect(Policy::none())
                // A retry is the caller's: it knows the newest report.
                .retry(reqwest::retry::never())
                .pool_idle_timeout(KEPT)
                .tcp_keepalive(KEEPALIVE);
            proxy::apply(proxy.as_ref(), builder)
        };
        Ok(Self {
            http: tls.build(builder, address.base().scheme() == "https")?,
            address,
            passwords: Passwords::default(),
            timeout: http.timeout,
            compress: http.compress,
            has_client_certificate: http.client.is_some(),
            proxy,
        })
    }

    /// The URL of one of Anchore's paths (`v2/kubernetes-inventory`), with or without a slash at its beginning.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        self.address.join(path).into()
    }

    /// Sends `body` as JSON, compressed with `anchore.http.compress`.
    ///
    /// After a 401 a password file is read again, and the request sent once more when it holds another password.
    ///
    /// # Errors
    /// Anything but a 2xx with an empty or a JSON body.
    pub async fn post(&self, path: &str, sender: &Sender, body: Body) -> Result<Answer, Failure> {
        self.ask(&Request { method: Method::POST, path, sender: Some(sender), body: Some(&body) }).await
    }

    /// Asks for `path`; without a sender, without credentials.
    ///
    /// # Errors
    /// Anything but a 2xx with an empty or a JSON body.
    pub async fn get(&self, path: &str, sender: Option<&Sender>) -> Result<Answer, Failure> {
        self.ask(&Request { method: Method::GET, path, sender, body: None }).await
    }

    async fn ask(&self, request: &Request<'_>) -> Result<Answer, Failure> {
        let Some(sender) = request.sender else { return self.exchange(request, None).await };
        let password = self.passwords.current(&sender.password)?;
        match self.exchange(request, Some(&password)).await {
            Err(failure) if failure.is_unauthorized() => match self.passwords.changed(&sender.password, &password) {
                Some(changed) => self.exchange(request, Some(&changed)).await,
                None => Err(failure),
            },
            result => result,
        }
    }

    async fn exchange(&self, request: &Request<'_>, password: Option<&SecretString>) -> Result<Answer, Failure> {
        // Counting is no part of the exchange, and no fault of the receiver.
        if let Some(body) = request.body.filter(|_| self.compress) {
            body.gzip().await;
        }
        let url = self.address.join(request.path);
        let whole = tokio::time::timeout(self.timeout, async {
            match self.send(&url, request, password).await {
                Err(failure @ Failure::Call(CallError::BrokenOff { .. })) if url.scheme() == "https" => {
                    Err(self.refusal_of_tls().await.unwrap_or(failure))
                }
                result => result,
            }
        });
        whole.await.unwrap_or_else(|_| Err(self.server(&url).timeout(self.timeout).into()))
    }

    /// What the receiver has against this side of TLS, if it has anything.
    ///
    /// In TLS 1.3 it answers so after the client has begun to send, and hangs up: of a long body the rest fails to be sent, and
    /// the reason is lost. A question without a body is over before that.
    async fn refusal_of_tls(&self) -> Option<Failure> {
        let request = Request { method: Method::GET, path: VERSION, sender: None, body: None };
        match self.send(&self.address.join(VERSION), &request, None).await {
            Err(failure @ Failure::Call(CallError::Tls { .. })) => Some(failure),
            _ => None,
        }
    }

    async fn send(&self, url: &Url, request: &Request<'_>, password: Option<&SecretString>) -> Result<Answer, Failure> {
        let no_answer = |transport| Failure::from(self.server(url).no_answer(transport));
        let sent = self.build(url, request, password).await?.send().await;
        let response = sent.map_err(|error| no_answer(Transport::of(&error)))?;
        let status = response.status();
        if matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
            let problem = redirect_advice(url, request.path, location);
            return Err(Failure::Redirect { url: shown(url), status: status.as_u16(), problem });
        }
        let question = Question {
            url,
            sender: request.sender,
            proxy: self.proxy.as_ref(),
            length: request.body.map_or(0, Body::length),
        };
        question.read(response).await.map_err(|failure| failure.unwrap_or_else(no_answer))
    }

    async fn build(
        &self,
        url: &Url,
        request: &Request<'_>,
        password: Option<&SecretString>,
    ) -> Result<RequestBuilder, Failure> {
        let mut built =
            self.http.request(request.method.clone(), url.clone()).header(header::ACCEPT, "application/json");
        if let (Some(sender), Some(password)) = (request.sender, password) {
            built = built.basic_auth(&sender.user, Some(password.expose_secret()));
            if let Some(account) = &sender.account {
                let value = HeaderValue::from_bytes(account.as_bytes())
                    .map_err(|_| Failure::Account { account: excerpt(account).to_string() })?;
                built = built.header("x-anchore-account", value);
            }
        }
        let Some(body) = request.body else { return Ok(built) };
        built = built.header(header::CONTENT_TYPE, "application/json");
        let coding = if self.compress { body.gzip().await } else { Coding::Identity };
        if coding != Coding::Identity {
            built = built.header(header::CONTENT_ENCODING, "gzip");
        }
        Ok(built.body(reqwest::Body::wrap(body.stream(coding))))
    }

    /// For the messages about an exchange that gave no whole answer.
    fn server(&self, url: &Url) -> Server<'_> {
        let certificate =
            if self.has_client_certificate { Credentials::Certificate } else { Credentials::NoCertificate };
        Server {
            name: shown(url),
            kind: "receiver",
            is_https: url.scheme() == "https",
            address: "anchore.url".to_owned(),
            other_name: "",
            authority: "anchore.http.ca-certificate".to_owned(),
            credentials: certificate("anchore.http.client-certificate and anchore.http.client-key"),
            slow_advice: "check that it can be reached from here, or raise anchore.http.timeout-seconds",
            request: None,
            proxy: self.proxy.as_ref(),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({})", shown(self.address.base()))
    }
}
