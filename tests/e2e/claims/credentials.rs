//! Whom kai trusts, and as whom it comes: authorities, client certificates, tokens that change.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;

use crate::harness::{Cluster, Kai, run, shared};

super::claims! {
    AnyCluster: the_authority_may_be_a_file_or_inline,
        an_unknown_authority_is_said_and_not_trusted,
        a_token_that_is_not_accepted_is_said,
        a_rotated_token_is_taken_up,
        the_connection_may_stand_in_the_settings;
    OwnControlPlane: client_certificates_are_accepted,
}

const ROTATION: Duration = Duration::from_secs(90);

/// The authority of the cluster, as PEM.
fn authority(cluster: &Cluster) -> Vec<u8> {
    let data = cluster.endpoint["certificate-authority-data"].as_str().expect("an authority");
    BASE64.decode(data).expect("base64")
}

/// A key and a certificate of its own for `subject`, or one that `signer` (a certificate and a key) signs.
fn certificate(dir: &Path, subject: &str, signer: Option<(&Path, &Path)>) -> (PathBuf, PathBuf) {
    let (key, certificate) = (dir.join("client.key"), dir.join("client.crt"));
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", subject]);
    command.arg("-keyout").arg(&key).arg("-out").arg(&certificate);
    if let Some((authority, authority_key)) = signer {
        command.arg("-CA").arg(authority).arg("-CAkey").arg(authority_key);
        command.args(["-addext", "basicConstraints=critical,CA:FALSE", "-addext", "extendedKeyUsage=clientAuth"]);
    }
    run(command, "", Duration::from_secs(30)).ended_with(0);
    (certificate, key)
}

fn the_authority_may_be_a_file_or_inline() {
    let cluster = shared();
    let namespace = cluster.namespace("authority");
    let account = namespace.account("kai");
    account.let_list("pods,namespaces");
    let pem = authority(cluster);
    let file = cluster.scratch(&namespace.name).join("ca.crt");
    fs::write(&file, &pem).expect("the authority can be written");
    let server = &cluster.endpoint["server"];
    for (name, endpoint) in [
        ("file", json!({"server": server, "certificate-authority": file})),
        ("inline", json!({"server": server, "certificate-authority-data": BASE64.encode(&pem)})),
    ] {
        let user = json!({"token": account.token});
        let kubeconfig = cluster.write_kubeconfig(&format!("{}-{name}", namespace.name), &endpoint, &user);
        Kai::new(&kubeconfig).run().ended_with(0);
    }
}

fn an_unknown_authority_is_said_and_not_trusted() {
    let cluster = shared();
    let namespace = cluster.namespace("distrust");
    let (other, _) = certificate(&cluster.scratch(&namespace.name), "/CN=other", None);
    let endpoint = json!({"server": cluster.endpoint["server"], "certificate-authority": other});
    let kubeconfig = cluster.write_kubeconfig(&namespace.name, &endpoint, &json!({"token": "never-sent"}));
    let ended = Kai::new(&kubeconfig).run().ended_with(1);
    for word in ["certificate", cluster.endpoint["server"].as_str().expect("an address")] {
        assert!(ended.stderr.contains(word), "{word} is named: {}", ended.stderr);
    }
    assert!(!ended.stderr.contains("never-sent"), "a token is a secret: {}", ended.stderr);
}

fn a_token_that_is_not_accepted_is_said() {
    let cluster = shared();
    let kubeconfig = cluster.write_kubeconfig("refused", &cluster.endpoint, &json!({"token": "not-a-token"}));
    let ended = Kai::new(&kubeconfig).run().ended_with(1);
    for word in ["401", "credentials"] {
        assert!(ended.stderr.contains(word), "{word} is named: {}", ended.stderr);
    }
    assert!(!ended.stderr.contains("not-a-token"), "a token is a secret: {}", ended.stderr);
}

fn a_rotated_token_is_taken_up() {
    let cluster = shared();
    let namespace = cluster.namespace("rotation");
    let account = namespace.account("kai");
    account.let_list("pods,namespaces");
    let file = cluster.scratch(&namespace.name).join("token");
    let old = namespace.bound_token("kai", "old");
    fs::write(&file, &old).expect("the token can be written");
    let kubeconfig = cluster.write_kubeconfig(&namespace.name, &cluster.endpoint, &json!({"tokenFile": file}));
    // A watch that is open stays so whatever becomes of its token.
    let service = Kai::new(&kubeconfig).env("KAI_COLLECTION_METHOD", "poll").serve().ready();
    fs::write(&file, namespace.bound_token("kai", "new")).expect("the token can be written");
    namespace.end_token(&old, "old");
    service.polled_again(ROTATION);
    assert!(!service.log().contains("poll failed"), "nobody had to wait for it: {}", service.log());
}

fn the_connection_may_stand_in_the_settings() {
    let cluster = shared();
    let namespace = cluster.namespace("settings");
    let account = namespace.account("kai");
    account.let_list("pods,namespaces");
    let server = cluster.endpoint["server"].as_str().expect("an address");
    let config = format!(
        "kubeconfig:\n  cluster: written-here\n  cluster-cert: {}\n  server: {server}\n  user:\n    type: token\n    token: {}\n",
        BASE64.encode(authority(cluster)),
        account.token
    );
    let ended = Kai::bare().config(&config).run().ended_with(0);
    assert!(ended.stdout.contains(r#""cluster_name": "written-here""#), "{:.500}", ended.stdout);
}

fn client_certificates_are_accepted() {
    let cluster = shared();
    let namespace = cluster.namespace("certificates");
    let dir = cluster.scratch(&namespace.name);
    let plane = &cluster.plane().dir;
    let (authority_file, authority_key) = (plane.join("clients.crt"), plane.join("clients.key"));
    let subject = format!("/O={0}-readers/CN={0}", namespace.name);
    let (certificate, key) = certificate(&dir, &subject, Some((&authority_file, &authority_key)));
    let (certificate_pem, key_pem) =
        (fs::read(&certificate).expect("a certificate"), fs::read(&key).expect("a private key"));
    let users = [
        ("files", json!({"client-certificate": certificate, "client-key": key})),
        (
            "inline",
            json!({"client-certificate-data": BASE64.encode(&certificate_pem), "client-key-data": BASE64.encode(&key_pem)}),
        ),
    ];
    let kubeconfigs = users
        .map(|(name, user)| cluster.write_kubeconfig(&format!("{}-{name}", namespace.name), &cluster.endpoint, &user));
    let ended = Kai::new(&kubeconfigs[0]).run().ended_with(1);
    assert!(ended.stderr.contains(&format!("\"{}\"", namespace.name)), "it is known by its name: {}", ended.stderr);

    let role = &namespace.name;
    cluster.kubectl(&["create", "clusterrole", role, "--verb=list", "--resource=pods,namespaces"]);
    let group = format!("--group={}-readers", namespace.name);
    cluster.kubectl(&["create", "clusterrolebinding", role, &format!("--clusterrole={role}"), &group]);
    for kubeconfig in &kubeconfigs {
        Kai::new(kubeconfig).run().ended_with(0);
    }
    let server = cluster.endpoint["server"].as_str().expect("an address");
    let [authority, certificate, key] = [authority(cluster), certificate_pem, key_pem].map(|pem| BASE64.encode(pem));
    let config = format!(
        "kubeconfig:\n  cluster-cert: {authority}\n  server: {server}\n  user:\n    type: private_key\n    client-cert: {certificate}\n    private-key: {key}\n"
    );
    Kai::bare().config(&config).run().ended_with(0);
}
