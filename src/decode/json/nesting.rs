//! Where a JSON value ends, found by counting brackets outside strings: nesting costs neither stack nor memory.

use memchr::memchr2;

/// How far a nested value has been passed over.
#[derive(Debug, Default)]
pub(super) struct Nesting {
    depth: u64,
    in_string: bool,
    escaped: bool,
}

impl Nesting {
    /// Begins behind the opening bracket of an object or an array.
    pub(super) fn inside() -> Self {
        Self { depth: 1, ..Self::default() }
    }

    /// Begins with the first byte of a value: whether it is nested or a string (`true`), a bare word (`false`), or none.
    pub(super) fn begin(&mut self, byte: u8) -> Option<bool> {
        *self = Self::default();
        match byte {
            b'{' | b'[' => self.depth = 1,
            b'"' => self.in_string = true,
            b'-' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' => return Some(false),
            _ => return None,
        }
        // The caller's first byte counts as read when it opened something.
        Some(true)
    }

    /// Reads on to the end of the value; returns the bytes up to it, or `None` when it is not among them.
    pub(super) fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        if self.in_string {
            at = self.end_of_string(bytes, at)?;
            if self.depth == 0 {
                return Some(at);
            }
        }
        let mut depth = self.depth;
        loop {
            match bytes.get(at) {
                Some(b'"') => {
                    (self.depth, self.in_string) = (depth, true);
                    at = self.end_of_string(bytes, at + 1)?;
                    continue;
                }
                Some(b'{' | b'[') => depth += 1,
                Some(b'}' | b']') => {
                    depth -= 1;
                    if depth == 0 {
                        return Some(at + 1);
                    }
                }
                Some(_) => {}
                None => {
                    self.depth = depth;
                    return None;
                }
            }
            at += 1;
        }
    }

    /// Where the bytes after the closing quote begin.
    fn end_of_string(&mut self, bytes: &[u8], mut at: usize) -> Option<usize> {
        if self.escaped && at < bytes.len() {
            self.escaped = false;
            at += 1;
        }
        loop {
            let found = at + memchr2(b'"', b'\\', bytes.get(at..)?)?;
            if bytes[found] == b'"' {
                self.in_string = false;
                return Some(found + 1);
            }
            at = found + 2;
            if at > bytes.len() {
                self.escaped = true;
                return None;
            }
        }
    }
}
