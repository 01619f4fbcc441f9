//! Flags that every subcommand takes, before or after its name.

use std::path::PathBuf;

use clap::{Arg, ArgAction, Args, ValueHint};
use clap_complete::{ArgValueCandidates, ArgValueCompleter, CompletionCandidate};

use super::completion;
use crate::config::{Flags, Impersonation};
use crate::dump::DumpInput;
use crate::views::Format;

/// The help of `--output`.
fn formats() -> String {
    let [default, ..] = Format::NAMES;
    format!("Format of reports: {} [default: {default}]", Format::NAMES.join(", "))
}

/// `--output` of a subcommand that has formats of its own, the first of them where it is not given. Being global too, it is
/// also the one before the name of the subcommand.
pub(super) fn output_flag(words: Vec<&'static str>) -> Arg {
    let help = format!("Format: {} [default: {}]", words.join(", "), words.first().copied().unwrap_or_default());
    let candidates = move || words.iter().map(CompletionCandidate::new).collect();
    let flag = Arg::new("output").short('o').long("output").global(true).value_name("FORMAT");
    flag.help(help).add(ArgValueCandidates::new(candidates))
}

/// Flags that every subcommand takes.
#[derive(Debug, Args)]
pub(super) struct Globals {
    /// Configuration file [default: ./kai.yaml, ./.kai.yaml, ./.kai/config.yaml, ~/.kai.yaml,
    /// $XDG_CONFIG_HOME/kai/config.yaml, /etc/xdg/kai/config.yaml]
    #[arg(short, long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    config: Option<PathBuf>,

    /// Kubeconfig [default: $KUBECONFIG, ~/.kube/config, the pod's service account]
    #[arg(short, long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    kubeconfig: Option<PathBuf>,

    /// Context of the kubeconfig [default: its current one]
    #[arg(long, global = true, value_name = "NAME", add = ArgValueCompleter::new(completion::contexts))]
    context: Option<String>,

    /// Act as this user on the API server; needs the right to impersonate
    #[arg(long = "as", global = true, value_name = "USER")]
    as_user: Option<String>,

    /// Act as a member of this group; repeat it for more
    #[arg(long = "as-group", global = true, value_name = "GROUP")]
    as_groups: Vec<String>,

    /// Act as the user of this uid
    #[arg(long, global = true, value_name = "UID")]
    as_uid: Option<String>,

    /// Name of the cluster in reports [default: the context's cluster]
    #[arg(long, global = true, value_name = "NAME")]
    cluster_name: Option<String>,

    /// Only these namespaces; repeat it, or separate names with commas. Needs rights in these namespaces only
    #[arg(short, long, visible_alias = "namespace", global = true, value_name = "NAMESPACE", value_delimiter = ',', add = ArgValueCompleter::new(completion::namespaces))]
    namespaces: Vec<String>,

    /// Read saved objects instead of a cluster: a file of `kubectl get namespaces,pods -A -o json` (or yaml), or a
    /// folder of such files (`kubectl cluster-info dump`, must-gather); `-` is standard input. Repeat it for several
    #[arg(long, global = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    input: Vec<PathBuf>,

    #[arg(short, long, global = true, value_name = "FORMAT", help = formats(), add = completion::words(&Format::NAMES))]
    output: Option<String>,

    /// Log errors only
    #[arg(short, long, global = true)]
    quiet: bool,

    /// Log more: -v debug, -vv trace
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,

    /// Seconds from one push to the next; from one poll to the next where the cluster is not watched [default: 300]
    #[arg(short, long, global = true, value_name = "SECONDS")]
    polling_interval_seconds: Option<String>,

    /// The service prints each new report to standard output
    #[arg(short = 'i', long, global = true)]
    verbose_inventory_reports: bool,
}

impl Globals {
    /// The flags as the settings take them.
    pub(super) fn flags(&self) -> Flags {
        let Self {
            config,
            kubeconfig,
            context,
            as_user,
            as_groups,
            as_uid,
            cluster_name,
            namespaces,
            input,
            output,
            quiet,
            verbose,
            polling_interval_seconds,
            verbose_inventory_reports,
        } = self;
        Flags {
            config: config.clone(),
            kubeconfig: kubeconfig.clone(),
            context: context.clone(),
            impersonation: Impersonation {
                user: as_user.clone().filter(|user| !user.is_empty()),
                groups: as_groups.clone(),
                uid: as_uid.clone().filter(|uid| !uid.is_empty()),
            },
            cluster_name: cluster_name.clone(),
            namespaces: namespaces.clone(),
            output: output.clone(),
            quiet: *quiet,
            verbose: *verbose,
            polling_interval_seconds: polling_interval_seconds.clone(),
            verbose_inventory_reports: *verbose_inventory_reports,
            input: !input.is_empty(),
            ..Flags::default()
        }
    }

    /// The dump to read instead of a cluster.
    pub(super) fn dump(&self) -> Option<DumpInput> {
        DumpInput::of(&self.input)
    }

    /// The namespaces that were typed.
    pub(super) fn namespaces(&self) -> Vec<String> {
        self.namespaces.iter().map(|name| name.trim().to_owned()).collect()
    }

    /// `-o` as typed: `kai version` has formats of its own and reads no settings.
    pub(super) fn output(&self) -> Option<&str> {
        self.output.as_deref()
    }
}
