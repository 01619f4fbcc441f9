//! A page in protobuf of any bytes: never a panic, and the same outcome however the bytes are cut up.
//!
//! The first byte of the input says how long the chunks are. `tests/cases/protobuf` is the corpus to begin with.

#![no_main]

use kai::decode::{Encoding, ListDecoder, Records, read_status};
use kai::snapshot::ListScope;
use libfuzzer_sys::fuzz_target;

fn outcome(body: &[u8], chunk: usize) -> String {
    let (mut records, mut events) = (Records::default(), Vec::new());
    let mut decoder = ListDecoder::of_encoding(ListScope::AllPods, Encoding::Protobuf);
    for part in body.chunks(chunk) {
        if let Err(error) = decoder.push(part, &mut records, &mut events) {
            return format!("{events:?} {error}");
        }
    }
    format!("{events:?} {:?}", decoder.finish())
}

fuzz_target!(|input: &[u8]| {
    let Some((chunk, body)) = input.split_first() else { return };
    let _ = read_status(body);
    assert_eq!(outcome(body, usize::from(*chunk) + 1), outcome(body, usize::MAX));
});
