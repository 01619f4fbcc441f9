//! `kubectl kai`, and what shells offer for the questions about images.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use rstest::rstest;

use crate::one_shot::{DEMO, status, stderr, stdout};

/// What bash offers: the script is loaded and its function is called as bash calls it.
const BASH: &str = r#"
source <(kai completion bash)
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_TYPE=9
compopt() { :; }
function=$(complete -p kai | sed 's/.* -F \([^ ]*\) .*/\1/')
"$function" kai "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
"#;

/// What zsh is given to describe. Only its line editor has the real `_describe` and `compdef`.
const ZSH: &str = r#"
compdef() { function=$1 }
_describe() { print -rl -- ${(P)3} }
source <(kai completion zsh)
words=("$@") CURRENT=$#
$function
"#;

/// What fish itself says that it would offer.
const FISH: &str = r#"
kai completion fish | source
complete --do-complete "$argv"
"#;

/// A folder with kai under the names that it is called by.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["kai", "kubectl-kai"] {
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_kai"), folder.path().join(name)).expect("a link");
    }
    folder
}

fn run(program: &str, folder: &Path, arguments: &[&str]) -> Option<Output> {
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new(program);
    command.env("PATH", path).env("HOME", folder).current_dir(folder).args(arguments);
    match command.output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            // Past what collects the output of tests that pass.
            let _unread = writeln!(std::io::stderr(), "LEFT OUT: {program} is not on this machine");
            None
        }
        output => Some(output.expect("it runs")),
    }
}

/// What the shell offers behind these words; nothing where it is not on this machine.
fn offered(shell: &str, line: &[&str]) -> Option<Vec<String>> {
    let folder = folder();
    let joined = line.join(" ");
    let output = match shell {
        "bash" => run("bash", folder.path(), &[&["-c", BASH, "bash"], line].concat()),
        "zsh" => run("zsh", folder.path(), &[&["-f", "-c", ZSH, "zsh"], line].concat()),
        _ => run("fish", folder.path(), &["--no-config", "--command", FISH, &joined]),
    }?;
    assert_eq!((status(&output), &*stderr(&output)), (0, ""), "{shell}");
    let first = |line: &str| line.split(['\t', ':']).next().unwrap_or_default().trim().to_owned();
    Some(stdout(&output).lines().map(first).filter(|word| !word.is_empty()).collect())
}

const WORDS: [&str; 6] = ["table", "wide", "json", "yaml", "name", "csv"];

#[rstest]
fn shells_offer_the_questions_their_flags_and_their_formats(#[values("bash", "zsh", "fish")] shell: &str) {
    let Some(commands) = offered(shell, &["kai", ""]) else { return };
    for command in ["images", "containers", "where", "diff"] {
        assert!(commands.iter().any(|offer| offer == command), "{shell}: {command} in {commands:?}");
        let flags = offered(shell, &["kai", command, "--"]).expect("it is there");
        for flag in ["--registry", "--flag", "--no-headers", "--output", "--namespaces"] {
            assert!(flags.iter().any(|offer| offer == flag), "{shell}: {command} {flag} in {flags:?}");
        }
        let formats = offered(shell, &["kai", command, "-o", ""]).expect("it is there");
        let own: &[&str] = match command {
            "images" => &["text", "cyclonedx", "skopeo", "hauler", "zarf"],
            _ => &[],
        };
        let words = if command == "diff" { &WORDS[..5] } else { &WORDS };
        assert_eq!(formats, [words, own].concat(), "{shell}: {command}");
    }
    assert_eq!(
        offered(shell, &["kai", "images", "--flag", "float"]).expect("it is there"),
        ["floating-tag"],
        "{shell}"
    );
    assert_eq!(offered(shell, &["kai", "-o", ""]).expect("it is there"), ["json", "table", "csv"], "{shell}: reports");
}

#[test]
fn a_format_may_stand_before_the_command_too() {
    let folder = folder();
    let output = run("kai", folder.path(), &["-o", "name", "where", "redis", "--input", DEMO]).expect("kai");
    assert_eq!((status(&output), &*stderr(&output)), (0, ""));
    assert!(stdout(&output).starts_with("shop/sessions-"), "{}", stdout(&output));
}

#[test]
fn as_a_plugin_kai_says_what_the_user_types_and_answers_alike() {
    let folder = folder();
    let plugin = |arguments: &[&str]| run("kubectl-kai", folder.path(), arguments).expect("a plugin");
    for arguments in [&["--help"][..], &["where", "--help"], &["help", "where"]] {
        let help = stdout(&plugin(arguments));
        assert!(help.contains("Usage: kubectl kai "), "{help}");
        assert!(help.contains("\n  kubectl kai where nginx") && !help.contains("\n  kai "), "{help}");
    }
    let refused = plugin(&["where"]);
    assert_eq!(status(&refused), 2);
    assert!(stderr(&refused).contains("Usage: kubectl kai where "), "{}", stderr(&refused));
    let asked = ["where", "redis", "--input", DEMO, "-o", "json"];
    let plain = run("kai", folder.path(), &asked).expect("kai");
    let rows = |output: &Output| {
        let answer: serde_json::Value = serde_json::from_str(&stdout(output)).expect("JSON");
        answer["containers"].clone()
    };
    assert_eq!((status(&plain), rows(&plain)), (0, rows(&plugin(&asked))));
    assert!(stdout(&plugin(&["completion", "bash"])).contains(" kubectl-kai\n"), "its own name is completed");
}

/// kubectl asks its plugins for candidates by `kubectl_complete-…`, and shells ask kubectl by `__complete`.
#[test]
fn kubectl_runs_the_plugin_and_completes_it() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = folder();
    let kubectl = |arguments: &[&str]| run("kubectl", folder.path(), arguments);
    let Some(version) = kubectl(&["kai", "version"]) else { return };
    assert!(stdout(&version).starts_with("Application:   kai\n"), "{}", stderr(&version));
    let script = folder.path().join("kubectl_complete-kai");
    std::fs::write(&script, stdout(&kubectl(&["kai", "completion", "kubectl"]).expect("kubectl"))).expect("written");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("executable");
    let complete = |line: &[&str]| stdout(&kubectl(&[&["__complete", "kai"], line].concat()).expect("kubectl"));
    let commands = complete(&[""]);
    assert!(commands.contains("\nwhere\tFind the pods of an image or a digest, and who owns them\n"), "{commands}");
    assert!(commands.ends_with("\n:4\n"), "kubectl is told to offer no files: {commands}");
    assert_eq!(complete(&["images", "-o", "cyc"]), "cyclonedx\n:4\n");
    std::fs::create_dir(folder.path().join("must-gather")).expect("a folder");
    assert_eq!(complete(&["where", "-f", "must"]), "must-gather/\n:6\n", "and no space behind a folder");
}
