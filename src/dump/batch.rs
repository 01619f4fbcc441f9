//! Events on their way into the channel.

use std::ops::ControlFlow;

use tokio::sync::mpsc::Sender;

use crate::snapshot::Event;

/// As many events as go into the channel at once.
const BATCH: usize = 256;

pub(super) struct Batch<'b> {
    events: &'b Sender<Vec<Event>>,
    held: Vec<Event>,
    is_stopped: bool,
}

impl<'b> Batch<'b> {
    pub(super) fn new(events: &'b Sender<Vec<Event>>) -> Self {
        Self { events, held: Vec::with_capacity(BATCH), is_stopped: false }
    }

    /// Whether nobody takes events any more.
    pub(super) fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    pub(super) fn push(&mut self, event: Event) -> ControlFlow<()> {
        self.held.push(event);
        if self.held.len() < BATCH { ControlFlow::Continue(()) } else { self.flush() }
    }

    /// Blocks while the receiver is behind.
    pub(super) fn flush(&mut self) -> ControlFlow<()> {
        let batch = std::mem::replace(&mut self.held, Vec::with_capacity(BATCH));
        if self.events.blocking_send(batch).is_ok() {
            return ControlFlow::Continue(());
        }
        self.is_stopped = true;
        ControlFlow::Break(())
    }
}
