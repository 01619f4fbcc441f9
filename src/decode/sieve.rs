//! Takes the fields kept out of a JSON item, so that the parser sees a tenth of it.
//!
//! Most of a pod is managed fields, environment, probes and conditions. A general parser checks all of it; this only finds
//! where each value ends. What is irregular in any way, be it an escape in a key, is left to the parser as it stands: the
//! sieve decides nothing but what may be left out.

/// Which part of a value is kept.
#[derive(Debug)]
enum Kept {
    /// All of it.
    Whole,
    /// Of an object, these keys. Anything else than an object is kept for the parser to complain of.
    Fields(&'static [(&'static [u8], Kept)]),
    /// Of an array, this of each element.
    Each(&'static Kept),
}

use Kept::{Each, Fields, Whole};

use super::pod::{MIRROR, SOURCE};

/// Which of the fields that [`super::wire::Object`] has are read. A field that is missing here is never seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Schema {
    /// What the report of images needs.
    Lean,
    /// Labels, annotations, container IDs and what nodes say of themselves as well.
    Wide,
}

impl Schema {
    fn object(self) -> &'static Kept {
        match self {
            Self::Lean => &LEAN,
            Self::Wide => &WIDE,
        }
    }
}

static LEAN: Kept = Fields(&[
    (b"apiVersion", Whole),
    (b"kind", Whole),
    (
        b"metadata",
        Fields(&[
            (b"name", Whole),
            (b"namespace", Whole),
            (b"uid", Whole),
            (b"generation", Whole),
            (b"annotations", STATIC_MARKS),
            (b"ownerReferences", OWNERS),
        ]),
    ),
    (b"spec", SPEC),
    (
        b"status",
        Fields(&[
            (b"phase", Whole),
            (b"reason", Whole),
            (b"observedGeneration", Whole),
            (b"containerStatuses", STATUSES),
            (b"initContainerStatuses", STATUSES),
            (b"ephemeralContainerStatuses", STATUSES),
        ]),
    ),
]);
static WIDE: Kept = Fields(&[
    (b"apiVersion", Whole),
    (b"kind", Whole),
    (
        b"metadata",
        Fields(&[
            (b"name", Whole),
            (b"namespace", Whole),
            (b"uid", Whole),
            (b"generation", Whole),
            (b"labels", Whole),
            (b"annotations", Whole),
            (b"ownerReferences", OWNERS),
        ]),
    ),
    (b"spec", SPEC),
    (
        b"status",
        Fields(&[
            (b"phase", Whole),
            (b"reason", Whole),
            (b"observedGeneration", Whole),
            (b"containerStatuses", STATUSES_WITH_ID),
            (b"initContainerStatuses", STATUSES_WITH_ID),
            (b"ephemeralContainerStatuses", STATUSES_WITH_ID),
            (b"nodeInfo", NODE_INFO),
        ]),
    ),
]);
const STATIC_MARKS: Kept = Fields(&[(MIRROR.as_bytes(), Whole), (SOURCE.as_bytes(), Whole)]);
const OWNERS: Kept = Each(&Fields(&[(b"kind", Whole), (b"name", Whole), (b"controller", Whole)]));
const SPEC: Kept = Fields(&[
    (b"nodeName", Whole),
    (b"containers", CONTAINERS),
    (b"initContainers", CONTAINERS),
    (b"ephemeralContainers", CONTAINERS),
    (b"volumes", Each(&Fields(&[(b"name", Whole), (b"image", Fields(&[(b"reference", Whole)]))]))),
]);
const CONTAINERS: Kept = Each(&Fields(&[(b"name", Whole), (b"image", Whole), (b"restartPolicy", Whole)]));
const STATUSES: Kept = Each(&Fields(&[
    (b"name", Whole),
    (b"image", Whole),
    (b"imageID", Whole),
    (b"state", STATE),
    (b"volumeMounts", MOUNTS),
]));
const STATUSES_WITH_ID: Kept = Each(&Fields(&[
    (b"name", Whole),
    (b"image", Whole),
    (b"imageID", Whole),
    (b"containerID", Whole),
    (b"state", STATE),
    (b"volumeMounts", MOUNTS),
]));
const STATE: Kept = Fields(&[(b"waiting", CAUSE), (b"running", Fields(&[])), (b"terminated", CAUSE)]);
const MOUNTS: Kept = Each(&Fields(&[
    (b"name", Whole),
    (b"imageRef", Whole),
    (b"volumeStatus", Fields(&[(b"image", Fields(&[(b"imageRef", Whole)]))])),
]));
const NODE_INFO: Kept = Fields(&[
    (b"architecture", Whole),
    (b"operatingSystem", Whole),
    (b"kernelVersion", Whole),
    (b"kubeletVersion", Whole),
    (b"kubeProxyVersion", Whole),
    (b"containerRuntimeVersion", Whole),
]);
const CAUSE: Kept = Fields(&[(b"reason", Whole)]);

