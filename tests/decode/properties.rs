//! Whatever the bytes and however they are cut: no panic, and the same outcome.

use std::io::Read;
use std::ops::ControlFlow;

use kai::decode::{DecodeError, ListDecoder, Records, read_dump};
use kai::snapshot::{Event, ListScope};
use proptest::prelude::*;

const PAGE: &str = include_str!("../data/page.json");
const LIST: &str = include_str!("../data/list.json");
const YAML: &str = include_str!("../data/list.yaml");

/// Gives parts of the lengths wanted, over and over.
struct Parts<'a> {
    bytes: &'a [u8],
    lengths: &'a [usize],
    at: usize,
}

impl Read for Parts<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let wanted = self.lengths[self.at % self.lengths.len()];
        self.at += 1;
        let length = wanted.min(self.bytes.len()).min(buffer.len());
        buffer[..length].copy_from_slice(&self.bytes[..length]);
        self.bytes = &self.bytes[length..];
        Ok(length)
    }
}

/// Everything that can be seen of reading a dump. The line of an error is where reading was when it showed, which may
/// depend on the parts.
fn dump(bytes: &[u8], lengths: &[usize]) -> (Vec<String>, String) {
    let mut events = Vec::new();
    let mut reader = Parts { bytes, lengths, at: 0 };
    let end = read_dump(&mut reader, &mut Records::default(), &mut |event| {
        events.push(format!("{event:?}"));
        ControlFlow::Continue(())
    });
    let end = match end {
        Ok(end) => format!("{end:?}"),
        Err(error) => without_line(&error),
    };
    (events, end)
}

fn page(bytes: &[u8], lengths: &[usize]) -> (Vec<String>, String) {
    let (mut records, mut events) = (Records::default(), Vec::new());
    let mut decoder = ListDecoder::new(ListScope::AllPods);
    let mut rest = bytes;
    let mut end = Ok(());
    for wanted in lengths.iter().cycle() {
        if rest.is_empty() || end.is_err() {
            break;
        }
        let (part, after) = rest.split_at((*wanted).min(rest.len()));
        end = decoder.push(part, &mut records, &mut events);
        rest = after;
    }
    let end = match end.and_then(|()| decoder.finish()) {
        Ok(end) => format!("{end:?}"),
        Err(error) => without_line(&error),
    };
    (events.iter().map(|event: &Event| format!("{event:?}")).collect(), end)
}

fn without_line(error: &DecodeError) -> String {
    let text = error.to_string();
    match text.strip_prefix("line ").and_then(|rest| rest.split_once([':', ' '])) {
        Some((_, rest)) => rest.to_owned(),
        None => text,
    }
}

/// What happens to bytes on their way: parts lost, repeated, overwritten, or moved into others.
#[derive(Debug, Clone)]
enum Damage {
    Cut(usize, usize),
    Repeat(usize, usize),
    Overwrite(usize, u8),
    Insert(usize, &'static str),
}

fn damage() -> impl Strategy<Value = Damage> {
    let tokens = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "null",
        "\n",
        "\n---\n",
        "items:",
        "\"items\":[",
        "- ",
        "  ",
        "\t",
        "\r\n",
        "&a ",
        "*a",
        "|",
        "'",
        "# ",
        "\u{feff}",
        "[[[[",
        "{\"kind\":\"Pod\"}",
    ];
    prop_oneof![
        (any::<usize>(), 0..200_usize).prop_map(|(at, length)| Damage::Cut(at, length)),
        (any::<usize>(), 0..200_usize).prop_map(|(at, length)| Damage::Repeat(at, length)),
        (any::<usize>(), any::<u8>()).prop_map(|(at, byte)| Damage::Overwrite(at, byte)),
        (any::<usize>(), prop::sample::select(tokens.to_vec())).prop_map(|(at, text)| Damage::Insert(at, text)),
    ]
}

fn damaged(text: &str, damages: &[Damage]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for damage in damages {
        let size = bytes.len() + 1;
        match damage {
            Damage::Cut(at, length) => {
                let at = at % size;
                bytes.drain(at..(at + length).min(bytes.len()));
            }
            Damage::Repeat(at, length) => {
                let at = at % size;
                let part = bytes[at..(at + length).min(bytes.len())].to_vec();
                bytes.splice(at..at, part);
            }
            Damage::Overwrite(at, byte) => {
                let at = at % size;
                if let Some(place) = bytes.get_mut(at) {
                    *place = *byte;
                }
            }
            Damage::Insert(at, text) => {
                let at = at % size;
                bytes.splice(at..at, text.bytes());
            }
        }
    }
    bytes
}

fn damages() -> impl Strategy<Value = Vec<Damage>> {
    prop::collection::vec(damage(), 0..4)
}

fn lengths() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(1..300_usize, 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_page_reads_the_same_in_any_parts(damages in damages(), lengths in lengths()) {
        let bytes = damaged(PAGE, &damages);
        prop_assert_eq!(page(&bytes, &[usize::MAX]), page(&bytes, &lengths));
    }

    #[test]
    fn a_json_dump_reads_the_same_in_any_parts(damages in damages(), lengths in lengths()) {
        let bytes = damaged(LIST, &damages);
        prop_assert_eq!(dump(&bytes, &[usize::MAX]), dump(&bytes, &lengths));
    }

    #[test]
    fn a_yaml_dump_reads_the_same_in_any_parts(damages in damages(), lengths in lengths()) {
        let bytes = damaged(YAML, &damages);
        prop_assert_eq!(dump(&bytes, &[usize::MAX]), dump(&bytes, &lengths));
    }

    #[test]
    fn bytes_of_any_kind_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), lengths in lengths()) {
        prop_assert_eq!(dump(&bytes, &[usize::MAX]), dump(&bytes, &lengths));
    }
}

#[test]
fn json_and_yaml_of_one_list_give_the_same_events() {
    let (json, _) = dump(LIST.as_bytes(), &[usize::MAX]);
    let (yaml, end) = dump(YAML.as_bytes(), &[usize::MAX]);
    assert_eq!(json, yaml);
    assert!(json.len() > 4 && end.contains("cut_short: None"), "{end}");
}
