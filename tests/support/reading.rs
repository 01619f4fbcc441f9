//! A saved dump, read whole as `--input` reads it.

use std::fs::File;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use kai::decode::{Records, read_dump};
use kai::inventory::NamespaceSelection;
use kai::snapshot::{Event, ListScope, PodIndex, RelistEnd, ServerVersion, Snapshot};

/// The snapshot of the dump at that path. Panics when it cannot be read whole.
pub(crate) fn snapshot_of(path: &Path, selection: NamespaceSelection) -> Arc<Snapshot> {
    let mut index = PodIndex::new("", selection);
    index.apply(Event::RelistBegun);
    index.apply(Event::ListBegun(ListScope::AllPods));
    let mut file = File::open(path).expect("a dump");
    let end = read_dump(&mut file, &mut Records::default(), &mut |event| {
        index.apply(event);
        ControlFlow::Continue(())
    });
    let end = RelistEnd {
        observed_at: Timestamp::UNIX_EPOCH,
        server_version: ServerVersion::default(),
        cut_short: end.expect("a dump that kai knows").cut_short,
    };
    let snapshot = index.apply(Event::RelistEnded(end)).expect("a snapshot");
    assert!(snapshot.is_complete(), "{:?}", snapshot.completeness());
    snapshot
}
