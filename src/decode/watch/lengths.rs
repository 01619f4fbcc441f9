//! Frames of protobuf: each behind its length, four bytes of which the first is the highest.

use super::held::{FRAME_MAX, Frame, Held};
use crate::decode::error::DecodeError;
use crate::decode::protobuf::MAGIC;
use crate::decode::sink::HEAD;

#[derive(Debug, Clone, Copy)]
enum State {
    Length {
        value: u32,
        seen: u8,
    },
    Frame {
        left: usize,
    },
    /// Not a stream of frames but one body, which ends with the stream.
    Body,
}

const BETWEEN_FRAMES: State = State::Length { value: 0, seen: 0 };

/// The state between two pushes.
#[derive(Debug)]
pub(super) struct Lengths {
    state: State,
    held: Held,
    /// Bytes that were read so far.
    at: u64,
}

impl Lengths {
    pub(super) fn new() -> Self {
        Self { state: BETWEEN_FRAMES, held: Held::default(), at: 0 }
    }

    /// Reads on; each frame that ends is given.
    pub(super) fn push(
        &mut self,
        mut bytes: &[u8],
        found: &mut impl FnMut(Frame<'_>) -> Result<(), DecodeError>,
    ) -> Result<(), DecodeError> {
        while let [first, ..] = bytes {
            let taken = match self.state {
                State::Length { value, seen } => {
                    let value = value << 8 | u32::from(*first);
                    self.state = if seen < 3 { State::Length { value, seen: seen + 1 } } else { self.begin(value)? };
                    1
                }
                State::Frame { left } => {
                    let length = left.min(bytes.len());
                    if length == left {
                        self.state = BETWEEN_FRAMES;
                        self.held.give(&bytes[..length], found)?;
                    } else {
                        self.state = State::Frame { left: left - length };
                        self.held.keep(&bytes[..length]);
                    }
                    length
                }
                State::Body => {
                    let length = bytes.len().min(HEAD - self.held.bytes().len());
                    if length == 0 {
                        return Err(self.broken(format!("more than {} MiB that are no frame", HEAD >> 20)));
                    }
                    self.held.keep(&bytes[..length]);
                    length
                }
            };
            bytes = &bytes[taken..];
            self.at += taken as u64;
        }
        Ok(())
    }

    /// What follows a length.
    fn begin(&mut self, length: u32) -> Result<State, DecodeError> {
        if self.at == 3 && length.to_be_bytes() == MAGIC {
            self.held.keep(&MAGIC);
            return Ok(State::Body);
        }
        match usize::try_from(length) {
            Ok(left) if left > 0 && u64::from(length) <= FRAME_MAX => {
                self.held.begin(length.into());
                Ok(State::Frame { left })
            }
            _ => Err(self.broken(format!("a frame of {length} bytes"))),
        }
    }

    fn broken(&self, problem: String) -> DecodeError {
        DecodeError::MalformedBytes { at: self.at, problem }
    }

    /// What there is of a frame that has begun and not ended, or of a body in place of frames.
    pub(super) fn unfinished(&self) -> Option<&[u8]> {
        match self.state {
            State::Length { seen: 0, .. } => None,
            State::Length { .. } | State::Frame { .. } | State::Body => Some(self.held.bytes()),
        }
    }
}
