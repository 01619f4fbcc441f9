//! What a pod costs: plain arithmetic over the records.

use std::mem::size_of;
use std::sync::Arc;

use kai::inventory::{ContainerRecord, PodRecord};

/// A hundred thousand pods of three containers in less than half of the 150 MiB that a process may take: the relist
/// under way and the snapshot before share what did not change, and names that repeat are one allocation.
#[test]
fn a_hundred_thousand_pods_fit() {
    const PODS: usize = 100_000;
    // Two counters of an `Arc`, a generated name and a uid of its own, each with the allocator's own word.
    const NAME: usize = 48 + 16;
    const UID: usize = 36 + 16;
    let pod = size_of::<PodRecord>() + 2 * size_of::<usize>() + NAME + UID + 3 * size_of::<ContainerRecord>();
    let pointer = size_of::<Arc<PodRecord>>();
    let total = PODS * (pod + pointer);
    assert!(total < 75 << 20, "{total} bytes: {pod} for a pod, {} for a container", size_of::<ContainerRecord>());
}
