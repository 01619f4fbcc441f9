//! A watch of any bytes, in both encodings: never a panic, and the same frames however the bytes are cut up.
//!
//! The first byte of the input says how long the parts are, and whether the rest is one frame behind its true length.

#![no_main]

use kai::decode::{Encoding, Records, WatchReader};
use kai::snapshot::ListScope;
use libfuzzer_sys::fuzz_target;

fn outcome(stream: &[u8], encoding: Encoding, length: usize) -> String {
    let (mut records, mut frames) = (Records::default(), Vec::new());
    let mut reader = WatchReader::new(ListScope::AllPods, encoding);
    for part in stream.chunks(length) {
        if let Err(error) = reader.push(part, &mut records, &mut frames) {
            return format!("{frames:?} {error}");
        }
    }
    format!("{frames:?} {:?}", reader.finish())
}

fuzz_target!(|input: &[u8]| {
    let Some((how, bytes)) = input.split_first() else { return };
    let length = usize::from(how >> 1) + 1;
    let mut stream = bytes.to_vec();
    if how & 1 == 1 {
        stream.splice(..0, (bytes.len() as u32).to_be_bytes());
    }
    for (encoding, stream) in [(Encoding::Protobuf, stream.as_slice()), (Encoding::Json, bytes)] {
        assert_eq!(outcome(stream, encoding, length), outcome(stream, encoding, usize::MAX));
    }
});
