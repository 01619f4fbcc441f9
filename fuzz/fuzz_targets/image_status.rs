//! What a pod says about one image: no three texts panic, and the spec's own text is always kept.

#![no_main]

use kai::inventory::{
    ContainerKind, ContainerState, Interner, PodGenerations, SpecEntry, StatusEntry, read_container,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, &str, &str, u8)| {
    let (image, status_image, image_id, reason, bits) = input;
    let state = match bits % 4 {
        0 => ContainerState::Pending,
        1 => ContainerState::Waiting,
        2 => ContainerState::Running,
        _ => ContainerState::Terminated,
    };
    let generations = PodGenerations { generation: Some(i64::from(bits >> 6)), observed: (bits & 8 > 0).then_some(1) };
    let spec = SpecEntry { name: "c", kind: ContainerKind::Container, image };
    let status = StatusEntry { image: status_image, image_id, state, reason, ..StatusEntry::default() };
    let record = read_container(spec, status, generations, &mut Interner::default());
    assert_eq!(record.image.written(), image);
    if let Some(running) = &record.running {
        assert!(image_id.ends_with(running.as_str()), "{image_id:?}");
    }
});
