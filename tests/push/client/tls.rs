//! Who is trusted, and what is told when somebody is not.

use std::path::PathBuf;

use bytes::Bytes;
use kai::config::{AnchoreHttpSettings, ClientCertificate, Pem};
use kai::push::{Body, CallError, Client, Failure};
use rstest::rstest;

use super::{SECRET, client, failed, post, post_body, sender, settings, told};
use crate::certificates::Identity;
use crate::fake_anchore::scenario::Scenario;
use crate::fake_anchore::server::FakeAnchore;

fn trusting(identity: &Identity) -> AnchoreHttpSettings {
    AnchoreHttpSettings { ca_certificate: Some(Pem::Text(identity.authority.as_str().into())), ..settings() }
}

fn showing(server: &Identity, client: &Identity) -> AnchoreHttpSettings {
    let pem = |text: &str| Pem::Text(text.into());
    let certificate = ClientCertificate { certificate: pem(&client.certificate), key: pem(&client.key) };
    AnchoreHttpSettings { client: Some(certificate), ..trusting(server) }
}

#[tokio::test]
async fn a_receiver_of_the_named_authority_is_trusted() {
    let identity = Identity::new("127.0.0.1", 2999);
    let anchore = FakeAnchore::start_tls(Scenario::v2(), &identity);
    post(&client(&anchore.url(), &trusting(&identity)), &sender("team")).await.unwrap();

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("authorities.pem");
    // A bundle, as it is usual.
    std::fs::write(&path, format!("# ours\n{}{}", Identity::new("b", 2999).authority, identity.authority)).unwrap();
    let by_file = AnchoreHttpSettings { ca_certificate: Some(Pem::File(path)), ..settings() };
    let client = client(&anchore.url(), &by_file);
    post(&client, &sender("team")).await.unwrap();
    post(&client, &sender("team")).await.unwrap();
    let connections: Vec<usize> = anchore.received().iter().map(|received| received.connection).collect();
    assert_eq!(connections, [0, 1, 1], "one connection of each client");
}

#[tokio::test]
async fn the_check_of_the_certificate_can_be_skipped() {
    let identity = Identity::without_alternative_name("localhost");
    let anchore = FakeAnchore::start_tls(Scenario::v2(), &identity);
    let insecure = AnchoreHttpSettings { insecure: true, ..settings() };
    post(&client(&anchore.url(), &insecure), &sender("team")).await.unwrap();
}

#[rstest]
#[case::unknown_authority(
    Identity::new("127.0.0.1", 2999),
    false,
    "its certificate is signed by an authority that is not trusted; put the receiver's authority into \
     anchore.http.ca-certificate"
)]
#[case::expired(
    Identity::new("127.0.0.1", 2001),
    true,
    "its certificate has expired; renew the receiver's certificate"
)]
#[case::wrong_host(
    Identity::new("anchore.example", 2999),
    true,
    "its certificate is for anchore.example, not for 127.0.0.1; use one of its names in anchore.url"
)]
#[case::no_alternative_name(
    Identity::without_alternative_name("127.0.0.1"),
    true,
    "its certificate has no subject alternative name, and its common name is not used; replace"
)]
#[case::an_authoritys_own(Identity::of_itself("127.0.0.1"), true, "its certificate is that of an authority (CA:TRUE)")]
#[tokio::test]
async fn each_defect_of_a_certificate_is_told_by_name(
    #[case] identity: Identity,
    #[case] is_trusted: bool,
    #[case] expected: &str,
) {
    let anchore = FakeAnchore::start_tls(Scenario::v2(), &identity);
    let settings = if is_trusted { trusting(&identity) } else { settings() };
    let (failure, text) = failed(&anchore.url(), &settings).await;
    assert!(text.contains(expected), "{text}");
    assert!(matches!(failure, Failure::Call(CallError::Tls { .. })) && !failure.is_retryable());
    assert!(anchore.received().is_empty(), "nothing may be sent over such a connection");
}

