//! Redirects: followed on the same host with the same request, and nowhere else.

use kai::config::{AnchoreHttpSettings, Pem};
use kai::push::Failure;
use rstest::rstest;

use super::{SECRET, client, failed, post, sender, settings};
use crate::certificates::Identity;
use crate::fake_anchore::scenario::{On, Reply, Scenario};
use crate::fake_anchore::server::FakeAnchore;

/// A receiver that sends whoever asks for the inventory somewhere else.
fn redirecting(status: u16, to: &str) -> FakeAnchore {
    let elsewhere = Reply::Redirect(status, to.to_owned());
    FakeAnchore::start(
        Scenario::v2().reply(On::Path("/moved"), Reply::Created).reply(On::Path("/v2/kubernetes-inventory"), elsewhere),
    )
}

#[rstest]
#[tokio::test]
async fn a_redirect_on_the_same_host_is_followed_with_the_same_request(
    #[values(301, 302, 307, 308)] status: u16,
    #[values("/moved/here", "../moved/here?x=1")] to: &str,
) {
    let anchore = redirecting(status, to);
    assert_eq!(post(&client(&anchore.url(), &settings()), &sender("team")).await.unwrap().status, 201);
    let received = anchore.received();
    assert_eq!(received.len(), 2);
    assert!(received[1].path.starts_with("/moved/here"), "{}", received[1].path);
    for received in received {
        assert_eq!((received.method.as_str(), &received.body[..]), ("POST", &b"{\"a\":1}"[..]));
        assert_eq!(received.password.as_deref(), Some(SECRET));
        assert_eq!(received.account.as_deref(), Some("team"));
    }
}

#[tokio::test]
async fn a_redirect_to_tls_on_the_same_host_is_followed() {
    let identity = Identity::new("127.0.0.1", 2999);
    let secure = FakeAnchore::start_tls(Scenario::v2(), &identity);
    let plain = redirecting(308, &format!("{}/v2/kubernetes-inventory", secure.url()));
    let trusting = AnchoreHttpSettings { ca_certificate: Some(Pem::Text(identity.authority.into())), ..settings() };
    post(&client(&plain.url(), &trusting), &sender("team")).await.unwrap();
    assert_eq!(secure.received()[0].password.as_deref(), Some(SECRET));
}

#[rstest]
#[case::other_port("http://127.0.0.1:PORT/base/v2/kubernetes-inventory", "write http://127.0.0.1:PORT/base/ there")]
#[case::other_name("http://localhost:PORT/v2/kubernetes-inventory", "write http://localhost:PORT/ there")]
#[tokio::test]
async fn a_redirect_to_another_server_is_told_and_nothing_goes_there(#[case] to: &str, #[case] advice: &str) {
    let other = FakeAnchore::start(Scenario::v2().reply(On::Everything, Reply::Created));
    let port = other.url().rsplit(':').next().unwrap().to_owned();
    let (to, advice) = (to.replace("PORT", &port), advice.replace("PORT", &port));
    let anchore = redirecting(307, &to);
    let (failure, text) = failed(&anchore.url(), &settings()).await;
    assert!(text.contains(&format!("redirects (307) to {to}; ")) && text.contains(&advice), "{text}");
    assert!(matches!(failure, Failure::Redirect { .. }) && failure.status() == Some(307), "{text}");
    assert!(!failure.is_retryable() && other.received().is_empty());
}

#[tokio::test]
async fn a_redirect_away_from_tls_is_told_and_nothing_goes_there() {
    let identity = Identity::new("127.0.0.1", 2999);
    let plain = FakeAnchore::start(Scenario::v2());
    let elsewhere = Reply::Redirect(301, format!("{}/v2/kubernetes-inventory", plain.url()));
    let secure = FakeAnchore::start_tls(Scenario::v2().reply(On::Everything, elsewhere), &identity);
    let trusting = AnchoreHttpSettings { ca_certificate: Some(Pem::Text(identity.authority.into())), ..settings() };
    let (_, text) = failed(&secure.url(), &trusting).await;
    assert!(text.contains("which has no TLS"), "{text}");
    assert!(plain.received().is_empty());
}

#[rstest]
#[case::see_other(303, "/moved/here", "redirects (303) to http://127.0.0.1:", 1)]
#[case::for_ever(302, "/v2/kubernetes-inventory", "redirects (302) after 3 redirects", 4)]
#[tokio::test]
async fn a_redirect_that_leads_nowhere_is_told(
    #[case] status: u16,
    #[case] to: &str,
    #[case] expected: &str,
    #[case] asked: usize,
) {
    let anchore = redirecting(status, to);
    let (_, text) = failed(&anchore.url(), &settings()).await;
    assert!(text.contains(expected) && text.contains("check anchore.url"), "{text}");
    assert_eq!(anchore.received().len(), asked);
}
