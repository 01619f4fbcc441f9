//! `kai push`: sends the inventory to Anchore Enterprise once, or shows what would be sent.

use std::borrow::Cow;
use std::io::{self, Write};
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use clap::Args;
use jiff::Timestamp;

use super::Exit;
use super::print::NOT_WRITTEN;
use super::start::{Failure, Started, collector, once_failed, progress_bar, pusher};
use crate::dump::DumpInput;
use crate::health::PushBoard;
use crate::inventory::{escape_controls, excerpt};
use crate::metrics::Metrics;
use crate::once::{Ended, Once};
use crate::output::{is_closed_pipe, terminal_width};
use crate::push::DryRun;
use crate::views::{Format, Look, write_columns};

/// A dump of which more time has passed has little of what runs now.
const OLD: Duration = Duration::from_hours(24);

const EXAMPLES: &str = "\
Examples:
  kai push --dry-run -o table                     which namespace goes to which account, by which rule
  kai push --dry-run | jq '.requests[].url'       every request with its body; nothing is sent
  kai push                                        lists the cluster and sends it to anchore.url
  kai push --input dump.json --cluster-name prod  sends a saved dump under the cluster's name

Exit status: 0 everything was accepted, 1 a push failed or was withheld, 2 wrong usage or configuration,
3 accepted, but a namespace of -n does not exist.";

/// Flags of `kai push`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Push {
    /// Print what would be sent where (JSON, or -o table for the routes). Contact only the cluster
    #[arg(long)]
    dry_run: bool,
}

impl Push {
    /// Reads, then sends or shows.
    pub(super) async fn run(
        &self,
        started: Started,
        dump: Option<DumpInput>,
        typed: Vec<String>,
    ) -> anyhow::Result<Exit> {
        let Started { settings, log } = started;
        let format = settings.output;
        if self.dry_run && !matches!(format, Format::Json | Format::Table) {
            let message = format!("-o {}: a dry run is printed as json or table", format.name());
            return Err(Failure { exit: Exit::Usage, message }.into());
        }
        let is_dump = dump.is_some();
        let progress = progress_bar(settings.quiet, is_dump);
        let Some(pusher) = pusher(&settings, PushBoard::default(), Metrics::default())? else {
            let message = "anchore.url is not set, so there is nowhere to push to; set it in the file or by \
                           KAI_ANCHORE_URL, with anchore.user and anchore.password";
            return Err(Failure { exit: Exit::Usage, message: message.to_owned() }.into());
        };
        if let Some(modified) = dump.as_ref().and_then(DumpInput::modified_at) {
            warn_of_age(modified, Timestamp::now());
        }
        let collector = collector(settings, dump, progress.reporter());
        let (shown, push) = if self.dry_run { (Some(pusher), None) } else { (None, Some(pusher)) };
        let once = Once { collector, report: None, push, typed, needs_name: true, progress };
        let done = match once.run().await {
            Ok(Ended::Done { snapshot, unknown, pushed }) => {
                let done = match pushed {
                    Some(result) => result.map_err(anyhow::Error::from),
                    None => shown.map_or(Ok(()), |pusher| show(&pusher.dry_run(&snapshot), format)),
                };
                done.and_then(|()| if unknown.is_empty() { Ok(()) } else { Err(not_there(&unknown)) })
            }
            Ok(Ended::Stopped) => {
                tracing::warn!("stopped before the push was done");
                Ok(())
            }
            Err(error) => Err(once_failed(error, is_dump)),
        };
        done.map(|()| Exit::Done).inspect_err(|error| log.record(error))
    }
}

/// The rest was pushed, and the user asked for more.
fn not_there(unknown: &[String]) -> anyhow::Error {
    Failure { exit: Exit::Incomplete, message: unknown.join("; ") }.into()
}

fn warn_of_age(modified: Timestamp, now: Timestamp) {
    let age = Duration::try_from(now.duration_since(modified)).unwrap_or(Duration::ZERO);
    if age > OLD {
        let hours = age.as_secs() / 3600;
        tracing::warn!("the file of --input is {hours} hours old, and is pushed as what runs now");
    }
}

/// Prints a dry run. One that would send less than everything ends as such a push does.
fn show(dry_run: &DryRun, format: Format) -> anyhow::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let written = match format {
        Format::Table => write_table(dry_run, &mut out),
        _ => serde_json::to_writer_pretty(&mut out, dry_run).map_err(io::Error::from).and_then(|()| writeln!(out)),
    };
    match written.and_then(|()| out.flush()) {
        Err(error) if !is_closed_pipe(&error) => return Err(error).context(NOT_WRITTEN),
        _ => {}
    }
    if let Some(reason) = dry_run.withheld() {
        bail!("nothing would be pushed: {reason}");
    }
    let mut unclear = 0;
    for (namespace, reason) in dry_run.unclear() {
        tracing::error!("it would be pushed to no account: namespace {}: {reason}", excerpt(namespace));
        unclear += 1;
    }
    ensure!(unclear == 0, "{unclear} namespaces would be pushed to no account; the log has the reasons");
    Ok(())
}

fn write_table(dry_run: &DryRun, out: &mut impl Write) -> io::Result<()> {
    let rows: Vec<[Cow<'_, str>; 4]> = dry_run
        .namespaces()
        .map(|route| {
            [
                escape_controls(route.namespace),
                route.account.map_or(Cow::Borrowed("-"), escape_controls),
                escape_controls(route.rule),
                route.k8s_inventory.map_or(Cow::Borrowed("as here"), |accounts| {
                    Cow::Owned(escape_controls(&accounts.join(", ")).into_owned())
                }),
            ]
        })
        .collect();
    write_columns(
        ["NAMESPACE", "ACCOUNT", "RULE", "K8S-INVENTORY"],
        &rows,
        Look { width: terminal_width(), ..Look::WHOLE },
        out,
    )
}
