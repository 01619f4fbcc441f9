//! A page of the API server, whole and in parts: no bytes panic, and the parts do not matter.

#![no_main]

use kai::decode::{ListDecoder, Records};
use kai::snapshot::{Event, ListScope};
use libfuzzer_sys::fuzz_target;

fn decode(bytes: &[u8], length: usize) -> (Vec<Event>, bool) {
    let (mut records, mut events) = (Records::default(), Vec::new());
    let mut decoder = ListDecoder::new(ListScope::AllPods);
    let pushed = bytes.chunks(length).all(|part| decoder.push(part, &mut records, &mut events).is_ok());
    (events, pushed && decoder.finish().is_ok())
}

fuzz_target!(|input: (u8, &[u8])| {
    let (length, bytes) = input;
    let (events, is_page) = decode(bytes, bytes.len().max(1));
    let (in_parts, is_page_in_parts) = decode(bytes, usize::from(length).max(1));
    assert_eq!(format!("{events:?}"), format!("{in_parts:?}"));
    assert_eq!(is_page, is_page_in_parts);
});
