//! No cluster: for a kai that only reads the history of others.

use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _, ready};
use tokio::sync::mpsc::Sender;
use tokio::time::Instant;

use super::source::{CollectError, Nature, Source, Update, wait_until};
use crate::snapshot::PodIdentity;

/// From one look at the clock to the next.
const REST: Duration = Duration::from_hours(1);

static NATURE: Nature =
    Nature { identity: PodIdentity::Name, name: "no cluster", grows_stale: false, retry_after: Duration::from_secs(1) };

/// A source that has nothing, and says only that it is alive.
#[derive(Debug)]
pub struct NoCluster;

impl Source for NoCluster {
    fn open(&mut self) -> BoxFuture<'_, Result<(), CollectError>> {
        ready(Ok(())).boxed()
    }

    fn run<'s>(&'s mut self, updates: &'s Sender<Update>) -> BoxFuture<'s, ()> {
        async { while wait_until(Instant::now() + REST, updates).await.is_ok() {} }.boxed()
    }

    fn cluster_name(&self) -> Option<&str> {
        None
    }

    fn namespace_names(&self) -> BoxFuture<'_, Vec<String>> {
        ready(Vec::new()).boxed()
    }

    fn nature(&self) -> &'static Nature {
        &NATURE
    }
}
