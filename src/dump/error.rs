//! Why the input could not be read.

use std::io;
use std::path::{Path, PathBuf};

use super::form::NoText;
use crate::decode::DecodeError;
use crate::inventory::excerpt;

/// Why a dump could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    /// The file or folder cannot be opened.
    #[error("--input {}: {cause}; give a file or folder that this user may read, or - for standard input", shown(.path))]
    Open { path: PathBuf, cause: io::Error },
    /// What was read is no dump.
    #[error("--input {input}: {cause}")]
    Content {
        /// The file, or `-`.
        input: String,
        /// What is wrong with it.
        cause: ContentError,
    },
    /// There are objects in it, but neither pods nor namespaces.
    #[error(
        "--input {input}: no pod and no namespace in the input, only {kinds}; \
         `kubectl get namespaces,pods --all-namespaces -o json` prints what kai reads"
    )]
    OtherKinds {
        /// The file or folder, or `-`; the first of several.
        input: String,
        /// The kinds found, each with its number.
        kinds: String,
    },
    /// A folder without anything that kai reads.
    #[error(
        "--input {}: no file in this folder holds pods or namespaces (number of files: {passed_over}); \
         `kubectl cluster-info dump --all-namespaces --output-directory FOLDER` writes one that kai reads",
        shown(.path)
    )]
    NothingInFolder {
        path: PathBuf,
        /// How many files are in it.
        passed_over: u64,
    },
    /// Nobody takes the events any more.
    #[error("--input: reading was stopped")]
    Stopped,
}

/// What is wrong with one file.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ContentError(#[from] Content);

#[derive(Debug, thiserror::Error)]
pub(super) enum Content {
    #[error(transparent)]
    Form(#[from] NoText),
    #[error(transparent)]
    Decode(#[from] DecodeError),
}

/// A path as a message may show it.
pub(super) fn shown(path: &Path) -> String {
    excerpt(&path.to_string_lossy()).to_string()
}
