//! A saved dump, JSON or YAML, whole and in parts: no bytes panic, the parts do not matter, and messages stay printable.

#![no_main]

use std::io::Read;
use std::ops::ControlFlow;

use kai::decode::{Records, read_dump};
use libfuzzer_sys::fuzz_target;

struct Parts<'a>(&'a [u8], usize);

impl Read for Parts<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.1.min(self.0.len()).min(buffer.len());
        buffer[..length].copy_from_slice(&self.0[..length]);
        self.0 = &self.0[length..];
        Ok(length)
    }
}

fn read(bytes: &[u8], length: usize) -> (String, bool) {
    let mut events = String::new();
    let end = read_dump(&mut Parts(bytes, length), &mut Records::default(), &mut |event| {
        events.push_str(&format!("{event:?}\n"));
        ControlFlow::Continue(())
    });
    if let Err(error) = &end {
        let text = error.to_string();
        assert!(text.len() < 2000 && !text.contains(char::is_control), "{text:?}");
    }
    (events, end.is_ok())
}

fuzz_target!(|input: (u8, &[u8])| {
    let (length, bytes) = input;
    assert_eq!(read(bytes, usize::MAX), read(bytes, usize::from(length).max(1)));
});
