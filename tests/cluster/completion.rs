//! What a shell offers behind `-n` and `--context`.

use std::process::Stdio;

use tokio::process::Command;

use crate::fake_api::cluster::FakeCluster;
use crate::fake_api::server::FakeApi;

/// What bash would offer for the last word.
async fn offered(words: &[&str]) -> Vec<String> {
    let ended = Command::new(env!("CARGO_BIN_EXE_kai"))
        .env_clear()
        .envs([("HOME", "/nonexistent"), ("COMPLETE", "bash"), ("_CLAP_IFS", "\n"), ("_CLAP_COMPLETE_COMP_TYPE", "9")])
        .env("_CLAP_COMPLETE_INDEX", words.len().to_string())
        .args(["--", "kai"])
        .args(words)
        .stdin(Stdio::null())
        .output()
        .await
        .expect("kai runs");
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "", "nothing lands in the user's line");
    String::from_utf8(ended.stdout).expect("UTF-8").lines().map(|line| line.trim().to_owned()).collect()
}

#[tokio::test]
async fn a_namespace_of_the_list_is_not_offered_again() {
    let api = FakeApi::start(FakeCluster::of(3, 0)).await;
    let kubeconfig = api.kubeconfig("{}");
    let kubeconfig = kubeconfig.to_str().expect("UTF-8");
    for (typed, expected) in [
        ("", &["ns-0", "ns-1", "ns-2"] as &[&str]),
        ("ns-1", &["ns-1"]),
        ("ns-1,", &["ns-1,ns-0", "ns-1,ns-2"]),
        ("ns-1,ns-0,n", &["ns-1,ns-0,ns-2"]),
    ] {
        let mut names = Vec::new();
        // A shell does not wait long for the cluster, which may be slow here.
        for _ in 0..20 {
            names = offered(&["-k", kubeconfig, "-n", typed]).await;
            if !names.is_empty() {
                break;
            }
        }
        assert_eq!(names, expected, "behind {typed}");
    }
}

#[tokio::test]
async fn the_contexts_of_the_kubeconfig_are_offered() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("config");
    let context = |name: &str| format!("- {{name: {name}, context: {{cluster: c, user: u}}}}\n");
    let contexts: String = ["prod-eu", "prod-us", "test"].map(context).concat();
    std::fs::write(&path, format!("apiVersion: v1\nkind: Config\ncontexts:\n{contexts}")).expect("written");
    let path = path.to_str().expect("UTF-8");
    assert_eq!(offered(&["-k", path, "--context", ""]).await, ["prod-eu", "prod-us", "test"]);
    assert_eq!(offered(&["-k", path, "--context", "prod"]).await, ["prod-eu", "prod-us"]);
    assert_eq!(offered(&["-k", path, "--context=t"]).await.len(), 1);
}
