//! What `kai version` says of the build: commit, state of the tree, date and compiler.
//!
//! A build from an archive has no git: there the variables `KAI_GIT_COMMIT`, `KAI_GIT_TREE_STATE` and
//! `SOURCE_DATE_EPOCH` say it, as the Dockerfile passes them; what nobody says is `unknown`.

use std::env;
use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // A path that is not there would run this at every build.
    for path in [".git/HEAD", ".git/refs/heads"].into_iter().filter(|path| Path::new(path).exists()) {
        println!("cargo::rerun-if-changed={path}");
    }
    for variable in ["KAI_GIT_COMMIT", "KAI_GIT_TREE_STATE", "SOURCE_DATE_EPOCH"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    let commit = given("KAI_GIT_COMMIT").or_else(|| output("git", &["rev-parse", "HEAD"]));
    let state = given("KAI_GIT_TREE_STATE").or_else(|| {
        let changes = Command::new("git").args(["status", "--porcelain", "--untracked-files=no"]).output().ok()?;
        changes.status.success().then(|| if changes.stdout.is_empty() { "clean" } else { "dirty" }.to_owned())
    });
    let date = given("SOURCE_DATE_EPOCH")
        .and_then(|seconds| output("date", &["-u", "-d", &format!("@{seconds}"), "+%Y-%m-%dT%H:%M:%SZ"]))
        .or_else(|| output("git", &["log", "-1", "--format=%cd", "--date=format-local:%Y-%m-%dT%H:%M:%SZ"]));
    let compiler = env::var("RUSTC").ok().and_then(|rustc| output(&rustc, &["--version"]));
    say("BUILD_COMMIT", commit.as_deref());
    say("BUILD_TREE_STATE", state.as_deref());
    say("BUILD_DATE", date.as_deref());
    say("BUILD_COMPILER", compiler.as_deref());
    say("BUILD_TARGET", env::var("TARGET").ok().as_deref());
}

fn say(variable: &str, value: Option<&str>) {
    println!("cargo::rustc-env={variable}={}", value.unwrap_or("unknown"));
}

fn given(variable: &str) -> Option<String> {
    env::var(variable).ok().filter(|value| !value.is_empty())
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).env("TZ", "UTC").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}
