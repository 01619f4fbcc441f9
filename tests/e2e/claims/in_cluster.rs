//! In a pod: the service account that the kubelet projects into the file system.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::harness::{Cluster, Kai, eventually, run, shared};

super::claims! {
    AnyCluster: outside_of_a_pod_the_message_says_what_was_looked_for;
    OwnControlPlaneOnLinux: the_projected_service_account_is_found_and_followed,
}

/// Where a pod finds its service account: nowhere else does kai look, so the folder must really be there.
const PLACE: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// In a mount namespace of its own, with a file system over /var/run that ends with it: puts the folder where a pod has
/// it, and becomes kai. Nothing is left behind on the machine. The folder is bound, so that what is written to it later is seen.
const POD: &str = r#"
set -eu
mount -t tmpfs none "$(readlink -f /var/run)"
mkdir -p "$PLACE"
mount --bind "$PROJECTED" "$PLACE"
unset PROJECTED PLACE
exec "$@"
"#;

/// kai in such a namespace. Where making one needs root and this is not root, a user namespace gives it.
fn in_pod(cluster: &Cluster, projected: &Path) -> Kai {
    let mut kai = Kai::of(unshare()).args(&["sh", "-c", POD, "sh", env!("CARGO_BIN_EXE_kai")]);
    let server = cluster.endpoint["server"].as_str().expect("an address");
    let (host, port) = server.trim_start_matches("https://").rsplit_once(':').expect("an address with a port");
    for (name, value) in [("PROJECTED", projected.to_str().expect("a path in UTF-8")), ("PLACE", PLACE)] {
        kai = kai.env(name, value);
    }
    kai.env("KUBERNETES_SERVICE_HOST", host).env("KUBERNETES_SERVICE_PORT", port)
}

fn unshare() -> Command {
    let with = |arguments: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(arguments);
        command
    };
    let works = |arguments: &[&str]| {
        let mut command = with(arguments);
        command.arg("true");
        run(command, "", Duration::from_secs(10)).status.success()
    };
    let ways: [&[&str]; 2] = [&["--mount"], &["--map-root-user", "--mount"]];
    let way = ways.into_iter().find(|way| works(way));
    with(way.expect("this claim needs a mount namespace: run as root, or allow unprivileged user namespaces"))
}

/// Writes what a kubelet projects: each state in a folder of its own, and a link that is moved to the newest at once.
fn project(dir: &Path, version: &str, token: &str, authority: &[u8], namespace: &str) {
    let state = dir.join(format!("..{version}"));
    fs::create_dir_all(&state).expect("a folder can be made");
    for (name, content) in [("token", token.as_bytes()), ("ca.crt", authority), ("namespace", namespace.as_bytes())] {
        fs::write(state.join(name), content).expect("a file can be written");
        if !dir.join(name).exists() {
            symlink(Path::new("..data").join(name), dir.join(name)).expect("a link can be made");
        }
    }
    symlink(format!("..{version}"), dir.join("..data_tmp")).expect("a link can be made");
    fs::rename(dir.join("..data_tmp"), dir.join("..data")).expect("a link can be moved");
}

fn the_projected_service_account_is_found_and_followed() {
    let cluster = shared();
    let namespace = cluster.namespace("pod");
    let account = namespace.account("kai");
    account.let_list("pods,namespaces");
    namespace.create_pod("web", "web:1");
    let authority = cluster.endpoint["certificate-authority-data"].as_str().expect("an authority");
    let authority = BASE64.decode(authority).expect("base64");
    let projected = cluster.scratch(&namespace.name);
    let bound = |secret: &str| {
        cluster.kubectl(&["-n", &namespace.name, "create", "secret", "generic", secret]);
        namespace.token("kai", &["--bound-object-kind=Secret", &format!("--bound-object-name={secret}")])
    };
    project(&projected, "2026_11_01", &bound("old"), &authority, &namespace.name);

    let ended = in_pod(cluster, &projected).run().ended_with(0);
    assert!(ended.stdout.contains(r#""web:1""#), "{:.500}", ended.stdout);
    in_pod(cluster, &projected).env("KAI_KUBECONFIG_PATH", "use-in-cluster").run().ended_with(0);

    // A watch that is open stays so whatever becomes of its token.
    let service = in_pod(cluster, &projected).env("KAI_COLLECTION_METHOD", "poll").serve().ready();
    project(&projected, "2026_11_02", &bound("new"), &authority, &namespace.name);
    cluster.kubectl(&["-n", &namespace.name, "delete", "secret", "old"]);
    // Until the API server stops believing the old token nothing is shown by a poll that goes well.
    let old = fs::read_to_string(projected.join("..2026_11_01/token")).expect("the old token");
    let stale = cluster.write_kubeconfig(&namespace.name, &cluster.endpoint, &serde_json::json!({"token": old}));
    eventually("end of the old token", Duration::from_mins(1), || {
        let code = Kai::new(&stale).run().code();
        if code == 1 { Ok(()) } else { Err(format!("kai with it ends with {code}")) }
    });
    service.polled_again(Duration::from_secs(90));
    assert!(!Path::new(PLACE).exists(), "nothing is left behind");
}

fn outside_of_a_pod_the_message_says_what_was_looked_for() {
    let ended = Kai::bare().run();
    assert!(matches!(ended.code(), 1 | 2), "{ended:?}");
    for word in ["KUBECONFIG", ".kube/config", "KUBERNETES_SERVICE_HOST"] {
        assert!(ended.stderr.contains(word), "{word} is named: {}", ended.stderr);
    }
}
