//! `server.tls.*` and `server.probe-listen`: what they mean, and what cannot go together.

use kai::config::{Listen, ServerTls};
use rstest::rstest;

use crate::{file, nothing};

#[test]
fn without_them_kai_serves_http_and_has_no_other_address() {
    let server = nothing().load().settings.server;
    assert_eq!((server.tls, server.probe_listen), (None, Listen::None));
}

#[test]
fn files_are_named_from_the_working_folder_and_from_home() {
    let case = file(
        "server: {probe-listen: ':8081', tls: {certificate: tls.crt, private-key: ~/tls.key, client-ca: /etc/ca.pem}}",
    );
    let loaded = case.load();
    assert_eq!(loaded.warnings, [""; 0]);
    let expected = ServerTls {
        certificate: case.path("tls.crt"),
        private_key: case.path("home/tls.key"),
        client_ca: Some("/etc/ca.pem".into()),
    };
    assert_eq!(loaded.settings.server.tls, Some(expected));
    assert_eq!(loaded.settings.server.probe_listen, Listen::DualStack(8081));
}

#[test]
fn variables_set_them_too() {
    let case = nothing()
        .variable("KAI_SERVER_TLS_CERTIFICATE", "/a.crt")
        .variable("KAI_SERVER_TLS_PRIVATE_KEY", "/a.key")
        .variable("KAI_SERVER_PROBE_LISTEN", "127.0.0.1:9");
    let server = case.load().settings.server;
    let tls = ServerTls { certificate: "/a.crt".into(), private_key: "/a.key".into(), client_ca: None };
    assert_eq!((server.tls, server.probe_listen), (Some(tls), Listen::Address(([127, 0, 0, 1], 9).into())));
}

#[rstest]
#[case::no_key(
    "server:\n  tls: {certificate: a.crt}",
    &["kai.yaml:2: server.tls.private-key: is not set; set it in the file or by the variable KAI_SERVER_TLS_PRIVATE_KEY, because server.tls.certificate is set and has no use without it; or empty server.tls.certificate"]
)]
#[case::no_certificate(
    "server:\n  tls: {private-key: a.key}",
    &["kai.yaml:2: server.tls.certificate: is not set; set it in the file or by the variable KAI_SERVER_TLS_CERTIFICATE, because server.tls.private-key is set and has no use without it; or empty server.tls.private-key"]
)]
#[case::clients_alone(
    "server:\n  probe-listen: :9\n  tls: {client-ca: a.pem}",
    &[
        "kai.yaml:3: server.tls.certificate: is not set; set it in the file or by the variable KAI_SERVER_TLS_CERTIFICATE, because server.tls.client-ca is set and has no use without it; or empty server.tls.client-ca",
        "kai.yaml:3: server.tls.private-key: is not set; set it in the file or by the variable KAI_SERVER_TLS_PRIVATE_KEY, because server.tls.client-ca is set and has no use without it; or empty server.tls.client-ca",
    ]
)]
#[case::none(
    "server:\n  probe-listen: none",
    &["kai.yaml:2: server.probe-listen: \"none\" is not an address; leave it empty for no separate probe address"]
)]
#[case::no_address(
    "server:\n  probe-listen: 8081",
    &["kai.yaml:2: server.probe-listen: \"8081\" is not a listen address; write an IP address with a port, for example 127.0.0.1:8081, :8081 for every address, or leave it empty"]
)]
#[case::the_same(
    "server:\n  listen: '[::]:8080'\n  probe-listen: :8080",
    &["kai.yaml:3: server.probe-listen: \":8080\" is the address of server.listen too; write another port"]
)]
fn what_cannot_be_is_refused(#[case] text: &str, #[case] problems: &[&str]) {
    assert_eq!(file(text).problems(), problems);
}

#[test]
fn any_free_port_may_be_asked_for_twice() {
    let server = file("server: {listen: '127.0.0.1:0', probe-listen: '127.0.0.1:0'}").load().settings.server;
    assert_eq!(server.listen, server.probe_listen);
}

#[rstest]
#[case::pem(5, "|\n      -----BEGIN PRIVATE KEY-----\n      s3cr3t\n      -----END PRIVATE KEY-----")]
#[case::folded(4, "\"-----BEGIN PRIVATE KEY----- s3cr3t -----END PRIVATE KEY-----\"")]
#[case::base64(4, "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCnMzY3IzdAo=")]
fn a_key_instead_of_its_path_is_refused_unseen(#[case] line: u64, #[case] written: &str) {
    let case = file(&format!("server:\n  tls:\n    certificate: a.crt\n    private-key: {written}\n"));
    let problem = "server.tls.private-key: is not a path; put the PEM text into a file and write its path here, so that it can be renewed";
    assert_eq!(case.problems(), [format!("kai.yaml:{line}: {problem}")]);
}

#[test]
fn with_an_authority_of_clients_probes_need_an_address_of_their_own() {
    let warnings = file("server:\n  tls: {certificate: a, private-key: b, client-ca: c}").warnings();
    let said = "kai.yaml:2: server.tls.client-ca: is set, so probes need a client certificate, which the kubelet does not have; set server.probe-listen";
    assert_eq!(warnings, [said]);
}
