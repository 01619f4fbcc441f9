//! Frames of JSON: one object a line.

use memchr::memchr;

use super::held::{FRAME_MAX, Frame, Held};
use crate::decode::error::{DecodeError, Found};

/// The state between two pushes.
#[derive(Debug, Default)]
pub(super) struct Lines {
    held: Held,
    /// Lines that have ended.
    ended: u64,
}

impl Lines {
    /// Reads on; each frame that ends is given.
    pub(super) fn push(
        &mut self,
        mut bytes: &[u8],
        found: &mut impl FnMut(Frame<'_>) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        while !bytes.is_empty() {
            if self.held.is_empty() {
                // A line that is no object ends the stream with its first byte: a page may never end its line.
                match bytes[0] {
                    b'{' => {}
                    b' ' | b'\t' | b'\r' | b'\n' => {
                        self.ended += u64::from(bytes[0] == b'\n');
                        bytes = &bytes[1..];
                        continue;
                    }
                    first => return Err(DecodeError::NotKubernetes(Found(first).described())),
                }
            }
            let end = memchr(b'\n', bytes);
            let part = &bytes[..end.unwrap_or(bytes.len())];
            if self.held.length() + part.len() as u64 > FRAME_MAX {
                let problem = format!("a frame of more than {} MiB", FRAME_MAX >> 20);
                return Err(DecodeError::Malformed { line: self.ended + 1, problem });
            }
            let Some(end) = end else {
                self.held.keep(part);
                return Ok(());
            };
            self.held.give(part, found)?;
            self.ended += 1;
            bytes = &bytes[end + 1..];
        }
        Ok(())
    }

    /// What there is of a frame that has begun and not ended.
    pub(super) fn unfinished(&self) -> Option<&[u8]> {
        (!self.held.is_empty()).then(|| self.held.bytes())
    }
}
