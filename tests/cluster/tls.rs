//! What is said when the API server's certificate, or what answers instead of TLS, is not trusted.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use crate::certificates::Identity;
use crate::fake_api::cluster::FakeCluster;
use crate::fake_api::fault::{Fault, On};
use crate::fake_api::reader::{all, connect, relist, settings};
use crate::fake_api::server::{FakeApi, kubeconfig};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use kai::config::{InlineCluster, InlineUser, KubeconfigSource};

/// The first kubeconfig of a test server, with more in its cluster.
fn with_cluster(address: &str, more: &str) -> String {
    kubeconfig(address, "{token: good}").replace("{server: ", &format!("{{{more}, server: "))
}

fn authority(identity: &Identity) -> String {
    format!("certificate-authority-data: {}", BASE64.encode(&identity.authority))
}

async fn message(api: &FakeApi, text: &str) -> String {
    let mut source = connect(&settings(&api.kubeconfig_text(text))).await.unwrap();
    let read = relist(&mut source, &all()).await;
    assert!(api.asked().is_empty(), "nothing may be sent over such a connection: {:?}", api.asked());
    read.message()
}

#[tokio::test]
async fn a_trusted_server_is_read() {
    let identity = Identity::new("127.0.0.1", 2999);
    let api = FakeApi::start_tls(FakeCluster::of(2, 2).token("good"), &identity).await;
    let path = api.kubeconfig_text(&with_cluster(api.address(), &authority(&identity)));
    let mut source = connect(&settings(&path)).await.unwrap();
    assert_eq!(relist(&mut source, &all()).await.pods().len(), 4);
}

#[tokio::test]
async fn inline_settings_reach_the_same_server() {
    let identity = Identity::new("127.0.0.1", 2999);
    let api = FakeApi::start_tls(FakeCluster::of(1, 2).token("good"), &identity).await;
    let mut settings = settings(std::path::Path::new("unused"));
    settings.source = KubeconfigSource::Inline(Box::new(InlineCluster {
        server: api.address().to_owned(),
        cluster_cert: Some(identity.authority.into_bytes()),
        user: InlineUser::Token("good".into()),
    }));
    let mut source = connect(&settings).await.unwrap();
    assert_eq!(source.cluster_name(), None);
    assert_eq!(relist(&mut source, &all()).await.pods().len(), 2);
}

#[tokio::test]
async fn an_unknown_authority_is_told_with_where_to_put_the_right_one() {
    let identity = Identity::new("127.0.0.1", 2999);
    let api = FakeApi::start_tls(FakeCluster::of(1, 1), &identity).await;
    let other = authority(&Identity::new("127.0.0.1", 2999));
    let message = message(&api, &with_cluster(api.address(), &other)).await;
    assert!(message.contains("its certificate is signed by an authority that is not trusted"), "{message}");
    assert!(message.contains("certificate-authority-data of cluster \"fake-cluster\" in kubeconfig /"), "{message}");
}

#[tokio::test]
async fn an_expired_certificate_is_told() {
    let identity = Identity::new("127.0.0.1", 2001);
    let api = FakeApi::start_tls(FakeCluster::of(1, 1), &identity).await;
    let message = message(&api, &with_cluster(api.address(), &authority(&identity))).await;
    assert!(message.contains("its certificate has expired; renew the API server's certificate"), "{message}");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_told_with_its_names() {
    let identity = Identity::new("api.example", 2999);
    let api = FakeApi::start_tls(FakeCluster::of(1, 1), &identity).await;
    let message = message(&api, &with_cluster(api.address(), &authority(&identity))).await;
    assert!(message.contains("api.example") && message.contains("not for 127.0.0.1"), "{message}");
    assert!(message.contains("set tls-server-name there"), "{message}");

    let more = format!("tls-server-name: api.example, {}", authority(&identity));
    let path = api.kubeconfig_text(&with_cluster(api.address(), &more));
    let mut source = connect(&settings(&path)).await.unwrap();
    assert_eq!(relist(&mut source, &all()).await.pods().len(), 1, "the advice works");
}

#[tokio::test]
async fn a_server_without_tls_is_told() {
    let api = FakeApi::start(FakeCluster::of(1, 1)).await;
    let address = api.address().replace("http:", "https:");
    let identity = Identity::new("127.0.0.1", 2999);
    let message = message(&api, &with_cluster(&address, &authority(&identity))).await;
    assert!(
        message.contains("the server there does not speak TLS; if it is served without TLS, write http://"),
        "{message}"
    );
}

#[tokio::test]
async fn a_server_with_tls_that_is_asked_without_is_told_with_the_setting() {
    let api = FakeApi::start(
        FakeCluster::of(1, 1)
            .fault(On::Everything, Fault::Bare(400, "Client sent an HTTP request to an HTTPS server.\n")),
    )
    .await;
    let mut source = connect(&settings(&api.kubeconfig("{}"))).await.unwrap();
    let message = relist(&mut source, &all()).await.message();
    let expected = "answers 400 to GET /api/v1/pods: Client sent an HTTP request to an HTTPS server.; check server of";
    assert!(message.contains(expected), "{message}");
}
