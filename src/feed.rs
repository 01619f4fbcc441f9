//! Where snapshots change hands: one writer, many readers, always a whole one.

use std::sync::Arc;

use tokio::sync::watch;

use crate::snapshot::Snapshot;

/// The one that publishes. Not `Clone`: two writers could put an older snapshot over a newer one.
#[derive(Debug)]
pub struct SnapshotWriter(watch::Sender<Option<Arc<Snapshot>>>);

/// One of those that read.
#[derive(Debug, Clone)]
pub struct SnapshotReader(watch::Receiver<Option<Arc<Snapshot>>>);

/// A feed without a snapshot yet.
#[must_use]
pub fn feed() -> (SnapshotWriter, SnapshotReader) {
    let (sender, receiver) = watch::channel(None);
    (SnapshotWriter(sender), SnapshotReader(receiver))
}

impl SnapshotWriter {
    /// Hands a snapshot to every reader.
    pub fn publish(&self, snapshot: Arc<Snapshot>) {
        self.0.send_replace(Some(snapshot));
    }
}

impl SnapshotReader {
    /// The newest snapshot; `None` before the first finished relist. Does not count as having seen it.
    #[must_use]
    pub fn current(&self) -> Option<Arc<Snapshot>> {
        self.0.borrow().clone()
    }

    /// Waits for a snapshot that this reader has not been given here yet; `None` when the writer is gone.
    pub async fn next(&mut self) -> Option<Arc<Snapshot>> {
        loop {
            self.0.changed().await.ok()?;
            if let Some(snapshot) = self.0.borrow_and_update().clone() {
                return Some(snapshot);
            }
        }
    }
}