#[tokio::test]
async fn a_receiver_that_wants_a_certificate_gets_it() {
    let (identity, mine, other) =
        (Identity::new("127.0.0.1", 2999), Identity::new("kai", 2999), Identity::new("kai", 2999));
    let anchore = FakeAnchore::start_tls_for(Scenario::v2(), &identity, &mine);
    post(&client(&anchore.url(), &showing(&identity, &mine)), &sender("team")).await.unwrap();

    let (failure, text) = failed(&anchore.url(), &trusting(&identity)).await;
    let expected = "set anchore.http.client-certificate and anchore.http.client-key";
    assert!(text.contains("the alert CertificateRequired") && text.contains(expected), "{text}");
    assert!(!failure.is_retryable());

    let (_, text) = failed(&anchore.url(), &showing(&identity, &other)).await;
    assert!(text.contains("renew anchore.http.client-certificate"), "{text}");
    assert_eq!(anchore.received().len(), 1);
}

#[tokio::test]
async fn a_server_that_speaks_otherwise_is_told_with_the_scheme_to_write() {
    let plain = FakeAnchore::start(Scenario::v2());
    let (_, text) = failed(&plain.url().replace("http:", "https:"), &settings()).await;
    let expected = "the server there does not speak TLS; if it is served without TLS, write http:// in anchore.url";
    assert!(text.contains(expected), "{text}");

    let secure = FakeAnchore::start_tls(Scenario::v2(), &Identity::new("127.0.0.1", 2999));
    let (failure, text) = failed(&secure.url().replace("https:", "http:"), &settings()).await;
    let expected = "the server there does not speak HTTP; if it is served with TLS, write https:// in anchore.url";
    assert!(text.contains(expected), "{text}");
    assert!(!failure.is_retryable());
}

/// A system without authorities, such as a minimal image. Which there are is the process's to say, so another one is asked.
#[tokio::test]
async fn without_authorities_of_the_system_those_of_the_setting_and_plain_http_work() {
    const NOWHERE: &str = "/nowhere/authorities";
    if std::env::var("SSL_CERT_FILE").as_deref() != Ok(NOWHERE) {
        let name = "client::tls::without_authorities_of_the_system_those_of_the_setting_and_plain_http_work";
        super::proxies::passes_with(name, &[("SSL_CERT_FILE", NOWHERE), ("SSL_CERT_DIR", NOWHERE)]);
        return;
    }
    let identity = Identity::new("127.0.0.1", 2999);
    let secure = FakeAnchore::start_tls(Scenario::v2(), &identity);
    post(&client(&secure.url(), &trusting(&identity)), &sender("team")).await.unwrap();
    let plain = FakeAnchore::start(Scenario::v2());
    post(&client(&plain.url(), &settings()), &sender("team")).await.unwrap();
    let insecure = AnchoreHttpSettings { insecure: true, ..settings() };
    post(&client(&secure.url(), &insecure), &sender("team")).await.unwrap();

    let message = Client::new(&secure.url(), &settings()).unwrap_err().to_string();
    assert!(message.contains("anchore.http.ca-certificate") && message.contains("SSL_CERT_FILE"), "{message}");
}

/// Files of a folder that lives as long as the test.
struct Files(tempfile::TempDir);

