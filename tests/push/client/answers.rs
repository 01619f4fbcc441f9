//! What each answer of a receiver means.

use std::time::Duration;

use kai::push::Failure;
use rstest::rstest;
use serde_json::{Value, json};

use super::{client, failed, post, sender, settings, told};
use crate::fake_anchore::scenario::{On, Reply, Scenario};
use crate::fake_anchore::server::FakeAnchore;

fn answering(reply: Reply) -> FakeAnchore {
    FakeAnchore::start(Scenario::v2().reply(On::Everything, reply))
}

#[rstest]
#[case::created(Reply::Created, 201, None)]
#[case::json(Reply::Json(200, json!({"uuid": "1"})), 200, Some(json!({"uuid": "1"})))]
#[case::json_by_any_name(Reply::Text(202, "text/plain", " [1]\n"), 202, Some(json!([1])))]
#[case::no_content(Reply::Text(204, "text/plain", ""), 204, None)]
#[case::blank(Reply::Text(200, "text/plain", "\r\n"), 200, None)]
#[tokio::test]
async fn two_hundreds_with_an_empty_or_a_json_body_are_success(
    #[case] reply: Reply,
    #[case] status: u16,
    #[case] json: Option<Value>,
) {
    let anchore = answering(reply);
    let answer = post(&client(&anchore.url(), &settings()), &sender("team")).await.unwrap();
    assert_eq!((answer.status, answer.json), (status, json));
}

#[tokio::test]
async fn a_json_answer_beyond_the_limit_is_success_without_its_content() {
    let anchore = answering(Reply::Json(201, json!(vec!["x"; 100_000])));
    let answer = post(&client(&anchore.url(), &settings()), &sender("team")).await.unwrap();
    assert_eq!((answer.status, answer.json), (201, None));
}

#[rstest]
#[case::login_page(Reply::LoginPage, "an HTML page titled \"Sign in\" (the login page of a proxy?); check anchore.url")]
#[case::page_by_its_beginning(Reply::Text(201, "application/json", "<!doctype html><title>A</title>"), "titled \"A\"")]
#[case::page_by_its_type(Reply::Text(200, "text/html", "{}"), "an HTML page")]
#[case::text(Reply::Text(200, "text/plain", "it works!"), "a text that is no JSON (\"it works!\"); check anchore.url")]
#[case::half_a_json(Reply::Text(200, "application/json", "{\"a\":"), "a text that is no JSON")]
#[tokio::test]
async fn two_hundreds_of_somebody_else_are_no_success(#[case] reply: Reply, #[case] expected: &str) {
    let anchore = answering(reply);
    let (failure, text) = failed(&anchore.url(), &settings()).await;
    assert!(matches!(failure, Failure::NotAnchore { .. }) && text.contains(expected), "{text}");
    assert!(!failure.is_retryable() && !failure.is_not_found(), "{text}");
}

/// What a caller decides by.
fn kinds(failure: &Failure) -> Vec<&'static str> {
    let kinds = [
        ("retryable", failure.is_retryable()),
        ("unknown account", failure.is_unknown_account()),
        ("not found", failure.is_not_found()),
        ("unauthorized", failure.is_unauthorized()),
    ];
    kinds.into_iter().filter(|(_, is)| *is).map(|(name, _)| name).collect()
}

