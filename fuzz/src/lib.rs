//! What several targets need: a file with the bytes of the input, and what holds of every message.

use std::path::PathBuf;

/// A file with these bytes. The next call of this process writes the same file.
pub fn file(bytes: &[u8]) -> PathBuf {
    let path = std::env::temp_dir().join(format!("kai-fuzz-{}", std::process::id()));
    std::fs::write(&path, bytes).expect("a folder for temporary files");
    path
}

/// A message is one line, moves no cursor, and does not repeat the input as a whole.
pub fn assert_message(text: &str) {
    assert!(text.len() < 64 * 1024 && !text.contains(char::is_control), "{text:?}");
}
