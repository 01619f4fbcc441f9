//! JSON is written by hand where there is much of it, and by serde where not.

use std::io::{self, Write};

use serde::Serialize;

/// Takes JSON.
pub(super) trait Json {
    /// Adds JSON as it stands.
    fn push_bytes(&mut self, bytes: &[u8]);

    /// Adds JSON as it stands.
    #[inline]
    fn push(&mut self, text: &str) {
        self.push_bytes(text.as_bytes());
    }

    /// Adds a text as a JSON string.
    fn push_text(&mut self, text: &str) {
        // Nearly no text has anything to escape, and to look at all of it without a branch for each byte is quick.
        let is_odd = |byte: &u8| *byte < b' ' || *byte == b'"' || *byte == b'\\';
        if text.as_bytes().iter().fold(false, |odd, byte| odd | is_odd(byte)) {
            return self.push_value(&text);
        }
        self.push("\"");
        self.push(text);
        self.push("\"");
    }

    /// Adds a value.
    fn push_value(&mut self, value: &impl Serialize) {
        struct Out<'a, J: ?Sized>(&'a mut J);
        impl<J: Json + ?Sized> Write for Out<'_, J> {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.push_bytes(bytes);
                Ok(bytes.len())
            }

            fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
                self.0.push_bytes(bytes);
                Ok(())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        if let Err(error) = serde_json::to_writer(Out(self), value) {
            unreachable!("every byte is taken, and what is written are structs and lists of texts: {error}");
        }
    }
}

/// Where a little JSON is put together before it is known where it goes.
#[derive(Debug, Default)]
pub(super) struct Scratch(Vec<u8>);

impl Scratch {
    /// Empties it; what it held stays reserved.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Json for Scratch {
    fn push_bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}