/// How an item was sifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sifted {
    /// All of it, and it is so long.
    Whole(usize),
    /// The bytes end inside it.
    Unfinished,
    /// It is not in order.
    Irregular,
}

/// Writes what is kept of the item at the start of `bytes` to `out`.
pub(super) fn sieve(bytes: &[u8], schema: Schema, out: &mut Vec<u8>) -> Sifted {
    out.clear();
    if bytes.first() != Some(&b'{') {
        return Sifted::Irregular;
    }
    let mut sieve = Sieve { bytes, out, is_irregular: false };
    match sieve.value(0, schema.object()) {
        Some(length) => Sifted::Whole(length),
        None if sieve.is_irregular => Sifted::Irregular,
        None => Sifted::Unfinished,
    }
}

/// Every step gives `None` where the bytes end, or where they are irregular.
struct Sieve<'s> {
    bytes: &'s [u8],
    out: &'s mut Vec<u8>,
    is_irregular: bool,
}

impl Sieve<'_> {
    /// Keeps what is wanted of the value that begins at `at`; answers where it ends. The schema bounds the recursion.
    fn value(&mut self, at: usize, kept: &Kept) -> Option<usize> {
        match (kept, self.bytes.get(at)?) {
            (Fields(fields), b'{') => self.fields(at + 1, fields),
            (Each(kept), b'[') => self.elements(at + 1, kept),
            _ => {
                let end = self.end_of_value(at)?;
                self.out.extend_from_slice(&self.bytes[at..end]);
                Some(end)
            }
        }
    }

    fn fields(&mut self, mut at: usize, fields: &[(&[u8], Kept)]) -> Option<usize> {
        self.out.push(b'{');
        let mut is_first = true;
        at = self.blanks(at)?;
        if self.bytes[at] == b'}' {
            self.out.push(b'}');
            return Some(at + 1);
        }
        loop {
            self.expect(at, b'"')?;
            let key_end = quote_or_escape(self.bytes, at + 1)?;
            self.expect(key_end, b'"')?;
            let key = &self.bytes[at + 1..key_end];
            at = self.blanks(key_end + 1)?;
            self.expect(at, b':')?;
            at = self.blanks(at + 1)?;
            at = match fields.iter().find(|(name, _)| *name == key) {
                Some((name, kept)) => {
                    if !is_first {
                        self.out.push(b',');
                    }
                    is_first = false;
                    self.out.push(b'"');
                    self.out.extend_from_slice(name);
                    self.out.extend_from_slice(b"\":");
                    self.value(at, kept)?
                }
                None => self.end_of_value(at)?,
            };
            at = self.blanks(at)?;
            match self.bytes[at] {
                b',' => at = self.blanks(at + 1)?,
                b'}' => {
                    self.out.push(b'}');
                    return Some(at + 1);
                }
                _ => return self.irregular(),
            }
        }
    }

    fn elements(&mut self, mut at: usize, kept: &Kept) -> Option<usize> {
        self.out.push(b'[');
        at = self.blanks(at)?;
        if self.bytes[at] == b']' {
            self.out.push(b']');
            return Some(at + 1);
        }
        loop {
            at = self.value(at, kept)?;
            at = self.blanks(at)?;
            match self.bytes[at] {
                b',' => {
                    self.out.push(b',');
                    at = self.blanks(at + 1)?;
                }
                b']' => {
                    self.out.push(b']');
                    return Some(at + 1);
                }
                _ => return self.irregular(),
            }
        }
    }

    /// Where the value that begins at `at` ends.
    fn end_of_value(&mut self, at: usize) -> Option<usize> {
        match self.bytes.get(at)? {
            b'"' => end_of_string(self.bytes, at + 1),
            b'{' | b'[' => end_of_nested(self.bytes, at + 1),
            b'-' | b'0'..=b'9' | b'a'..=b'z' => {
                let rest = &self.bytes[at..];
                let length = rest.iter().position(|byte| !is_of_scalar(*byte))?;
                Some(at + length)
            }
            _ => self.irregular(),
        }
    }

    fn expect(&mut self, at: usize, byte: u8) -> Option<()> {
        if *self.bytes.get(at)? == byte { Some(()) } else { self.irregular() }
    }

    fn irregular<T>(&mut self) -> Option<T> {
        self.is_irregular = true;
        None
    }

    /// Where the next byte that is no blank stands.
    fn blanks(&self, at: usize) -> Option<usize> {
        let rest = self.bytes.get(at..)?;
        rest.iter().position(|byte| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t')).map(|blanks| at + blanks)
    }
}

