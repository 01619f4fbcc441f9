//! Saved files as a source: they are read again when they change.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _, ready};
use tokio::sync::mpsc::Sender;
use tokio::time::Instant;

use super::source::{Closed, CollectError, Nature, Retry, Source, SourceProgress, Update, events, forward, wait_until};
use crate::dump::{DumpInput, Stamps, read};
use crate::inventory::Detail;
use crate::snapshot::PodIdentity;

/// How often the files are looked at for a change.
const LOOK: Duration = Duration::from_secs(1);
/// As many looks may find a file changed once more before it is read all the same.
const LOOKS_MAX: u32 = 30;

static NATURE: Nature = Nature {
    identity: PodIdentity::NameAndUid,
    name: "the input",
    grows_stale: false,
    retry_after: Duration::from_secs(1),
};

/// Files, folders and standard input, read as one dump.
pub struct DumpFile {
    input: DumpInput,
    detail: Detail,
    progress: SourceProgress,
    /// Every namespace that what was read last names.
    namespaces: BTreeSet<Arc<str>>,
}

impl DumpFile {
    /// A dump of which nothing is opened yet.
    #[must_use]
    pub fn new(input: DumpInput, detail: Detail) -> Self {
        Self { input, detail, progress: Arc::new(|_, _| {}), namespaces: BTreeSet::new() }
    }

    /// Reports there how many bytes were read.
    #[must_use]
    pub fn with_progress(self, progress: SourceProgress) -> Self {
        Self { progress, ..self }
    }

    async fn read_for_ever(&mut self, updates: &Sender<Update>) -> Result<(), Closed> {
        loop {
            let (stamps, begun) = (self.input.stamps(), Instant::now());
            let result = self.read(updates).await;
            let elapsed = begun.elapsed();
            let retry = if self.input.has_stdin() { Retry::Never } else { Retry::WhenChanged };
            updates
                .send(match result {
                    Ok(()) => Update::Read { elapsed },
                    Err(error) => Update::Failed { error, elapsed, retry },
                })
                .await?;
            self.until_changed(stamps, updates).await?;
        }
    }

    async fn read(&mut self, updates: &Sender<Update>) -> Result<(), CollectError> {
        let (input, detail, progress) = (self.input.clone(), self.detail.clone(), Arc::clone(&self.progress));
        let (sender, received) = events();
        let thread = tokio::task::spawn_blocking(move || read(&input, detail, &sender, &*progress));
        forward(received, updates).await;
        self.namespaces = thread.await??;
        Ok(())
    }

    /// Waits until the files are others, or have other content, than when they were last read, or are gone, and have
    /// stayed so from one look to the next: a file that is still being written is half a dump.
    async fn until_changed(&self, last: Stamps, updates: &Sender<Update>) -> Result<(), Closed> {
        let (mut before, mut changes) = (last.clone(), 0);
        loop {
            wait_until(Instant::now() + LOOK, updates).await?;
            let now = self.input.stamps();
            // What stands on standard input is gone once it was read, whatever becomes of the files beside it.
            if self.input.has_stdin() {
                continue;
            }
            if now != before && changes < LOOKS_MAX {
                (before, changes) = (now, changes + 1);
            } else if now != last {
                return Ok(());
            }
        }
    }
}

impl Source for DumpFile {
    fn open(&mut self) -> BoxFuture<'_, Result<(), CollectError>> {
        ready(Ok(())).boxed()
    }

    fn run<'s>(&'s mut self, updates: &'s Sender<Update>) -> BoxFuture<'s, ()> {
        self.read_for_ever(updates).map(|_closed| ()).boxed()
    }

    fn cluster_name(&self) -> Option<&str> {
        None
    }

    fn namespace_names(&self) -> BoxFuture<'_, Vec<String>> {
        ready(self.namespaces.iter().map(ToString::to_string).collect()).boxed()
    }

    fn nature(&self) -> &'static Nature {
        &NATURE
    }
}
