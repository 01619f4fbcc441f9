//! The first bytes of a dump: which format it is in, or what else it is.

use std::io::Read;

use crate::decode::error::{DecodeError, Found};

/// As many bytes as are looked at before the format is decided.
const HEAD: usize = 4096;

/// How a dump is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Json,
    Yaml,
}

/// The first bytes, which stand in the buffer that they were read into.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) kind: Kind,
    /// Where the text begins, behind a byte order mark.
    pub(super) start: usize,
    /// Bytes in the buffer.
    pub(super) length: usize,
    /// The first line that is not blank, counted from 1.
    pub(super) first_line: u64,
    pub(super) text: String,
}

impl Head {
    /// Reads until the format is known, blanks aside.
    ///
    /// # Errors
    /// The input is empty, or neither JSON nor YAML in UTF-8.
    pub(super) fn read(reader: &mut dyn Read, buffer: &mut [u8]) -> Result<Self, DecodeError> {
        let mut length = 0;
        let mut skipped_lines = 0;
        loop {
            let read = read_some(reader, &mut buffer[length..])?;
            length += read;
            let start = if buffer[..length].starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
            let blank = buffer[start..length].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            if start + blank == length && read > 0 && length == buffer.len() {
                // Blanks alone, as many as the buffer holds.
                skipped_lines += lines(&buffer[..length]);
                length = 0;
            } else if read == 0 || length - start - blank >= HEAD || length == buffer.len() {
                return Self::of(&buffer[..length], start, blank, skipped_lines);
            }
        }
    }

    fn of(bytes: &[u8], start: usize, blank: usize, skipped_lines: u64) -> Result<Self, DecodeError> {
        let mut text = &bytes[start + blank..];
        if let Some(what) = no_text(bytes) {
            return Err(DecodeError::NotText(what));
        }
        let first_line = skipped_lines + lines(&bytes[..start + blank]) + 1;
        let first_text = text;
        // Marks and comments may stand before objects of either format.
        while text.starts_with(b"---\n") || text.starts_with(b"---\r\n") || text.starts_with(b"#") {
            let Some(end) = memchr::memchr(b'\n', text) else { break };
            text = text[end..].trim_ascii_start();
        }
        let Some(first) = text.first() else { return Err(DecodeError::Empty) };
        let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = &line[..line.len().min(1024)];
        let second = text[1..].iter().find(|byte| !byte.is_ascii_whitespace());
        let kind = match (first, second) {
            (b'{', None | Some(b'"' | b'}')) | (b'[', None | Some(b'{' | b'[' | b'"' | b']')) => Kind::Json,
            (b'"', _) => return Err(DecodeError::NoObject(Found(*first).described())),
            _ if is_number_or_word(line.trim_ascii()) => return Err(DecodeError::NoObject(Found(*first).described())),
            _ => Kind::Yaml,
        };
        if let Some(what) = for_people(line) {
            return Err(DecodeError::ForPeople(what));
        }
        if kind == Kind::Yaml
            && line.iter().any(|byte| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\r' | 0x1b))
        {
            return Err(DecodeError::NotText("binary data"));
        }
        if kind == Kind::Yaml && std::str::from_utf8(line).is_err_and(|error| error.error_len().is_some()) {
            return Err(DecodeError::NotText("binary data"));
        }
        Ok(Self {
            kind,
            start,
            length: bytes.len(),
            first_line,
            text: String::from_utf8_lossy(first_text.split(|byte| *byte == b'\n').next().unwrap_or_default())
                .trim_end()
                .to_owned(),
        })
    }
}

/// What kubectl prints without `-o`, as its first line shows.
fn for_people(line: &[u8]) -> Option<&'static str> {
    if line.strip_prefix(b"Name:").is_some_and(|rest| rest.starts_with(b"  ")) {
        return Some("what `kubectl describe` prints");
    }
    let mut words = line.split(|byte| matches!(byte, b' ' | b'\t' | b'\r')).filter(|word| !word.is_empty()).peekable();
    let is_title = |word: &[u8]| word.iter().all(|byte| matches!(byte, b'A'..=b'Z' | b'-' | b'(' | b')'));
    let is_table = matches!(words.peek(), Some(&(b"NAME" | b"NAMESPACE"))) && words.clone().count() > 1;
    (is_table && words.all(is_title)).then_some("a table of `kubectl get`")
}

/// A document that is one number or one of JSON's words.
fn is_number_or_word(line: &[u8]) -> bool {
    matches!(line, b"null" | b"true" | b"false")
        || (!line.is_empty()
            && line.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'e' | b'E' | b'+')))
            && line.iter().any(u8::is_ascii_digit)
}

fn lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

/// What bytes are that are no text in UTF-8, as far as their beginning shows.
fn no_text(bytes: &[u8]) -> Option<&'static str> {
    let known: [(&[u8], &str); 8] = [
        (b"\xff\xfe", "UTF-16"),
        (b"\xfe\xff", "UTF-16"),
        (b"\x1f\x8b", "compressed (gzip)"),
        (b"\x28\xb5\x2f\xfd", "compressed (zstd)"),
        (b"\xfd7zXZ", "compressed (xz)"),
        (b"BZh", "compressed (bzip2)"),
        (b"PK\x03\x04", "a zip archive"),
        (b"k8s\x00", "Kubernetes protobuf"),
    ];
    if let Some((_, what)) = known.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Some(what);
    }
    match bytes {
        [0, first, 0, ..] | [first, 0, _, 0, ..] if first.is_ascii_graphic() => Some("UTF-16"),
        bytes if bytes.iter().take(HEAD).any(|byte| *byte == 0) => Some("binary data"),
        _ => None,
    }
}

/// Reads on; 0 bytes are the end.
pub(super) fn read_some(reader: &mut dyn Read, buffer: &mut [u8]) -> Result<usize, DecodeError> {
    loop {
        match reader.read(buffer) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            read => return read.map_err(DecodeError::Read),
        }
    }
}
