//! A saved dump, read whole as `--input` reads it.

use std::fs::File;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use kai::decode::{Records, read_dump};
use kai::inventory::NamespaceSelection;
use kai::snapshot::{PodIdentity, PodIndex, Snapshot};
use kai::testing::cluster;

/// The snapshot of the dump at that path. Panics when it cannot be read whole.
pub(crate) fn snapshot_of(path: &Path, selection: NamespaceSelection) -> Arc<Snapshot> {
    let mut index = PodIndex::new("", selection).with_identity(PodIdentity::NameAndUid);
    let (mut file, mut events) = (File::open(path).expect("a dump"), Vec::new());
    let end = read_dump(&mut file, &mut Records::default(), &mut |event| {
        events.push(event);
        ControlFlow::Continue(())
    });
    let cut_short = end.expect("a dump that kai knows").cut_short;
    let snapshot = cluster().with(events).cut_short(cut_short).relist_into(&mut index);
    assert!(snapshot.is_complete(), "{:?}", snapshot.completeness());
    snapshot
}
