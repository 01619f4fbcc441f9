//! Redirects: none is followed, and the message says what to write into `anchore.url`.

use kai::push::Failure;
use rstest::rstest;

use super::{failed, settings};
use crate::fake_anchore::scenario::{On, Reply, Scenario};
use crate::fake_anchore::server::FakeAnchore;

#[rstest]
#[case::other_name("http://localhost:PORT/v2/kubernetes-inventory", "write http://localhost:PORT there")]
#[case::base_path("/moved/v2/kubernetes-inventory", "/moved there if that is the receiver")]
#[case::login("/login?token=hunter2", "check it, and what stands before the receiver")]
#[tokio::test]
async fn a_redirect_is_not_followed_and_names_what_to_write(
    #[values(301, 302, 303, 307, 308)] status: u16,
    #[case] to: &str,
    #[case] advice: &str,
) {
    let other = FakeAnchore::start(Scenario::v2().reply(On::Everything, Reply::Created));
    let port = other.url().rsplit(':').next().unwrap().to_owned();
    let (to, advice) = (to.replace("PORT", &port), advice.replace("PORT", &port));
    let anchore = FakeAnchore::start(Scenario::v2().reply(On::Everything, Reply::Redirect(status, to)));
    let (failure, text) = failed(&anchore.url(), &settings()).await;
    assert!(text.contains(&format!("redirects ({status}) to http")) && text.contains(&advice), "{text}");
    assert!(matches!(failure, Failure::Redirect { .. }) && failure.status() == Some(status), "{text}");
    assert!(!failure.is_retryable() && other.received().is_empty() && anchore.received().len() == 1);
}
