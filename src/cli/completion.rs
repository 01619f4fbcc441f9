//! `kai completion`: scripts for shells and for kubectl, and the namespaces of the live cluster behind `-n`.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::time::Duration;

use clap_complete::env::Shells;
use clap_complete::{ArgValueCandidates, CompletionCandidate};

use super::Exit;
use super::plugin;
use super::print::print;
use crate::cluster::{self, ClusterSource, install_crypto_provider};
use crate::config::{Environment, Flags};

/// The variable by which a shell's script asks the binary for candidates.
const VARIABLE: &str = "COMPLETE";
/// A shell waits for the answer with the cursor in the line.
const PATIENCE: Duration = Duration::from_millis(800);
const NAMESPACES_MAX: u32 = 300;

const INSTRUCTIONS: &str = "\
To load completions:

  Bash, for this shell:        source <(kai completion bash)
  Bash, for every shell:       echo 'source <(kai completion bash)' >> ~/.bashrc
  Zsh, for every shell:        echo 'source <(kai completion zsh)' >> ~/.zshrc   (after compinit)
  fish, for every shell:       echo 'kai completion fish | source' > ~/.config/fish/completions/kai.fish
  kubectl kai (from 1.26):     kai completion kubectl > kubectl_complete-kai, made executable, on the PATH

The script calls the installed kai, so do not save those of shells in a file. `kai -n <TAB>` completes
namespaces from the cluster that the other flags on the line name, `kai --context <TAB>` the contexts of the kubeconfig.";

/// Arguments of `kai completion`.
#[derive(Debug, clap::Args)]
#[command(after_help = INSTRUCTIONS)]
pub(super) struct Completion {
    /// The shell to write a script for; kubectl for `kubectl kai` in any shell
    shell: Shell,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
    Kubectl,
}

impl Completion {
    /// Prints the script.
    pub(super) fn run(&self) -> anyhow::Result<Exit> {
        let name = match self.shell {
            Shell::Bash => "bash",
            Shell::Zsh => "zsh",
            Shell::Fish => "fish",
            Shell::Kubectl => return print(plugin::COMPLETION.as_bytes()),
        };
        let shells = Shells::builtins();
        let Some(completer) = shells.completer(name) else { anyhow::bail!("no completion for {name}") };
        let mut script = Vec::new();
        // An installed plugin may be there without kai under its own name.
        let name = if plugin::is_plugin() { plugin::FILE } else { "kai" };
        completer.write_registration(VARIABLE, name, name, name, &mut script)?;
        print(&script)
    }
}

/// Namespaces that begin with what was typed: of a list, what stands behind its last comma. None that the line has before
/// a comma. Nothing on any error: a message would land in the middle of the user's line.
pub(super) fn namespaces(typed: &OsStr) -> Vec<CompletionCandidate> {
    let Some(typed) = typed.to_str() else { return Vec::new() };
    let chosen = listed_on_the_line(std::env::args_os());
    live_namespaces(&flags_on_the_line(std::env::args_os()))
        .into_iter()
        .filter(|name| name.starts_with(typed) && !chosen.contains(name))
        .map(CompletionCandidate::new)
        .collect()
}

/// Contexts of the kubeconfig that begin with what was typed.
pub(super) fn contexts(typed: &OsStr) -> Vec<CompletionCandidate> {
    let Some(typed) = typed.to_str() else { return Vec::new() };
    // What is typed is no whole context yet.
    let flags = Flags { context: None, ..flags_on_the_line(std::env::args_os()) };
    let Ok(loaded) = crate::config::load(&flags, &Environment::of_process()) else { return Vec::new() };
    let known = cluster::contexts(&loaded.settings.cluster.source, &cluster::Environment::of_process());
    known.into_iter().filter(|name| name.starts_with(typed)).map(CompletionCandidate::new).collect()
}

/// Completes a flag that takes one of these words. The settings check the value, whoever gave it: clap would refuse it
/// with other words.
pub(super) fn words(words: &'static [&'static str]) -> ArgValueCandidates {
    ArgValueCandidates::new(|| words.iter().map(CompletionCandidate::new).collect())
}

fn live_namespaces(flags: &Flags) -> Vec<String> {
    let Ok(loaded) = crate::config::load(flags, &Environment::of_process()) else { return Vec::new() };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return Vec::new() };
    install_crypto_provider();
    let list = async {
        let source = ClusterSource::connect(&loaded.settings.cluster, &cluster::Environment::of_process()).await?;
        source.namespaces(NAMESPACES_MAX).await
    };
    let names = runtime.block_on(async { tokio::time::timeout(PATIENCE, list).await });
    runtime.shutdown_background();
    names.ok().and_then(Result::ok).unwrap_or_default()
}

/// Whatever stands before a comma.
fn listed_on_the_line(arguments: impl Iterator<Item = OsString>) -> Vec<String> {
    let words = arguments.filter_map(|word| word.into_string().ok());
    let lists = words.filter_map(|word| {
        let (_, value) = word.split_once('=').unwrap_or(("", &word));
        value.rsplit_once(',').map(|(before, _)| before.to_owned())
    });
    lists.flat_map(|list| list.split(',').map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// The flags by which a cluster is chosen, as far as the line has them.
fn flags_on_the_line(arguments: impl Iterator<Item = OsString>) -> Flags {
    let mut flags = Flags::default();
    let mut words = arguments.filter_map(|word| word.into_string().ok());
    while let Some(word) = words.next() {
        let (name, inline) = match word.split_once('=') {
            Some((name, value)) if word.starts_with('-') => (name.to_owned(), Some(value.to_owned())),
            _ => (word, None),
        };
        let mut value = || inline.clone().or_else(|| words.next());
        match name.as_str() {
            "-c" | "--config" => flags.config = value().map(PathBuf::from),
            "-k" | "--kubeconfig" => flags.kubeconfig = value().map(PathBuf::from),
            "--context" => flags.context = value(),
            "--as" => flags.impersonation.user = value(),
            "--as-group" => flags.impersonation.groups.extend(value()),
            "--as-uid" => flags.impersonation.uid = value(),
            _ => {}
        }
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cluster_of_the_line_is_asked() {
        let line = ["kai", "--", "kai", "-k", "a.yaml", "--context=blue", "--as", "jane", "-n", "te"];
        let flags = flags_on_the_line(line.iter().map(OsString::from));
        assert_eq!(flags.kubeconfig, Some(PathBuf::from("a.yaml")));
        assert_eq!(flags.context.as_deref(), Some("blue"));
        assert_eq!(flags.impersonation.user.as_deref(), Some("jane"));
    }
}