fn is_of_scalar(byte: u8) -> bool {
    matches!(byte, b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'E')
}

/// Behind the closing bracket of what was opened just before `at`.
fn end_of_nested(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 1_usize;
    loop {
        match bytes.get(at)? {
            b'"' => {
                at = end_of_string(bytes, at + 1)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
}

/// Behind the closing quote of what was opened just before `at`.
pub(super) fn end_of_string(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at = quote_or_escape(bytes, at)?;
        if bytes[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// Where the next quote or backslash stands. Most texts are short: eight bytes at a time beat a call for long ones.
pub(super) fn quote_or_escape(bytes: &[u8], mut at: usize) -> Option<usize> {
    while let Some(word) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*word);
        let found = has_byte(word, b'"') | has_byte(word, b'\\');
        if found != 0 {
            return Some(at + (found.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    bytes.get(at..)?.iter().position(|byte| matches!(byte, b'"' | b'\\')).map(|length| at + length)
}

/// The high bit of the lowest byte of `word` that equals `byte` is set, and no lower one.
fn has_byte(word: u64, byte: u8) -> u64 {
    const ONES: u64 = u64::MAX / 255;
    let zeroed = word ^ (ONES * u64::from(byte));
    zeroed.wrapping_sub(ONES) & !zeroed & (ONES << 7)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::unknown_fields_go(r#"{"x":{"y":["}\"",1]},"kind" : "Pod" ,"z":null} "#, Ok(r#"{"kind":"Pod"}"#))]
    #[case::nothing_left(r#"{"x":1}"#, Ok("{}"))]
    #[case::empty(r"{ }", Ok("{}"))]
    #[case::lists(
        r#"{"spec":{"containers":[ {"name":"c","env":[1]}, null ,{}]}}"#,
        Ok(r#"{"spec":{"containers":[{"name":"c"},null,{}]}}"#)
    )]
    #[case::odd_values_stay(r#"{"spec":[1,{"a":2}],"metadata":5}"#, Ok(r#"{"spec":[1,{"a":2}],"metadata":5}"#))]
    #[case::repeated_keys_stay(r#"{"kind":"a","kind":"b"}"#, Ok(r#"{"kind":"a","kind":"b"}"#))]
    #[case::only_that_something_runs(
        r#"{"status":{"containerStatuses":[{"state":{"running":{"startedAt":"x"}}}]}}"#,
        Ok(r#"{"status":{"containerStatuses":[{"state":{"running":{}}}]}}"#)
    )]
    #[case::escaped_key(r#"{"\u006bind":"Pod"}"#, Err(Sifted::Irregular))]
    #[case::no_object("[]", Err(Sifted::Irregular))]
    #[case::no_end(r#"{"kind":"Pod""#, Err(Sifted::Unfinished))]
    #[case::no_comma(r#"{"kind":"Pod" "x":1}"#, Err(Sifted::Irregular))]
    #[case::no_value(r#"{"kind":}"#, Err(Sifted::Irregular))]
    #[case::trailing_comma(r#"{"kind":"Pod",}"#, Err(Sifted::Irregular))]
    fn what_is_kept_of_an_item(#[case] item: &str, #[case] expected: Result<&str, Sifted>) {
        let mut out = Vec::new();
        match (sieve(item.as_bytes(), Schema::Lean, &mut out), expected) {
            (Sifted::Whole(length), Ok(expected)) => {
                assert_eq!((length, String::from_utf8_lossy(&out).as_ref()), (item.trim_end().len(), expected));
            }
            (other, expected) => assert_eq!(Some(other), expected.err()),
        }
    }

    #[test]
    fn quotes_and_escapes_are_found_at_any_place() {
        for length in 0..40 {
            for byte in ['"', '\\'] {
                let text = format!("{}{byte}\"!#[]\u{80}\u{ff}", "x".repeat(length));
                assert_eq!(quote_or_escape(text.as_bytes(), 0), Some(length), "{text}");
            }
        }
        assert_eq!(quote_or_escape("xyz!#[]\u{a2}\u{dc}".repeat(9).as_bytes(), 0), None);
    }
}
