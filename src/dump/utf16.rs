//! UTF-16 in, UTF-8 out: how PowerShell's `>` writes a file.

use std::io::{self, Read};

/// How many bytes are taken in at a time.
const CHUNK: usize = 32 * 1024;

/// Which byte of a unit comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ByteOrder {
    Little,
    Big,
}

/// Reads the text as UTF-8. What is no character becomes U+FFFD, half a unit at the end too.
pub(super) struct Utf16<R> {
    inner: R,
    order: ByteOrder,
    /// Bytes that came in; those of the first half of a character may wait for the other half.
    raw: Vec<u8>,
    text: String,
    /// How much of the text was given out.
    given: usize,
}

impl<R: Read> Utf16<R> {
    pub(super) fn new(inner: R, order: ByteOrder) -> Self {
        Self { inner, order, raw: Vec::new(), text: String::new(), given: 0 }
    }

    /// Takes in the next bytes and makes text of them, as far as they are whole.
    fn refill(&mut self) -> io::Result<()> {
        self.text.clear();
        self.given = 0;
        let mut length = self.raw.len();
        self.raw.resize(length + CHUNK, 0);
        let read = self.inner.read(&mut self.raw[length..]);
        length += *read.as_ref().unwrap_or(&0);
        self.raw.truncate(length);
        let is_end = read? == 0;
        let unit = |pair: &[u8]| match self.order {
            ByteOrder::Little => u16::from_le_bytes([pair[0], pair[1]]),
            ByteOrder::Big => u16::from_be_bytes([pair[0], pair[1]]),
        };
        let mut units: Vec<u16> = self.raw.chunks_exact(2).map(unit).collect();
        let mut used = units.len() * 2;
        if !is_end && units.last().is_some_and(|last| (0xd800..0xdc00).contains(last)) {
            units.pop();
            used -= 2;
        }
        self.text.extend(char::decode_utf16(units).map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER)));
        if is_end && used < self.raw.len() {
            self.text.push(char::REPLACEMENT_CHARACTER);
            used = self.raw.len();
        }
        self.raw.drain(..used);
        Ok(())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() {
            let before = self.raw.len();
            self.refill()?;
            if self.text.is_empty() && self.raw.len() == before {
                return Ok(0);
            }
        }
        let rest = &self.text.as_bytes()[self.given..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.given += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    /// Gives its bytes one by one, as a slow pipe does.
    struct Slow<'s>(&'s [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.0.len().min(buffer.len()).min(1);
            self.0.read(&mut buffer[..length])
        }
    }

    fn encoded(text: &str, order: ByteOrder) -> Vec<u8> {
        let bytes = |unit: u16| match order {
            ByteOrder::Little => unit.to_le_bytes(),
            ByteOrder::Big => unit.to_be_bytes(),
        };
        text.encode_utf16().flat_map(bytes).collect()
    }

    fn decoded(reader: impl Read, order: ByteOrder) -> String {
        let mut text = String::new();
        Utf16::new(reader, order).read_to_string(&mut text).expect("text");
        text
    }

    #[rstest]
    fn text_comes_out_as_it_was(
        #[values("", "{}", "a\r\né中😀", "😀")] text: &str,
        #[values(ByteOrder::Little, ByteOrder::Big)] order: ByteOrder,
    ) {
        assert_eq!(decoded(&*encoded(text, order), order), text);
        assert_eq!(decoded(Slow(&encoded(text, order)), order), text);
        let long = text.repeat(20_000);
        assert_eq!(decoded(&*encoded(&long, order), order), long);
    }

    #[rstest]
    #[case::half_a_unit(&[b'a', 0, b'b'], "a\u{fffd}")]
    #[case::half_a_character(&[0x3d, 0xd8], "\u{fffd}")]
    #[case::a_half_alone(&[0x3d, 0xd8, b'a', 0], "\u{fffd}a")]
    fn what_is_no_character_is_replaced(#[case] bytes: &[u8], #[case] expected: &str) {
        assert_eq!(decoded(bytes, ByteOrder::Little), expected);
        assert_eq!(decoded(Slow(bytes), ByteOrder::Little), expected);
    }
}
