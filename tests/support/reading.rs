//! A saved dump, read whole as `--input` reads it.

use std::fs::File;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use kai::decode::{Records, read_dump};
use kai::inventory::NamespaceSelection;
use kai::snapshot::{Event, ListScope, Observation, PodIdentity, PodIndex, Snapshot};

/// The snapshot of the dump at that path. Panics when it cannot be read whole.
pub(crate) fn snapshot_of(path: &Path, selection: NamespaceSelection) -> Arc<Snapshot> {
    let mut index = PodIndex::new("", selection).with_identity(PodIdentity::NameAndUid);
    let lists = || [ListScope::Namespaces, ListScope::AllPods];
    lists().map(Event::RelistBegun).into_iter().for_each(|event| index.apply(event));
    let mut file = File::open(path).expect("a dump");
    let end = read_dump(&mut file, &mut Records::default(), &mut |event| {
        index.apply(event);
        ControlFlow::Continue(())
    });
    let cut_short = end.expect("a dump that kai knows").cut_short;
    lists().map(Event::RelistEnded).into_iter().for_each(|event| index.apply(event));
    index.apply(Event::Observed(Observation { cut_short, ..Observation::at(Timestamp::UNIX_EPOCH) }));
    let snapshot = index.publish().expect("a snapshot").snapshot;
    assert!(snapshot.is_complete(), "{:?}", snapshot.completeness());
    snapshot
}
