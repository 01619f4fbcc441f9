//! `kai serve`: the service.

use std::sync::Arc;

use clap::Args;

use super::Exit;
use super::start::{Failure, Receiver, Started, error_with_exit, pusher_unless_dump, receiver, serving_collector};
use crate::config::{Flags, HistoryStore, Settings};
use crate::dump::DumpInput;
use crate::health::PushBoard;
use crate::http::ListenError;
use crate::metrics::Metrics;
use crate::push::{Registrar, Workload};
use crate::serve::{Push, ServeError, Service};

const EXAMPLES: &str = "\
Examples:
  kai serve                                       watches the cluster and listens on 127.0.0.1:8080
  kai serve -p 30 --listen '[::]:8080'            pushes every 30 s, answers on every address
  kai serve --input config/demo-cluster.json      serves a saved dump, read again when it changes
  kai serve --no-cluster                          answers for all clusters of history.postgres.url

  curl -s localhost:8080/inventory | jq .
  curl -s 'localhost:8080/readyz?verbose' | jq .";

/// Flags of `kai serve`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Serve {
    /// Listen address, or `none` [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    pub(super) listen: Option<String>,

    /// Reads no cluster: answers what the kais of a fleet have written to history.postgres.url
    #[arg(long, conflicts_with = "input")]
    pub(super) no_cluster: bool,
}

/// Runs until a signal.
pub(super) async fn run(
    flags: Flags,
    started: Started,
    dump: Option<DumpInput>,
    no_cluster: bool,
) -> anyhow::Result<Exit> {
    let Started { mut settings, log } = started;
    if no_cluster {
        read_fleet(&mut settings)?;
    }
    let print = settings.verbose_inventory_reports.then_some(settings.output);
    let (collection, server, policy) = (settings.collection.clone(), settings.server.clone(), settings.report.clone());
    let history = settings.history.clone();
    let (board, metrics, exposed) = (PushBoard::default(), Metrics::new(log.lost_lines()), settings.metrics.clone());
    let push = push(&settings, dump.is_some(), &board, &metrics)?;
    let (collector, log_control) =
        (serving_collector(settings, dump, metrics.clone(), Arc::new(|_, _| {})), log.control());
    let service = Service {
        collector,
        collection,
        server,
        policy,
        print,
        history,
        push,
        board,
        metrics,
        exposed,
        log: log_control,
        flags,
    };
    let error = match service.run().await {
        Ok(()) => return Ok(Exit::Done),
        Err(ServeError::Source(error)) => error_with_exit(&error),
        Err(error @ (ServeError::NoClusterName | ServeError::Listen(ListenError::Tls(_)))) => {
            Failure { exit: Exit::Usage, message: error.to_string() }.into()
        }
        Err(error) => error.into(),
    };
    log.record(&error);
    Err(error)
}

/// Leaves all that needs a cluster out.
fn read_fleet(settings: &mut Settings) -> anyhow::Result<()> {
    let HistoryStore::Postgres(postgres) = &mut settings.history.store else {
        let message = "--no-cluster reads the history of a fleet; set history.postgres.url".to_owned();
        return Err(Failure { exit: Exit::Usage, message }.into());
    };
    postgres.is_read_only = true;
    if settings.anchore.push.take().is_some() {
        tracing::info!("anchore.url is set, but with --no-cluster there is nothing to send");
    }
    Ok(())
}

/// What reports to Anchore Enterprise, if anything does.
fn push(settings: &Settings, is_dump: bool, board: &PushBoard, metrics: &Metrics) -> anyhow::Result<Option<Push>> {
    let pusher = pusher_unless_dump(settings, is_dump, board.clone(), metrics.clone())?;
    let Some(pusher) = pusher else { return Ok(None) };
    let registrar = match receiver(settings)? {
        Some(Receiver { client, user }) if settings.anchore.registration.enabled => {
            let included = settings.selection.include_entries().map(str::to_owned).collect();
            let anchore = Arc::new(settings.anchore.clone());
            Some(Registrar::new(client, user, anchore, board.clone(), Workload::of_process(), included))
        }
        _ => None,
    };
    Ok(Some(Push { pusher, registrar }))
}
