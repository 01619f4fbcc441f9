//! What a file is beneath its name: text, text in UTF-16, packed with gzip, or an archive, which is refused.

use std::io::{self, Cursor, ErrorKind, Read};

use flate2::read::MultiGzDecoder;

use super::utf16::{ByteOrder, Utf16};

/// How much of the beginning is looked at: a tar archive shows in its first 262 bytes.
const HEAD: usize = 512;

/// A text to be read.
pub(super) type Text<'t> = Box<dyn Read + 't>;

/// Why an input is no text.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoText {
    #[error("reading failed: {0}")]
    Read(#[from] io::Error),
    /// What it is, and what to do.
    #[error("it is {what}; {advice}")]
    Packed { what: &'static str, advice: &'static str },
}

const UNPACK: &str = "unpack it and give the folder that comes out";
const DECOMPRESS: &str = "decompress it first";

/// What begins so is refused.
const REFUSED: [(&[u8], &str, &str); 8] = [
    (b"PK\x03\x04", "a zip archive", UNPACK),
    (b"PK\x05\x06", "an empty zip archive", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    (b"Rar!\x1a\x07", "a rar archive", UNPACK),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", DECOMPRESS),
    (b"\xfd7zXZ", "compressed with xz", DECOMPRESS),
    (b"BZh", "compressed with bzip2", DECOMPRESS),
    (b"\xff\xfe\0\0", "text in UTF-32", "save it in UTF-8"),
];

/// Where the mark of a tar archive stands.
const TAR: std::ops::Range<usize> = 257..262;

/// The input as text in UTF-8, unpacked when it is packed with gzip.
pub(super) fn text_of(reader: Text<'_>) -> Result<Text<'_>, NoText> {
    let (head, reader) = peek(reader)?;
    if !head.starts_with(b"\x1f\x8b") {
        return plain(&head, reader);
    }
    let (head, reader) = peek(Box::new(Gunzip(MultiGzDecoder::new(reader))))?;
    if head.starts_with(b"\x1f\x8b") {
        return Err(NoText::Packed { what: "packed with gzip twice", advice: DECOMPRESS });
    }
    plain(&head, reader)
}

fn plain<'t>(head: &[u8], reader: Text<'t>) -> Result<Text<'t>, NoText> {
    if let Some((_, what, advice)) = REFUSED.iter().find(|(magic, ..)| head.starts_with(magic)) {
        return Err(NoText::Packed { what, advice });
    }
    if head.get(TAR) == Some(b"ustar") {
        return Err(NoText::Packed { what: "a tar archive", advice: UNPACK });
    }
    let Some((order, mark)) = byte_order(head) else { return Ok(reader) };
    let mut reader = reader;
    io::copy(&mut reader.by_ref().take(mark), &mut io::sink())?;
    Ok(Box::new(Utf16::new(reader, order)))
}

/// The byte order of UTF-16, and the length of its mark. Without one two characters of ASCII show it: no text in UTF-8 has a
/// zero byte.
fn byte_order(head: &[u8]) -> Option<(ByteOrder, u64)> {
    let is_plain = |byte: u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    match *head {
        [0xff, 0xfe, ..] => Some((ByteOrder::Little, 2)),
        [0xfe, 0xff, ..] => Some((ByteOrder::Big, 2)),
        [first, 0, second, 0, ..] if is_plain(first) && is_plain(second) => Some((ByteOrder::Little, 0)),
        [0, first, 0, second, ..] if is_plain(first) && is_plain(second) => Some((ByteOrder::Big, 0)),
        _ => None,
    }
}

/// The first bytes, and a reader that gives them again.
fn peek(mut reader: Text<'_>) -> io::Result<(Vec<u8>, Text<'_>)> {
    let mut head = Vec::with_capacity(HEAD);
    reader.by_ref().take(HEAD as u64).read_to_end(&mut head)?;
    Ok((head.clone(), Box::new(Cursor::new(head).chain(reader))))
}

