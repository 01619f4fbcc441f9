//! What is sent, over which connection, until when, and with which password.

use std::time::Duration;

use bytes::Bytes;
use kai::config::AnchoreHttpSettings;
use kai::push::{Body, CallError, Failure, Sender};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{SECRET, client, failed, post, post_body, sender, sender_with_file, settings, told};
use crate::fake_anchore::scenario::{On, Reply, Scenario};
use crate::fake_anchore::server::FakeAnchore;

#[tokio::test]
async fn a_push_arrives_whole() {
    let anchore = FakeAnchore::start(Scenario::v2());
    let client = client(&format!("{}/", anchore.url()), &settings());
    assert_eq!(client.url("/v2/kubernetes-inventory"), format!("{}/v2/kubernetes-inventory", anchore.url()));
    assert_eq!(format!("{client:?}"), format!("Client({}/)", anchore.url()), "no secret is in it");
    let answer = post(&client, &sender("team")).await.unwrap();
    assert_eq!((answer.status, answer.json), (201, None));

    let received = anchore.received().remove(0);
    assert_eq!((received.method.as_str(), received.path.as_str()), ("POST", "/v2/kubernetes-inventory"));
    assert_eq!(received.user.as_deref(), Some("ann"));
    assert_eq!(received.password.as_deref(), Some(SECRET));
    assert_eq!(received.account.as_deref(), Some("team"));
    assert_eq!(received.header("content-type"), "application/json");
    assert_eq!(received.header("content-length"), "7");
    assert_eq!(received.header("content-encoding"), "");
    assert_eq!(received.header("user-agent"), concat!("kai/", env!("CARGO_PKG_VERSION")));
    assert_eq!(received.body, "{\"a\":1}");
}

#[tokio::test]
async fn a_packed_push_arrives_unpacked_the_same() {
    let anchore = FakeAnchore::start(Scenario::v2());
    let client = client(&anchore.url(), &AnchoreHttpSettings { compress: true, ..settings() });
    let bytes = [vec![b'1'; 1_000_000], vec![b'2'; 1_000_000]].concat();
    let body = Body::from(Bytes::from(bytes.clone()));
    post_body(&client, &sender("team"), body.clone()).await.unwrap();
    post_body(&client, &sender("team"), body.clone()).await.unwrap();
    for received in anchore.received() {
        assert_eq!(received.header("content-encoding"), "gzip");
        assert!(received.header("content-length").parse::<usize>().unwrap() < 100_000);
        assert_eq!(received.body[..], bytes);
    }
}

#[tokio::test]
async fn without_an_account_there_is_no_header_and_without_a_sender_no_credentials() {
    let anchore = FakeAnchore::start(Scenario::v2());
    let client = client(&anchore.url(), &settings());
    post(&client, &Sender { account: None, ..sender("") }).await.unwrap();
    let version = client.get("version", None).await.unwrap();
    assert_eq!(version.json.unwrap()["api"]["version"], "2");
    let received = anchore.received();
    assert_eq!((received[0].account.as_deref(), received[0].user.as_deref()), (None, Some("ann")));
    assert_eq!((received[1].method.as_str(), received[1].path.as_str()), ("GET", "/version"));
    assert_eq!((received[1].account.as_deref(), received[1].user.as_deref()), (None, None));
}

#[tokio::test]
async fn an_account_may_have_any_letters_but_no_control_character() {
    let anchore = FakeAnchore::start(Scenario::v2());
    let client = client(&anchore.url(), &settings());
    post(&client, &sender("équipe")).await.unwrap();
    assert_eq!(anchore.received()[0].account.as_deref(), Some("équipe"));
    let text = told(&post(&client, &sender("a\r\nx-admin: 1")).await.unwrap_err());
    assert!(text.contains("the account \"a\\r\\nx-admin: 1\"") && text.contains("account-routes"), "{text}");
    assert_eq!(anchore.received().len(), 1);
}

#[tokio::test]
async fn two_pushes_go_over_one_connection() {
    let anchore = FakeAnchore::start(Scenario::v2().reply_times(On::Everything, Reply::NotFound, 1));
    let client = client(&anchore.url(), &settings());
    post(&client, &sender("team")).await.unwrap_err();
    post(&client, &sender("other")).await.unwrap();
    client.get("version", None).await.unwrap();
    post(&client, &sender("team")).await.unwrap();
    let connections: Vec<usize> = anchore.received().iter().map(|received| received.connection).collect();
    assert_eq!(connections, [0, 0, 0, 0]);
}