impl Files {
    fn with(&self, name: &str, content: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

#[test]
fn certificates_that_cannot_work_are_told_with_key_and_file() {
    let files = Files(tempfile::tempdir().unwrap());
    let (one, two) = (Identity::new("kai", 2999), Identity::new("kai", 2999));
    let certificate = files.with("client.pem", &one.certificate);
    let key = files.with("key.pem", &one.key);
    let other_key = files.with("other-key.pem", &two.key);
    let broken = files.with("broken.pem", "-----BEGIN CERTIFICATE-----\nhunter2 is it?\n-----END CERTIFICATE-----\n");
    let junk = files.with("junk.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let text = files.with("text.pem", "hunter2");
    let encrypted = files
        .with("encrypted.pem", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
    let missing = files.0.path().join("missing.pem");
    let folder = files.0.path().to_owned();

    let authority =
        |path: &PathBuf| AnchoreHttpSettings { ca_certificate: Some(Pem::File(path.clone())), ..settings() };
    let shown = |certificate: &PathBuf, key: &PathBuf| AnchoreHttpSettings {
        client: Some(ClientCertificate { certificate: Pem::File(certificate.clone()), key: Pem::File(key.clone()) }),
        ..settings()
    };
    let cases = [
        (authority(&missing), "anchore.http.ca-certificate", &missing, "it cannot be read: no such file or directory"),
        (authority(&folder), "anchore.http.ca-certificate", &folder, "it cannot be read: is a directory"),
        (authority(&text), "anchore.http.ca-certificate", &text, "there is no certificate in it"),
        (authority(&key), "anchore.http.ca-certificate", &key, "there is no certificate in it"),
        (authority(&broken), "anchore.http.ca-certificate", &broken, "it is not PEM"),
        (authority(&junk), "anchore.http.ca-certificate", &junk, "a certificate in it is not an authority"),
        (shown(&missing, &key), "anchore.http.client-certificate", &missing, "it cannot be read"),
        (shown(&key, &key), "anchore.http.client-certificate", &key, "there is no certificate in it"),
        (shown(&junk, &key), "anchore.http.client-certificate", &junk, "the first certificate in it cannot be read"),
        (shown(&certificate, &missing), "anchore.http.client-key", &missing, "it cannot be read"),
        (shown(&certificate, &certificate), "anchore.http.client-key", &certificate, "there is no key in it"),
        (shown(&certificate, &encrypted), "anchore.http.client-key", &encrypted, "the key in it is encrypted"),
        (
            shown(&certificate, &other_key),
            "anchore.http.client-key",
            &other_key,
            "does not belong to the first certificate",
        ),
    ];
    for (settings, setting, path, reason) in cases {
        let message = Client::new("https://anchore.example", &settings).unwrap_err().to_string();
        let expected = format!("{setting} ({}) cannot be used: ", path.display());
        assert!(message.starts_with(&expected) && message.contains(reason), "{message}");
        assert!(message.contains("; write the path of a file with "), "{message}");
        assert!(!message.contains(SECRET), "{message}");
    }
    Client::new("https://anchore.example", &shown(&certificate, &key)).unwrap();
}

#[test]
fn a_pem_text_that_cannot_work_is_told_without_it() {
    let settings = AnchoreHttpSettings { ca_certificate: Some(Pem::Text(SECRET.into())), ..settings() };
    let message = Client::new("https://anchore.example", &settings).unwrap_err().to_string();
    assert!(
        message.starts_with("anchore.http.ca-certificate cannot be used: there is no certificate in it"),
        "{message}"
    );
    assert!(!message.contains(SECRET), "{message}");
}

/// The receiver refuses while the body is being sent, and hangs up: the reason must not be lost with the rest of the body.
#[tokio::test]
async fn a_refusal_of_tls_is_told_of_a_long_body_too() {
    let (identity, mine) = (Identity::new("127.0.0.1", 2999), Identity::new("kai", 2999));
    let anchore = FakeAnchore::start_tls_for(Scenario::v2(), &identity, &mine);
    let client = client(&anchore.url(), &trusting(&identity));
    let mut is_told = false;
    // Which is first, the alert or the end of the connection, is a matter of luck; the key is named either way.
    for _ in 0..10 {
        let body = Body::from(Bytes::from(vec![b'1'; 4_000_000]));
        let failure = post_body(&client, &sender("team"), body).await.unwrap_err();
        let text = told(&failure);
        assert!(text.contains("anchore.http.client-certificate and anchore.http.client-key"), "{text}");
        is_told |= text.contains("the alert CertificateRequired") && !failure.is_retryable();
    }
    assert!(is_told && anchore.received().is_empty());
}