/// Puts the faults of packed data into words.
struct Gunzip<R>(MultiGzDecoder<R>);

impl<R: Read> Read for Gunzip<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => {
                io::Error::new(ErrorKind::UnexpectedEof, "the gzip data was cut off; save it again")
            }
            ErrorKind::InvalidInput | ErrorKind::InvalidData => {
                io::Error::new(ErrorKind::InvalidData, format!("the gzip data is corrupt ({error}); save it again"))
            }
            _ => error,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use rstest::rstest;
    use std::io::Write as _;

    fn read(bytes: &[u8]) -> Result<String, String> {
        let mut text = String::new();
        let mut reader = text_of(Box::new(bytes)).map_err(|error| error.to_string())?;
        reader.read_to_string(&mut text).map_err(|error| error.to_string())?;
        Ok(text)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).expect("a vector");
        encoder.finish().expect("a vector")
    }

    fn tar() -> Vec<u8> {
        let mut block = vec![0; 1024];
        block[..4].copy_from_slice(b"pods");
        block[TAR].copy_from_slice(b"ustar");
        block
    }

    const TEXT: &str = "{\"kind\": \"List\"}";

    fn utf16(mark: &[u8], low_first: bool) -> Vec<u8> {
        let pairs = TEXT.bytes().flat_map(|byte| if low_first { [byte, 0] } else { [0, byte] });
        mark.iter().copied().chain(pairs).collect()
    }

    #[rstest]
    #[case::as_it_is(TEXT.into())]
    #[case::packed(gzip(TEXT.as_bytes()))]
    #[case::packed_in_two_pieces([gzip(b"{\"kind\""), gzip(b": \"List\"}")].concat())]
    #[case::powershell(utf16(b"\xff\xfe", true))]
    #[case::big_endian(utf16(b"\xfe\xff", false))]
    #[case::without_a_mark(utf16(b"", true))]
    #[case::big_endian_without_a_mark(utf16(b"", false))]
    #[case::both(gzip(&utf16(b"\xff\xfe", true)))]
    fn text_is_read_whatever_it_is_wrapped_in(#[case] bytes: Vec<u8>) {
        assert_eq!(read(&bytes).as_deref(), Ok(TEXT));
    }

    #[test]
    fn nothing_is_text() {
        assert_eq!(read(b"").as_deref(), Ok(""));
    }

    #[rstest]
    #[case::zip(b"PK\x03\x04".to_vec(), "it is a zip archive; unpack it and give the folder that comes out")]
    #[case::tar(tar(), "it is a tar archive; unpack it and give the folder that comes out")]
    #[case::packed_tar(gzip(&tar()), "it is a tar archive; unpack it and give the folder that comes out")]
    #[case::zstd(b"\x28\xb5\x2f\xfd".to_vec(), "it is compressed with zstd; decompress it first")]
    #[case::twice(gzip(&gzip(b"{}")), "it is packed with gzip twice; decompress it first")]
    #[case::head_alone(gzip(b"{}")[..5].to_vec(), "reading failed: the gzip data was cut off; save it again")]
    fn what_is_no_text_is_refused_with_advice(#[case] bytes: Vec<u8>, #[case] message: &str) {
        assert_eq!(read(&bytes).expect_err("refused"), message);
    }

    #[test]
    fn packed_data_that_was_cut_off_or_changed_is_named() {
        let noise: Vec<u8> = (0_u32..40_000)
            .flat_map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes())
            .map(|byte| byte % 64 + 32)
            .collect();
        let packed = gzip(&noise);
        assert_eq!(read(&packed[..packed.len() / 2]).expect_err("cut"), "the gzip data was cut off; save it again");
        let mut changed = packed.clone();
        let last = changed.len() - 6;
        changed[last] ^= 0xff;
        let message = read(&changed).expect_err("changed");
        assert!(message.starts_with("the gzip data is corrupt ("), "{message}");
    }
}
