//! TLS and proxies: certificates that are not trusted and say why, one that the receiver wants, and ways around.

use super::arrived;
use super::process::{DUMP, Ended, Kai};
use super::settings::settings;
use crate::certificates::Identity;
use crate::fake_anchore::scenario::Scenario;
use crate::fake_anchore::server::FakeAnchore;
use crate::fake_api::proxy::FakeProxy;

const TRUSTING: &str = "ca-certificate: ca.pem";

/// A push with the receiver's authority, and a certificate of kai's own, in files beside the settings.
async fn push(url: &str, http: &str, server: &Identity, own: &Identity, arguments: &[&str]) -> Ended {
    let mut kai = Kai::new(&settings(url, http, ""));
    kai.file("ca.pem", &server.authority);
    kai.file("own.pem", &own.certificate);
    kai.key("own-key.pem", &own.key);
    kai.run(&[&["push", "--input", DUMP], arguments].concat()).await
}

#[tokio::test]
async fn each_defect_of_a_certificate_ends_a_push_with_its_name_and_its_cure() {
    let cases = [
        (
            Identity::new("127.0.0.1", 2999),
            "",
            "signed by an authority that is not trusted",
            "anchore.http.ca-certificate",
        ),
        (Identity::new("127.0.0.1", 2001), TRUSTING, "its certificate has expired", "renew the receiver's certificate"),
        (
            Identity::new("anchore.example", 2999),
            TRUSTING,
            "is for anchore.example, not for 127.0.0.1",
            "in anchore.url",
        ),
        (
            Identity::without_alternative_name("127.0.0.1"),
            TRUSTING,
            "no subject alternative name",
            "replace the receiver's certificate",
        ),
    ];
    for (identity, http, defect, cure) in cases {
        let anchore = FakeAnchore::start_tls(Scenario::v2(), &identity);
        let ended = push(&anchore.url(), http, &identity, &identity, &[]).await;
        ended.assert(1, &[defect, cure, "error: the inventory of 1 of 1 accounts was not pushed"]);
        assert!(!ended.stderr.contains("next try"), "no certificate mends itself: {}", ended.stderr);
        assert!(anchore.received().is_empty(), "{}", ended.stderr);
    }
}

#[tokio::test]
async fn a_wrong_scheme_is_told_with_the_right_one() {
    let identity = Identity::new("127.0.0.1", 2999);
    let (plain, secure) = (FakeAnchore::start(Scenario::v2()), FakeAnchore::start_tls(Scenario::v2(), &identity));
    let ended = push(&plain.url().replace("http:", "https:"), TRUSTING, &identity, &identity, &[]).await;
    ended.assert(1, &["does not speak TLS", "write http:// in anchore.url"]);
    let ended = push(&secure.url().replace("https:", "http:"), "", &identity, &identity, &[]).await;
    ended.assert(1, &["does not speak HTTP", "write https:// in anchore.url"]);
}

#[tokio::test]
async fn a_receiver_that_wants_a_certificate_gets_it_or_is_told_of() {
    const SHOWING: &str = "ca-certificate: ca.pem, client-certificate: own.pem, client-key: own-key.pem";
    let (identity, own) = (Identity::new("127.0.0.1", 2999), Identity::new("kai", 2999));
    let anchore = FakeAnchore::start_tls_for(Scenario::v2(), &identity, &own);
    let ended = push(&anchore.url(), TRUSTING, &identity, &own, &[]).await;
    ended.assert(1, &["anchore.http.client-certificate and anchore.http.client-key"]);
    let ended = push(&anchore.url(), SHOWING, &identity, &own, &["-vv"]).await;
    ended.assert(0, &["inventory pushed"]);
    assert_eq!(arrived::lines(&anchore), ["POST /v2/kubernetes-inventory admin ann"]);

    // The texts themselves, as a Secret gives them.
    let pem = |text: &str| serde_json::to_string(text).unwrap();
    let http = format!(
        "ca-certificate: {}, client-certificate: {}, client-key: {}",
        pem(&identity.authority),
        pem(&own.certificate),
        pem(&own.key)
    );
    push(&anchore.url(), &http, &identity, &own, &["-vv"]).await.assert(0, &["inventory pushed"]);
    assert_eq!(anchore.received().len(), 2);
}

#[tokio::test]
async fn a_certificate_that_is_not_checked_is_warned_of_by_nobody_but_pushed_to() {
    let identity = Identity::without_alternative_name("localhost");
    let anchore = FakeAnchore::start_tls(Scenario::v2(), &identity);
    let ended = push(&anchore.url(), "insecure: true", &identity, &identity, &[]).await;
    ended.assert(0, &["inventory pushed"]);
    assert_eq!(arrived::lines(&anchore).len(), 1);
}

#[tokio::test]
async fn a_proxy_with_a_password_leads_to_the_receiver_and_its_password_shows_nowhere() {
    let identity = Identity::new("127.0.0.1", 2999);
    let anchore = FakeAnchore::start_tls(Scenario::v2(), &identity);
    let proxy = FakeProxy::to(&anchore.url()).await;
    let http = format!("{TRUSTING}, proxy: 'http://me:hunter2-proxy@{}'", proxy.address());
    let ended = push(&anchore.url(), &http, &identity, &identity, &["-vv"]).await;
    ended.assert(0, &["inventory pushed"]);
    assert!(proxy.seen().iter().any(|line| line.to_lowercase().starts_with("proxy-authorization: basic ")));
    assert_eq!(arrived::lines(&anchore).len(), 1);

    // The same by the variables, which count for no address of this machine.
    let identity = Identity::new("anchore.invalid", 2999);
    let anchore = FakeAnchore::start_tls(Scenario::v2(), &identity);
    let proxy = FakeProxy::to(&anchore.url()).await;
    let kai = Kai::new(&settings("https://anchore.invalid", TRUSTING, ""));
    kai.file("ca.pem", &identity.authority);
    let variable = format!("http://me:hunter2-proxy@{}", proxy.address());
    let ended = kai.run_with(&[("HTTPS_PROXY", &variable)], &["push", "--input", DUMP, "-vv"]).await;
    ended.assert(0, &["inventory pushed"]);
    assert!(proxy.seen().iter().any(|line| line.to_lowercase().starts_with("proxy-authorization: basic ")));
    assert_eq!(arrived::lines(&anchore).len(), 1);

    // A proxy that is not there.
    let nowhere = [("HTTPS_PROXY", "http://me:hunter2@127.0.0.1:1")];
    let ended = kai.run_with(&nowhere, &["push", "--input", DUMP, "-vv"]).await;
    ended.assert(1, &["127.0.0.1:1", "HTTPS_PROXY", "NO_PROXY"]);
}
