//! The way through a proxy, by the setting and by the variables.

use std::process::Command;

use kai::config::{AnchoreHttpSettings, Pem};
use kai::push::{CallError, Failure};
use rstest::rstest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::{SECRET, client, failed, post, sender, settings};
use crate::certificates::Identity;
use crate::fake_anchore::scenario::Scenario;
use crate::fake_anchore::server::FakeAnchore;
use crate::fake_api::proxy::FakeProxy;

const URL: &str = "https://anchore.example";

/// Runs one test of this program in a process with these variables, and none that name a proxy besides.
pub(crate) fn passes_with(name: &str, variables: &[(&str, &str)]) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    for proxy in ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy"] {
        command.env_remove(proxy);
    }
    let output = command.args(["--exact", name]).envs(variables.iter().copied()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

fn through(proxy: &str) -> AnchoreHttpSettings {
    AnchoreHttpSettings { proxy: Some(proxy.into()), ..settings() }
}

/// A receiver that is reached by its name alone, through a proxy.
fn receiver() -> (FakeAnchore, AnchoreHttpSettings) {
    let identity = Identity::new("anchore.example", 2999);
    let anchore = FakeAnchore::start_tls(Scenario::v2(), &identity);
    (anchore, AnchoreHttpSettings { ca_certificate: Some(Pem::Text(identity.authority.into())), ..settings() })
}

/// A proxy that says this to whoever comes.
async fn saying(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            // What is said does not hang on what is asked.
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    address
}

#[tokio::test]
async fn the_proxy_of_the_setting_leads_to_the_receiver() {
    let (anchore, trusting) = receiver();
    let proxy = FakeProxy::to(&anchore.url()).await;
    let url = format!("http://me:{SECRET}@{}", proxy.address());
    post(&client(URL, &AnchoreHttpSettings { proxy: Some(url.into()), ..trusting }), &sender("team")).await.unwrap();
    let seen = proxy.seen();
    assert_eq!(seen[0], "CONNECT anchore.example:443 HTTP/1.1");
    assert!(
        seen.iter().any(|line| line.eq_ignore_ascii_case("proxy-authorization: Basic bWU6aHVudGVyMg==")),
        "{seen:?}"
    );
    assert!(seen.iter().all(|line| !line.contains("x-anchore")), "the proxy sees nothing of the push");
    assert_eq!(anchore.received()[0].header("proxy-authorization"), "");
}

#[tokio::test]
async fn the_proxy_of_the_variables_leads_to_the_receiver() {
    const NAME: &str = "client::proxies::the_proxy_of_the_variables_leads_to_the_receiver";
    if let Ok(proxy) = std::env::var("PROXY_OF_THIS_TEST") {
        let (failure, text) = failed("https://anchore.example", &settings()).await;
        assert!(matches!(failure, Failure::Call(CallError::Proxy { .. })), "{text}");
        assert!(text.contains(&format!("the proxy {proxy} does not lead to")), "{text}");
        assert!(text.contains("check HTTPS_PROXY, and NO_PROXY if no proxy is needed"), "{text}");
        let (failure, text) = failed("https://exempt.invalid", &settings()).await;
        assert!(matches!(failure, Failure::Call(CallError::Unreachable { .. })) && !text.contains("proxy"), "{text}");
        return;
    }
    let address = saying("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await;
    let (with_password, shown) = (format!("http://me:{SECRET}@{address}"), format!("http://{address}"));
    let variables = [
        ("HTTPS_PROXY", with_password.as_str()),
        ("NO_PROXY", "exempt.invalid"),
        ("PROXY_OF_THIS_TEST", shown.as_str()),
    ]
    .map(|(name, value)| (name, value.to_owned()));
    let child = tokio::task::spawn_blocking(move || {
        passes_with(NAME, &variables.each_ref().map(|(name, value)| (*name, value.as_str())));
    });
    tokio::time::timeout(super::LIMIT, child).await.unwrap().unwrap();
}

#[rstest]
#[case::refuses("HTTP/1.1 403 Forbidden\r\n\r\n", "it refuses to open a connection there", true)]
#[case::wants_credentials("HTTP/1.1 407 Nobody\r\n\r\n", "it requires a user and a password (407)", false)]
#[case::is_no_proxy("220 mail.example ESMTP\r\n", "it refuses to open a connection there", true)]
#[case::hangs_up("", "it hung up", true)]
#[tokio::test]
async fn a_proxy_that_does_not_lead_there_is_told_without_its_password(
    #[case] answer: &'static str,
    #[case] reason: &str,
    #[case] is_retryable: bool,
) {
    let address = saying(answer).await;
    let (failure, text) = failed(URL, &through(&format!("http://me:{SECRET}@{address}"))).await;
    let expected =
        format!("the proxy http://{address} does not lead to https://anchore.example/v2/kubernetes-inventory");
    assert!(text.contains(&expected) && text.contains(reason), "{text}");
    assert!(text.contains("check anchore.http.proxy"), "{text}");
    assert_eq!(failure.is_retryable(), is_retryable);
}

#[tokio::test]
async fn a_proxy_of_plain_http_that_wants_credentials_is_told() {
    let address = saying("HTTP/1.1 407 Nobody\r\ncontent-length: 0\r\n\r\n").await;
    let (failure, text) = failed("http://anchore.example", &through(&format!("http://{address}"))).await;
    assert!(text.contains("requires a user and a password: check anchore.http.proxy"), "{text}");
    assert_eq!(failure.status(), Some(407));
}

#[rstest]
#[tokio::test]
async fn a_proxy_that_is_down_is_told_without_its_password(
    #[values(("http", "connection refused"), ("socks5h", "it cannot be reached"))] kind: (&str, &str),
    #[values(URL, "http://anchore.example")] url: &str,
) {
    let down = FakeAnchore::down(Scenario::v2());
    let address = down.url().replace("http://", "");
    let (kind, reason) = kind;
    let (failure, text) = failed(url, &through(&format!("{kind}://me:{SECRET}@{address}"))).await;
    assert!(text.contains(&format!("proxy {kind}://{address}")) && text.contains(reason), "{text}");
    assert!(text.contains("check anchore.http.proxy"), "{text}");
    assert!(failure.is_retryable());
}

/// `socks5` leaves it to the client to resolve names, `socks5h` to the proxy.
#[tokio::test]
async fn a_name_that_is_not_known_before_the_proxy_is_told() {
    let (failure, text) = failed("https://anchore.invalid", &through("socks5://127.0.0.1:9")).await;
    assert!(
        matches!(failure, Failure::Call(CallError::Unreachable { .. })) && text.contains("its name does not resolve"),
        "{text}"
    );
}