#[rstest]
#[case(Reply::Unauthorized, 401, &["unauthorized"], ": Authentication failed; check anchore.user and anchore.password")]
#[case(Reply::UnknownAccount(403), 403, &["unknown account"], ": User account not found; check the account in anchore.account")]
#[case(Reply::UnknownAccount(404), 404, &["unknown account"], ": User account not found; check the account in anchore.account")]
#[case(Reply::Forbidden, 403, &[], "give the user \"ann\" the right to do that in the account \"team\"")]
#[case(
    Reply::NotFound,
    404,
    &["not found"],
    ": The requested URL was not found on the server.; check anchore.url and anchore.api"
)]
#[case(
    Reply::Text(404, "text/html", "<html><title>nginx</title>"),
    404,
    &["not found"],
    " with an HTML page titled \"nginx\""
)]
#[case(Reply::TooLarge, 413, &[], "7 bytes were sent: set inventory-report-limits.payload-threshold-bytes")]
#[case(Reply::Json(400, json!({"message": "'pods' is a required property"})), 400, &[], ": 'pods' is a required property")]
#[case(Reply::Busy(408, None), 408, &["retryable"], ": the service is busy; try again later")]
#[case(Reply::Busy(429, None), 429, &["retryable"], ": the service is busy; try again later")]
#[case(Reply::Busy(500, None), 500, &["retryable"], ": the service is busy; try again later")]
#[case(Reply::Text(502, "text/html", "<html>"), 502, &["retryable"], " with an HTML page")]
#[case(Reply::Busy(503, None), 503, &["retryable"], ": the service is busy; try again later")]
#[case(Reply::Text(409, "text/plain", "a\u{1b}[2Jb"), 409, &[], ": a\\u{1b}[2Jb; check the receiver's log")]
#[tokio::test]
async fn each_refusal_is_told_apart(
    #[case] reply: Reply,
    #[case] status: u16,
    #[case] expected_kinds: &[&str],
    #[case] expected: &str,
) {
    let anchore = answering(reply);
    let (failure, text) = failed(&anchore.url(), &settings()).await;
    assert_eq!((failure.status(), kinds(&failure)), (Some(status), expected_kinds.to_vec()), "{text}");
    assert!(text.contains(&format!("/v2/kubernetes-inventory answers {status}")) && text.contains(expected), "{text}");
    assert_eq!(anchore.received().len(), 1, "nothing is sent again by itself");
}

#[tokio::test]
async fn retry_after_is_passed_on_as_it_is() {
    let anchore = answering(Reply::Busy(429, Some("7".to_owned())));
    let (failure, _) = failed(&anchore.url(), &settings()).await;
    assert_eq!(failure.retry_after(), Some(Duration::from_secs(7)));

    anchore
        .switch(Scenario::v2().reply(On::Everything, Reply::Busy(503, Some("Thu, 31 Dec 2099 23:59:59 GMT".into()))));
    let (failure, _) = failed(&anchore.url(), &settings()).await;
    assert!(failure.retry_after().is_some_and(|wait| wait > Duration::from_hours(24)), "{failure:?}");

    anchore.switch(Scenario::v2().reply(On::Everything, Reply::Busy(503, Some("soon".into()))));
    let (failure, _) = failed(&anchore.url(), &settings()).await;
    assert_eq!(failure.retry_after(), None);
}

#[tokio::test]
async fn a_server_that_recovers_takes_the_same_body() {
    let anchore = FakeAnchore::start(Scenario::v2().reply_times(On::Everything, Reply::Busy(500, None), 2));
    let client = client(&anchore.url(), &settings());
    assert!(told(&post(&client, &sender("team")).await.unwrap_err()).contains("answers 500"));
    assert!(post(&client, &sender("team")).await.unwrap_err().is_retryable());
    assert_eq!(post(&client, &sender("team")).await.unwrap().status, 201);
    assert!(anchore.received().iter().all(|received| received.body == "{\"a\":1}"));
}

#[tokio::test]
async fn accounts_and_paths_have_answers_of_their_own() {
    let scenario = Scenario::v1()
        .reply(On::account("gone"), Reply::UnknownAccount(403))
        .reply(On::AccountPath("gone".to_owned(), "/version"), Reply::LoginPage)
        .reply(On::Path("/v1/enterprise/inventories"), Reply::Forbidden);
    let anchore = FakeAnchore::start(scenario);
    let client = client(&anchore.url(), &settings());
    assert!(post(&client, &sender("gone")).await.unwrap_err().is_unknown_account());
    assert!(post(&client, &sender("team")).await.unwrap_err().is_not_found());
    let post = async |path| client.post(path, &sender("team"), super::body()).await;
    assert_eq!(post("v1/enterprise/kubernetes-inventory").await.unwrap().status, 201);
    assert_eq!(post("v1/enterprise/inventories").await.unwrap_err().status(), Some(403));
    let version = client.get("version", None).await.unwrap().json.unwrap();
    assert!(version["api"].is_null() && version["service"]["version"] == "4.9.5", "{version}");
    assert_eq!(client.get("version", Some(&sender("gone"))).await.unwrap_err().status(), Some(200));
}
