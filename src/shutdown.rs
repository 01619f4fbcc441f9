//! How signals reach those whom they concern: a stop every task, a hang-up the log.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What a shell sees of a process that a second signal ended at once.
const ABORTED: i32 = 130;

/// SIGTERM and SIGINT, caught from now on.
pub(crate) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    /// Catches both signals; call it before anything that takes time, so that an early one is not lost.
    pub(crate) fn catch() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Cancels `stop` at the first signal; ends the process at the second, whatever is still under way.
    pub(crate) async fn relay(mut self, stop: CancellationToken) {
        let name = self.next().await;
        tracing::info!("{name} received: stopping; a second one ends at once");
        stop.cancel();
        let name = self.next().await;
        tracing::warn!("{name} received again: ending at once");
        std::process::exit(ABORTED);
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// SIGHUP, caught from now on: without this it ends the process.
pub(crate) struct HangUps(Signal);

impl HangUps {
    /// Catches the signal; call it as early as [`StopSignals::catch`].
    pub(crate) fn catch() -> std::io::Result<Self> {
        signal(SignalKind::hangup()).map(Self)
    }

    /// Waits for the next one. Several that come while nobody waits are one.
    pub(crate) async fn next(&mut self) {
        // There is no end to a signal: `None` never comes.
        self.0.recv().await;
    }
}
