//! What `--input` names, and the files that stand for it when it is read.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::error::{DumpError, shown};
use super::folder;
use crate::files::FileStamp;

/// The value of `--input` that stands for standard input.
const STDIN: &str = "-";

/// Where a dump is read from: files and folders, standard input among them once at most. All of them are one dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DumpInput(Vec<Place>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Stdin,
    Path(PathBuf),
}

/// What distinguishes one state of the input from another, so that it is read again when it changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stamps(Vec<FileStamp>);

/// A file to be read.
#[derive(Debug)]
pub(super) struct InputFile {
    /// `None`: standard input.
    pub(super) path: Option<PathBuf>,
    pub(super) found: Found,
}

/// How a file came to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// The user named it: it must be a dump.
    ByName,
    /// It lies in a folder and has a name of JSON or YAML.
    InFolder,
    /// It lies in a folder and has a name that means nothing.
    ByChance,
}

/// The files of an input.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) each: Vec<InputFile>,
    /// The first folder of the input.
    pub(super) folder: Option<PathBuf>,
    /// Files of the folders that are not read.
    pub(super) passed_over: u64,
    /// What could not be gone into, and why.
    pub(super) closed: Vec<String>,
}

impl DumpInput {
    /// The input of these values of `--input`; `None` when there is none.
    #[must_use]
    pub fn of<P: Into<PathBuf>>(values: impl IntoIterator<Item = P>) -> Option<Self> {
        let mut places = Vec::new();
        for path in values.into_iter().map(P::into) {
            let place = if path.as_os_str() == STDIN { Place::Stdin } else { Place::Path(path) };
            if !places.contains(&place) {
                places.push(place);
            }
        }
        (!places.is_empty()).then_some(Self(places))
    }

    /// What the files are like now: none for standard input, for a pipe, and while no file can be found.
    #[must_use]
    pub fn stamps(&self) -> Stamps {
        Stamps(self.files().iter().flat_map(Files::metadata).map(|file| FileStamp::of(&file)).collect())
    }

    /// When the oldest file was last written; `None` for standard input, for a pipe, and while no file can be found.
    #[must_use]
    pub fn modified_at(&self) -> Option<Timestamp> {
        self.files().ok()?.metadata().filter_map(|metadata| modified_at(&metadata)).min()
    }

    /// Whether part of it is gone once it was read.
    #[must_use]
    pub fn has_stdin(&self) -> bool {
        self.0.contains(&Place::Stdin)
    }

    /// The files as they are now.
    pub(super) fn files(&self) -> Result<Files, DumpError> {
        let mut all = Files::default();
        for place in &self.0 {
            match place {
                Place::Stdin => all.each.push(InputFile { path: None, found: Found::ByName }),
                Place::Path(path) if path.is_dir() => all.add_folder(path)?,
                Place::Path(path) => all.each.push(InputFile { path: Some(path.clone()), found: Found::ByName }),
            }
        }
        Ok(all)
    }
}

impl Files {
    fn add_folder(&mut self, path: &Path) -> Result<(), DumpError> {
        let open = |cause| DumpError::Open { path: path.to_owned(), cause };
        let folder::Listing { candidates, passed_over, closed } = folder::list(path).map_err(open)?;
        self.each.extend(candidates.into_iter().map(|file| InputFile {
            path: Some(file.path),
            found: if file.is_named { Found::InFolder } else { Found::ByChance },
        }));
        self.passed_over += passed_over;
        self.closed.extend(closed);
        self.folder.get_or_insert_with(|| path.to_owned());
        Ok(())
    }

    /// What the files are like now. Standard input, pipes, whose times change while they are read, and files that
    /// cannot be found are left out.
    pub(super) fn metadata(&self) -> impl Iterator<Item = Metadata> {
        let paths = self.each.iter().filter_map(|file| file.path.as_ref());
        paths.filter_map(|path| fs::metadata(path).ok()).filter(Metadata::is_file)
    }
}

impl InputFile {
    /// The file as a message names it.
    pub(super) fn name(&self) -> String {
        self.path.as_ref().map_or_else(|| STDIN.to_owned(), |path| shown(path))
    }

    /// Whether an empty file of that name must have held pods or namespaces.
    pub(super) fn is_missed_when_empty(&self) -> bool {
        let stem = self.path.as_ref().and_then(|path| path.file_stem()?.to_str());
        self.found == Found::ByName || matches!(stem, Some("pods" | "namespaces"))
    }
}

/// When the file was last written.
pub(super) fn modified_at(metadata: &Metadata) -> Option<Timestamp> {
    Timestamp::try_from(metadata.modified().ok()?).ok()
}
