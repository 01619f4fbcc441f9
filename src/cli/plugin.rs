//! `kubectl kai`: kai under the name `kubectl-kai`, by which kubectl finds its plugins.

use std::ffi::OsStr;
use std::path::Path;

use clap::{Command, CommandFactory as _};

use super::Cli;

/// The file name that makes kai a plugin.
pub(super) const FILE: &str = "kubectl-kai";
/// What the user types then.
const TYPED: &str = "kubectl kai";
/// What stands before a `kai` that is typed, in examples and in running text.
const BEFORE: [&str; 3] = ["\n  ", "| ", "`"];

/// What `kai completion kubectl` prints: kubectl calls it with the words behind `kubectl kai` and takes candidates, one a
/// line, with their help behind a tab, as fish does. The last line has bits: 4 offers no files, 2 adds no space.
pub(super) const COMPLETION: &str = r#"#!/bin/sh
# Completes `kubectl kai`: an executable file named kubectl_complete-kai on the PATH.
candidates=$(COMPLETE=fish kubectl-kai -- kubectl-kai "$@")
printf '%s\n' "$candidates"
case $candidates in
  */ | *=) echo :6 ;;
  *) echo :4 ;;
esac
"#;

/// Whether the program was started by kubectl, or under the name that kubectl looks for.
pub(super) fn is_plugin() -> bool {
    std::env::args_os().next().is_some_and(|program| is_name_of_plugin(&program))
}

/// kubectl takes `-` and `_` for the same.
fn is_name_of_plugin(program: &OsStr) -> bool {
    let name = Path::new(program).file_name().and_then(OsStr::to_str).unwrap_or_default();
    name.strip_suffix(".exe").unwrap_or(name).replace('_', "-") == FILE
}

/// The command line under the name that it was started by.
pub(super) fn command() -> Command {
    if is_plugin() { as_plugin(Cli::command()) } else { Cli::command() }
}

/// Help and usage say what the user types.
fn as_plugin(command: Command) -> Command {
    spelled(command.bin_name(TYPED).display_name(TYPED)).mut_subcommands(spelled)
}

fn spelled(command: Command) -> Command {
    let Some(text) = command.get_after_help().map(ToString::to_string) else { return command };
    let text =
        BEFORE.iter().fold(text, |text, before| text.replace(&format!("{before}kai "), &format!("{before}{TYPED} ")));
    command.after_help(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_name_that_kubectl_looks_for_makes_a_plugin() {
        for program in ["kubectl-kai", "/opt/bin/kubectl-kai", "kubectl_kai", "kubectl-kai.exe"] {
            assert!(is_name_of_plugin(OsStr::new(program)), "{program}");
        }
        for program in ["kai", "/kubectl-kai/kai", "kubectl-kai-2", "kubectl-kaiser", ""] {
            assert!(!is_name_of_plugin(OsStr::new(program)), "{program}");
        }
    }

    #[test]
    fn a_plugin_says_in_its_examples_what_the_user_types() {
        as_plugin(Cli::command()).debug_assert();
        for command in as_plugin(Cli::command()).get_subcommands() {
            let text = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(!text.contains("\n  kai ") && !text.contains("| kai "), "{text}");
        }
    }
}