#[tokio::test]
async fn a_receiver_that_was_down_is_reached_by_the_same_client() {
    let mut anchore = FakeAnchore::down(Scenario::v2());
    let client = client(&anchore.url(), &settings());
    let failure = post(&client, &sender("team")).await.unwrap_err();
    let text = told(&failure);
    assert!(text.starts_with(&format!("cannot reach {}/v2/", anchore.url())), "{text}");
    assert!(text.contains("connection refused; check anchore.url, and that the receiver runs"), "{text}");
    assert!(failure.is_retryable() && failure.status().is_none());

    anchore.come_up();
    post(&client, &sender("team")).await.unwrap();
    anchore.go_down().await;
    assert!(post(&client, &sender("team")).await.unwrap_err().is_retryable());
    anchore.come_up();
    post(&client, &sender("team")).await.unwrap();
    assert_eq!(anchore.wait_for(2).await.len(), 2);
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_told() {
    let (failure, text) = failed("http://anchore.invalid", &settings()).await;
    assert!(
        matches!(failure, Failure::Call(CallError::Unreachable { .. })) && text.contains("its name does not resolve"),
        "{text}"
    );
    assert!(text.contains("check anchore.url"), "{text}");
}

#[tokio::test]
async fn a_slow_receiver_is_given_up_at_the_deadline() {
    let anchore = FakeAnchore::start(Scenario::v2().reply(On::Everything, Reply::Slow(super::LIMIT)));
    let settings = AnchoreHttpSettings { timeout: Duration::from_millis(200), ..settings() };
    let (failure, text) = failed(&anchore.url(), &settings).await;
    assert!(text.contains("within 200ms") && text.contains("raise anchore.http.timeout-seconds"), "{text}");
    assert!(matches!(failure, Failure::Call(CallError::Timeout { .. })) && failure.is_retryable());
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_no_success() {
    let anchore = FakeAnchore::start(Scenario::v2().reply(On::Everything, Reply::Cut));
    let (failure, text) = failed(&anchore.url(), &settings()).await;
    assert!(matches!(failure, Failure::Call(CallError::BrokenOff { .. })) && failure.is_retryable(), "{text}");
}

/// As proxies in front of a receiver do it: refused by its length, before it is read.
#[tokio::test]
async fn a_refusal_that_comes_before_the_body_was_sent_is_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut start = [0; 1024];
        stream.read_exact(&mut start).await.unwrap();
        stream.write_all(b"HTTP/1.1 413 Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").await.unwrap();
        // The rest is read and thrown away until the client hangs up.
        let mut rest = vec![0; 64 * 1024];
        while stream.read(&mut rest).await.is_ok_and(|count| count > 0) {}
    });
    let body = Body::from(Bytes::from(vec![b'1'; 16_000_000]));
    let failure = post_body(&client(&url, &settings()), &sender("team"), body).await.unwrap_err();
    let text = told(&failure);
    assert!(text.contains("answers 413") && text.contains("16000000 bytes were sent"), "{text}");
    tokio::time::timeout(super::LIMIT, server).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_password_file_is_read_again_when_it_changes() {
    let anchore = FakeAnchore::start(Scenario::v2().password("hunter2-new"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    std::fs::write(&path, "hunter2-old\n").unwrap();
    let (client, sender) = (client(&anchore.url(), &settings()), sender_with_file(&path));
    let text = told(&post(&client, &sender).await.unwrap_err());
    assert!(text.contains("answers 401") && text.contains("check anchore.user and anchore.password-file"), "{text}");
    assert_eq!(anchore.received().len(), 1, "the same password is not sent twice");

    std::fs::write(&path, "hunter2-new\n").unwrap();
    post(&client, &sender).await.unwrap();
    assert_eq!(anchore.received().len(), 2);
}

#[tokio::test]
async fn a_password_file_is_read_again_whatever_its_time_says() {
    let anchore = FakeAnchore::start(Scenario::v2().password("hunter2-old"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    std::fs::write(&path, "hunter2-old").unwrap();
    let modified = std::fs::metadata(&path).unwrap().modified().unwrap();
    let (client, sender) = (client(&anchore.url(), &settings()), sender_with_file(&path));
    post(&client, &sender).await.unwrap();

    // Changed on both sides, and written with the old time.
    anchore.switch(Scenario::v2().password("hunter2-new"));
    std::fs::write(&path, "hunter2-new").unwrap();
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    post(&client, &sender).await.unwrap();
    let passwords: Vec<_> = anchore.received().into_iter().filter_map(|received| received.password).collect();
    assert_eq!(passwords, ["hunter2-old", "hunter2-new"]);
}

#[tokio::test]
async fn a_password_file_that_is_not_there_is_told_and_nothing_sent() {
    let anchore = FakeAnchore::start(Scenario::v2());
    let folder = tempfile::tempdir().unwrap();
    let sender = sender_with_file(&folder.path().join("password"));
    let failure = post(&client(&anchore.url(), &settings()), &sender).await.unwrap_err();
    let text = told(&failure);
    assert!(text.starts_with("anchore.password-file /") && text.contains("no such file or directory"), "{text}");
    assert!(!failure.is_retryable() && anchore.received().is_empty());
}
