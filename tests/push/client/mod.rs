//! The client that pushes, against receivers of every kind: what arrives, what is told when it does not, and that no password
//! shows up anywhere.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod answers;
mod exchange;
mod proxies;
mod redirects;
mod tls;

use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use kai::config::{AnchoreHttpSettings, Password};
use kai::push::{Answer, Body, Client, Failure, Sender};

/// No test waits longer than this for anything.
const LIMIT: Duration = Duration::from_secs(40);

/// Every password and key of these tests has this in it.
const SECRET: &str = "hunter2";

const V2: &str = "v2/kubernetes-inventory";

fn settings() -> AnchoreHttpSettings {
    AnchoreHttpSettings {
        insecure: false,
        timeout: Duration::from_secs(20),
        compress: false,
        ca_certificate: None,
        client: None,
        proxy: None,
    }
}

fn client(url: &str, settings: &AnchoreHttpSettings) -> Client {
    Client::new(url, settings).unwrap()
}

fn sender(account: &str) -> Sender {
    Sender { user: "ann".to_owned(), password: Password::Text(SECRET.into()), account: Some(account.into()) }
}

fn sender_with_file(path: &Path) -> Sender {
    Sender { password: Password::File(path.to_owned()), ..sender("team") }
}

/// `{"a":1}`.
fn body() -> Body {
    Body::from(Bytes::from("{\"a\":1}"))
}

async fn post(client: &Client, sender: &Sender) -> Result<Answer, Failure> {
    post_body(client, sender, body()).await
}

async fn post_body(client: &Client, sender: &Sender, body: Body) -> Result<Answer, Failure> {
    tokio::time::timeout(LIMIT, client.post(V2, sender, body)).await.unwrap()
}

/// The text of a failure, which no secret is in.
fn told(failure: &Failure) -> String {
    assert!(!format!("{failure:?}").contains(SECRET), "{failure:?}");
    failure.to_string()
}

/// The text of the failure of a push to `url`.
async fn failed(url: &str, settings: &AnchoreHttpSettings) -> (Failure, String) {
    let failure = post(&client(url, settings), &sender("team")).await.unwrap_err();
    let text = told(&failure);
    assert!(text.contains(url), "the URL is named: {text}");
    (failure, text)
}
