//! The files of a folder that may hold Kubernetes objects, in the order of their paths.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Folders within one another beyond this are not gone into: no tool writes so many.
const DEPTH_MAX: usize = 32;

/// A file of a folder that is worth a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) path: PathBuf,
    /// Its name is one of JSON or YAML; if not, its name means nothing.
    pub(super) is_named: bool,
}

/// What is in a folder and all folders below it.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) candidates: Vec<Candidate>,
    /// Files of other names, symbolic links, and what is no file.
    pub(super) passed_over: u64,
    /// What could not be gone into, and why.
    pub(super) closed: Vec<String>,
}

/// Goes through the folder and all below it. Symbolic links are not followed: what they lead to inside of the folder is
/// found without them, and what is outside was not asked for.
///
/// # Errors
/// The folder itself cannot be read.
pub(super) fn list(root: &Path) -> io::Result<Listing> {
    let mut listing = Listing::default();
    let mut folders = vec![(root.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        if depth > DEPTH_MAX {
            listing.close(&folder, &format!("more than {DEPTH_MAX} folders deep; give it by itself"));
            continue;
        }
        let entries = match fs::read_dir(&folder) {
            Err(error) if depth == 0 => return Err(error),
            Err(error) => {
                listing.close(&folder, &error);
                continue;
            }
            Ok(entries) => entries,
        };
        for entry in entries {
            // Neither follows a link.
            let found = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)));
            match found {
                Err(error) => listing.close(&folder, &error),
                Ok((path, kind)) if kind.is_dir() => folders.push((path, depth + 1)),
                Ok((path, kind)) => match is_named(&path) {
                    Some(is_named) if kind.is_file() => listing.candidates.push(Candidate { path, is_named }),
                    _ => listing.passed_over += 1,
                },
            }
        }
    }
    listing.candidates.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(listing)
}

impl Listing {
    fn close(&mut self, folder: &Path, reason: &impl std::fmt::Display) {
        self.closed.push(format!("{}: {reason}", super::error::shown(folder)));
    }
}

/// Whether the name is one of JSON or YAML, packed or not; `None` for the name of something else, as a log.
fn is_named(path: &Path) -> Option<bool> {
    let extension = |path: &Path| path.extension().and_then(OsStr::to_str).map(str::to_ascii_lowercase);
    let unpacked = path.with_extension("");
    let extension = match extension(path).as_deref() {
        Some("gz") => extension(&unpacked),
        other => other.map(str::to_owned),
    };
    match extension.as_deref() {
        Some("json" | "yaml" | "yml") => Some(true),
        None => Some(false),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("pods.json", Some(true))]
    #[case("PODS.YAML", Some(true))]
    #[case("pods.yml.gz", Some(true))]
    #[case("dump", Some(false))]
    #[case("dump.gz", Some(false))]
    #[case("current.log", None)]
    #[case("current.log.gz", None)]
    #[case("event-filter.html", None)]
    fn a_name_tells_what_is_worth_a_look(#[case] name: &str, #[case] expected: Option<bool>) {
        assert_eq!(is_named(Path::new(name)), expected);
    }

    #[test]
    fn a_folder_is_listed_sorted_without_what_lies_behind_links() {
        let outside = tempfile::tempdir().expect("a folder");
        fs::write(outside.path().join("pods.json"), "").expect("written");
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        fs::create_dir_all(root.join("b/c")).expect("made");
        for name in ["b/c/pods.yaml", "b/logs.txt", "nodes.json", "version"] {
            fs::write(root.join(name), "").expect("written");
        }
        std::os::unix::fs::symlink(outside.path(), root.join("link")).expect("linked");
        std::os::unix::fs::symlink(root.join("nodes.json"), root.join("again.json")).expect("linked");
        let listing = list(root).expect("a folder");
        let paths: Vec<_> =
            listing.candidates.iter().map(|file| file.path.strip_prefix(root).expect("below")).collect();
        assert_eq!(paths, ["b/c/pods.yaml", "nodes.json", "version"].map(Path::new));
        assert_eq!((listing.passed_over, listing.closed.len()), (3, 0));
    }

    #[test]
    fn folders_within_folders_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let deep: PathBuf = std::iter::repeat_n("d", DEPTH_MAX + 1).collect();
        fs::create_dir_all(folder.path().join(&deep)).expect("made");
        let listing = list(folder.path()).expect("a folder");
        assert_eq!(listing.closed.len(), 1);
        assert!(listing.closed[0].ends_with("d: more than 32 folders deep; give it by itself"), "{listing:?}");
    }
}
