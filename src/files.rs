//! Whether a file has changed.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// What distinguishes one state of a file from another: another file of its name, its content, its rights.
///
/// Links are followed: a mounted Secret is renewed by a link that points elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileStamp {
    device: u64,
    inode: u64,
    size: u64,
    /// When content or rights last changed, in seconds and nanoseconds. No program can set it back.
    changed: (i64, i64),
}

impl FileStamp {
    /// The file as it is now.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        std::fs::metadata(path).map(|metadata| Self::of(&metadata))
    }

    /// The file as it was when its metadata were read.
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, File};

    #[test]
    fn a_file_that_is_replaced_rewritten_or_given_other_rights_has_another_stamp() {
        let folder = tempfile::tempdir().unwrap();
        let (path, next) = (folder.path().join("file"), folder.path().join("next"));
        fs::write(&path, "one").unwrap();
        let first = FileStamp::read(&path).unwrap();
        assert_eq!(FileStamp::read(&path).unwrap(), first);
        fs::write(&next, "two").unwrap();
        fs::rename(&next, &path).unwrap();
        let replaced = FileStamp::read(&path).unwrap();
        assert_ne!(replaced, first);
        File::options().append(true).open(&path).unwrap().set_len(2).unwrap();
        assert_ne!(FileStamp::read(&path).unwrap(), replaced);
        assert!(FileStamp::read(&next).is_err());
    }
}
