//! A shell completes namespaces from the live cluster.

use std::process::Command;

use crate::harness::{Kai, shared};

super::claims! {
    AnyCluster: bash_completes_namespaces_from_the_live_cluster,
        completion_without_a_cluster_says_nothing,
}

/// What bash would offer at the end of `line`: the script is loaded and its function is called as bash calls it.
const COMPLETE: &str = r#"
set -eu
source <(kai completion bash)
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
COMP_LINE="$*"
COMP_POINT=${#COMP_LINE}
COMP_TYPE=9
compopt() { :; }
function=$(complete -p kai | sed 's/.* -F \([^ ]*\) .*/\1/')
"$function" kai "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
"#;

fn offered(words: &[&str]) -> Vec<String> {
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_kai")).parent().expect("a folder");
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap_or_default());
    let ended = Kai::of(Command::new("bash")).env("PATH", &path).args(&["-c", COMPLETE, "bash"]).args(words).run();
    let ended = ended.ended_with(0);
    assert_eq!(ended.stderr, "", "nothing lands in the user's line");
    ended.stdout.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

fn bash_completes_namespaces_from_the_live_cluster() {
    let cluster = shared();
    let namespace = cluster.namespace("completed");
    let kubeconfig = cluster.kubeconfig.to_str().expect("a path in UTF-8");
    let typed = &namespace.name[..namespace.name.len() - 3];
    assert_eq!(offered(&["kai", "--kubeconfig", kubeconfig, "-n", typed]), [namespace.name.as_str()]);
    let all = offered(&["kai", "--kubeconfig", kubeconfig, "--namespaces", ""]);
    for name in ["default", "kube-system", &namespace.name] {
        assert!(all.iter().any(|offer| offer == name), "{name} is offered: {all:?}");
    }
    assert_eq!(offered(&["kai", "--kubeconfig", kubeconfig, "-n", "e2e-never-made"]), Vec::<String>::new());
}

fn completion_without_a_cluster_says_nothing() {
    assert_eq!(offered(&["kai", "--kubeconfig", "/nonexistent/kubeconfig", "-n", ""]), Vec::<String>::new());
}
