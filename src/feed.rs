//! Where snapshots change hands: one writer, many readers, always a whole one.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::watch;

use crate::snapshot::Snapshot;

/// The one that publishes. Not `Clone`: two writers could put an older snapshot over a newer one.
#[derive(Debug)]
pub struct SnapshotWriter(watch::Sender<Option<Latest>>);

/// One of those that read.
#[derive(Debug, Clone)]
pub struct SnapshotReader {
    latest: watch::Receiver<Option<Latest>>,
    /// Generation of the last snapshot that [`Self::next`] gave; 0 before.
    seen: u64,
}

/// The newest snapshot, and when it was last seen to be true.
#[derive(Debug, Clone)]
pub struct Latest {
    /// The snapshot.
    pub snapshot: Arc<Snapshot>,
    /// Not before [`Snapshot::observed_at`].
    pub observed_at: Timestamp,
    /// The cluster is watched, and would have said what changed since.
    pub is_watched: bool,
}

impl From<&Arc<Snapshot>> for Latest {
    /// A snapshot that was read just now, or as long ago as its file.
    fn from(snapshot: &Arc<Snapshot>) -> Self {
        Self { snapshot: Arc::clone(snapshot), observed_at: snapshot.observed_at(), is_watched: false }
    }
}

/// A feed without a snapshot yet.
#[must_use]
pub fn feed() -> (SnapshotWriter, SnapshotReader) {
    let (sender, receiver) = watch::channel(None);
    (SnapshotWriter(sender), SnapshotReader { latest: receiver, seen: 0 })
}

impl SnapshotWriter {
    /// Hands a snapshot to every reader.
    pub fn publish(&self, snapshot: Arc<Snapshot>) {
        let observed_at = snapshot.observed_at();
        self.0.send_modify(|latest| {
            let is_watched = latest.as_ref().is_some_and(|latest| latest.is_watched);
            *latest = Some(Latest { snapshot, observed_at, is_watched });
        });
    }

    /// Whether the cluster is watched from now on. Wakes nobody.
    pub fn watched(&self, is_watched: bool) {
        self.0.send_if_modified(|latest| {
            latest.iter_mut().for_each(|latest| latest.is_watched = is_watched);
            false
        });
    }

    /// The newest snapshot was seen to be true still.
    pub fn observed(&self, observed_at: Timestamp) {
        self.0.send_if_modified(|latest| match latest {
            Some(latest) => {
                latest.observed_at = latest.observed_at.max(observed_at);
                true
            }
            None => false,
        });
    }
}

impl SnapshotReader {
    /// The newest snapshot; `None` before the first finished relist. Does not count as having seen it.
    #[must_use]
    pub fn current(&self) -> Option<Arc<Snapshot>> {
        self.latest.borrow().as_ref().map(|latest| Arc::clone(&latest.snapshot))
    }

    /// When the newest snapshot was last seen to be true. It moves without a new generation.
    #[must_use]
    pub fn observed_at(&self) -> Option<Timestamp> {
        self.latest.borrow().as_ref().map(|latest| latest.observed_at)
    }

    /// Both at one moment.
    #[must_use]
    pub fn latest(&self) -> Option<Latest> {
        self.latest.borrow().clone()
    }

    /// Waits for a snapshot that this reader has not been given here yet; `None` when the writer is gone.
    pub async fn next(&mut self) -> Option<Arc<Snapshot>> {
        loop {
            let Latest { snapshot, .. } = self.next_read().await?;
            if snapshot.generation() != self.seen {
                self.seen = snapshot.generation();
                return Some(snapshot);
            }
        }
    }

    /// Waits until the source was read once more, whether anything changed or not; `None` when the writer is gone.
    pub async fn next_read(&mut self) -> Option<Latest> {
        loop {
            self.latest.changed().await.ok()?;
            if let Some(latest) = &*self.latest.borrow_and_update() {
                return Some(latest.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::NamespaceSelection;
    use crate::snapshot::{Event, Observation, PodIndex};

    #[tokio::test]
    async fn the_time_of_a_snapshot_moves_without_another_snapshot() {
        let (writer, mut reader) = feed();
        let time = |second| Timestamp::from_second(second).unwrap();
        writer.observed(time(1));
        assert!(reader.latest().is_none(), "nothing was read yet");
        let mut index = PodIndex::new("demo", NamespaceSelection::default());
        index.apply(Event::Observed(Observation::at(time(10))));
        writer.publish(index.publish().unwrap().snapshot);
        assert_eq!(reader.next().await.unwrap().observed_at(), time(10));
        for (seen, expected) in [(20, 20), (15, 20)] {
            writer.observed(time(seen));
            assert_eq!(reader.observed_at(), Some(time(expected)), "never back");
        }
        assert_eq!(reader.current().unwrap().observed_at(), time(10));
        drop(writer);
        assert!(reader.next().await.is_none(), "no other snapshot came");
    }
}
