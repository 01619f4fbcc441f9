//! What is asked for: what was typed, and what files ask for.

use std::collections::HashSet;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::wanted::Wanted;
use crate::cli::Exit;
use crate::cli::start::Failure;
use crate::inventory::excerpt;

/// Standard input.
const STDIN: &str = "-";
/// Larger files are no lists of images.
const FILE_MAX: u64 = 256 * 1024 * 1024;

/// Everything that is asked for, each once.
pub(super) fn all_wanted(typed: &[String], files: &[PathBuf]) -> anyhow::Result<Vec<Wanted>> {
    let usage = |message: String| anyhow::Error::from(Failure { exit: Exit::Usage, message });
    let typed = typed.iter().map(|text| {
        Wanted::parse(text).ok_or_else(|| {
            usage(format!("\"{}\" is no image reference, digest or package URL of an image", excerpt(text)))
        })
    });
    let mut wanted: Vec<Wanted> = typed.collect::<Result<_, _>>()?;
    for path in files {
        let shown = excerpt(&path.to_string_lossy()).to_string();
        let bytes = read(path).map_err(|error| usage(format!("{shown} cannot be read: {error}")))?;
        wanted.extend(Wanted::read(&bytes).map_err(|error| usage(format!("{shown} {error}")))?);
    }
    let mut seen = HashSet::new();
    wanted.retain(|wanted| seen.insert(wanted.asked.clone()));
    Ok(wanted)
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let reader: Box<dyn std::io::Read> =
        if path == Path::new(STDIN) { Box::new(std::io::stdin().lock()) } else { Box::new(std::fs::File::open(path)?) };
    if reader.take(FILE_MAX + 1).read_to_end(&mut bytes)? as u64 > FILE_MAX {
        return Err(std::io::Error::other(format!("it has more than {} MiB", FILE_MAX / 1024 / 1024)));
    }
    Ok(bytes)
}
