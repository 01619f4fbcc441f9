//! A file of a dump beneath gzip and UTF-16: any bytes, and a text that must mean the same however it is wrapped.
//!
//! The first byte of the input says where the packed file is cut off and changed. `tests/data` is the corpus to begin with.

#![no_main]

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};
use kai::dump::{DumpInput, read};
use kai::inventory::Detail;
use kai::snapshot::Event;
use kai_fuzz::{assert_message, file};
use libfuzzer_sys::fuzz_target;
use tokio::sync::mpsc;

/// What came of a file: its objects and why it is not whole, or what is wrong with it.
#[derive(Debug, PartialEq)]
enum Outcome {
    Whole(String),
    CutShort(String),
    Refused(String),
}

/// Batches of events: more than any input has.
const BATCHES: usize = 4096;

fn outcome(bytes: &[u8]) -> Outcome {
    let input = DumpInput::of([file(bytes)]).expect("a path");
    let (sender, mut receiver) = mpsc::channel(BATCHES);
    if let Err(error) = read(&input, Detail::default(), &sender, &|_, _| {}) {
        let message = error.to_string();
        assert_message(&message);
        return Outcome::Refused(message);
    }
    let (mut text, mut end) = (String::new(), None);
    while let Ok(events) = receiver.try_recv() {
        for event in events {
            match event {
                Event::Observed(observation) => end = Some(observation),
                event => text.push_str(&format!("{event:?}\n")),
            }
        }
    }
    match end.expect("a relist that was observed").cut_short {
        None => Outcome::Whole(text),
        Some(reason) => {
            assert_message(&reason);
            Outcome::CutShort(format!("{text}{reason}"))
        }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("a vector");
    encoder.finish().expect("a vector")
}

fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    ['\u{feff}']
        .into_iter()
        .chain(text.chars())
        .flat_map(|one| one.encode_utf16(&mut [0; 2]).to_vec())
        .flat_map(unit)
        .collect()
}

/// Whether the text is one in UTF-8 and nothing else by its first bytes.
fn is_plain(text: &str) -> bool {
    let is_marked = text.starts_with(['\u{feff}', 'B']) || text.as_bytes().get(257..262) == Some(b"ustar");
    !is_marked && !text.contains(|one: char| one.is_control() && !one.is_whitespace())
}

fuzz_target!(|input: &[u8]| {
    let Some((how, bytes)) = input.split_first() else { return };
    let plain = outcome(bytes);
    if bytes.starts_with(b"\x1f\x8b") {
        return;
    }
    let packed = gzip(bytes);
    assert_eq!(outcome(&packed), plain);

    let place = usize::from(*how) % packed.len();
    let cut = outcome(&packed[..place]);
    assert!(!matches!(cut, Outcome::Whole(_)), "{cut:?}");
    let mut changed = packed;
    let last = changed.len() - 1;
    changed[last - place] ^= 1 + how % 255;
    match outcome(&changed) {
        Outcome::Whole(text) => assert_eq!(Outcome::Whole(text), plain),
        Outcome::CutShort(_) | Outcome::Refused(_) => {}
    }

    let Some(text) = std::str::from_utf8(bytes).ok().filter(|text| is_plain(text)) else { return };
    for unit in [u16::to_le_bytes, u16::to_be_bytes] {
        let wide = utf16(text, unit);
        assert_eq!(outcome(&wide), plain);
        assert_eq!(outcome(&gzip(&wide)), plain);
    }
});
