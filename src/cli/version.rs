//! `kai version`: what was built, when, from what. Reads no configuration.

use serde::Serialize;

use super::Exit;
use super::globals::output_flag;
use super::print::print;
use super::start::Failure;
use crate::inventory::excerpt;

/// Arguments of `kai version`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  kai version\n  kai version -o json", arg = output_flag(vec!["text", "json"]))]
pub(super) struct Version {}

/// The words are KAI's.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Build {
    application: &'static str,
    version: &'static str,
    #[serde(rename = "buildDate")]
    date: &'static str,
    git_commit: &'static str,
    git_tree_state: &'static str,
    platform: String,
    compiler: &'static str,
    /// Only a FIPS build shows which module it has.
    #[cfg(feature = "fips")]
    crypto_module: crate::cluster::Module,
}

impl Version {
    /// Prints as text, or as JSON with `-o json`.
    pub(super) fn run(format: Option<&str>) -> anyhow::Result<Exit> {
        let build = Build {
            application: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
            date: env!("BUILD_DATE"),
            git_commit: env!("BUILD_COMMIT"),
            git_tree_state: env!("BUILD_TREE_STATE"),
            platform: platform(env!("BUILD_TARGET")),
            compiler: env!("BUILD_COMPILER"),
            #[cfg(feature = "fips")]
            crypto_module: crate::cluster::Module::of_this_build(),
        };
        let text = match format {
            None | Some("text") => {
                let text = build.text();
                #[cfg(feature = "fips")]
                let text = text + "CryptoModule:  " + &build.crypto_module.text() + "\n";
                text
            }
            Some("json") => serde_json::to_string_pretty(&build)? + "\n",
            Some(other) => {
                let message = format!("--output {}: `kai version` prints text or json", excerpt(other));
                return Err(Failure { exit: Exit::Usage, message }.into());
            }
        };
        print(text.as_bytes())
    }
}

impl Build {
    fn text(&self) -> String {
        let Self { application, version, date, git_commit, git_tree_state, platform, compiler, .. } = self;
        format!(
            "Application:   {application}\nVersion:       {version}\nBuildDate:     {date}\n\
             GitCommit:     {git_commit}\nGitTreeState:  {git_tree_state}\nPlatform:      {platform}\n\
             Compiler:      {compiler}\n"
        )
    }
}

/// The operating system and architecture as the Go world writes them, which is what users of images know.
fn platform(target: &str) -> String {
    let (architecture, system) = (std::env::consts::ARCH, std::env::consts::OS);
    let architecture = match architecture {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let system = if system == "macos" { "darwin" } else { system };
    format!("{system}/{architecture} ({target})")
}
