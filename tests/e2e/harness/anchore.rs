//! A fake receiver for kai as a process: it has threads of its own, and dies and returns when a claim says so.

use std::time::Duration;

use kai::views::PayloadForm;
use tokio::runtime::Runtime;

use super::inventory::Inventory;
use super::kai::Kai;
use super::process::eventually;
use crate::anchore_schema::assert_valid;
use crate::fake_anchore::scenario::Scenario;
use crate::fake_anchore::server::{FakeAnchore, Received};

/// A debug build on a busy machine, which has to read a cluster first.
const LIMIT: Duration = Duration::from_mins(1);

/// What kai sends as its password.
const PASSWORD: &str = "hunter2";

/// A receiver on a loopback port. It stops when it is dropped.
pub(crate) struct Anchore {
    // Dropped first: it ends tasks of the runtime.
    fake: FakeAnchore,
    runtime: Runtime,
}

impl Anchore {
    pub(crate) fn start(scenario: Scenario) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime can be made");
        let fake = {
            let _inside = runtime.enter();
            FakeAnchore::start(scenario.password(PASSWORD))
        };
        Self { fake, runtime }
    }

    /// Breaks every connection and refuses new ones.
    pub(crate) fn go_down(&mut self) {
        let Self { fake, runtime } = self;
        runtime.block_on(fake.go_down());
    }

    /// Listens again where it did.
    pub(crate) fn come_up(&mut self) {
        let Self { fake, runtime } = self;
        let _inside = runtime.enter();
        fake.come_up();
    }

    /// Everything that has arrived, in its order, questions for the version included.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.fake.received()
    }

    /// The reports that have arrived, in their order.
    pub(crate) fn reports(&self) -> Vec<Received> {
        self.received().into_iter().filter(|received| received.method == "POST").collect()
    }

    /// Waits until that many reports have arrived in all.
    #[track_caller]
    pub(crate) fn wait_for(&self, count: usize) -> Vec<Received> {
        eventually(&format!("{count} reports"), LIMIT, || {
            let reports = self.reports();
            if reports.len() >= count { Ok(reports) } else { Err(format!("{} have arrived", reports.len())) }
        })
    }

    /// Waits until the newest report says this.
    #[track_caller]
    pub(crate) fn wait_for_inventory(&self, wanted: &Inventory) {
        eventually("report of the newest state", LIMIT, || match self.reports().last() {
            Some(newest) if inventory_of(newest) == *wanted => Ok(()),
            newest => Err(format!("{:#?}, and not {wanted:#?}", newest.map(inventory_of))),
        });
    }
}

impl Kai {
    /// Reports to that receiver.
    pub(crate) fn pushing_to(self, anchore: &Anchore) -> Self {
        let url = anchore.fake.url();
        self.env("KAI_ANCHORE_URL", &url).env("KAI_ANCHORE_USER", "ann").env("KAI_ANCHORE_PASSWORD", PASSWORD)
    }
}

/// What a payload for `kubernetes-inventory` says. Panics when the receiver would refuse it, or when an id in it leads
/// nowhere.
#[track_caller]
pub(crate) fn inventory_of(received: &Received) -> Inventory {
    let body = received.json();
    assert_valid(PayloadForm::KubernetesInventory, &body);
    Inventory::of_payload(&body)
}
