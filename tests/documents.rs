//! What the documents say of the repository, as far as a test can hold them to it.

use std::fs;
use std::path::{Path, PathBuf};

const DOCUMENTS: [&str; 12] = [
    "README.md",
    "CONTRIBUTING.md",
    "docs/ARCHITECTURE.md",
    "docs/COMPATIBILITY.md",
    "docs/DECISIONS.md",
    "docs/PERFORMANCE.md",
    "docs/BUILD.md",
    "docs/INSTALL.md",
    "docs/MESSAGES.md",
    "docs/MIGRATION.md",
    "docs/RUNBOOK.md",
    "docs/SECURITY.md",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below the folder, as a path from the root.
fn files(folder: &str) -> Vec<PathBuf> {
    let (mut folders, mut found) = (vec![root().join(folder)], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(root()).expect("below the root").to_owned());
            }
        }
    }
    found
}

/// What stands between backticks and ends like a source file.
fn named_sources(text: &str) -> impl Iterator<Item = &str> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter(|word| Path::new(word).extension().is_some_and(|extension| extension == "rs") && !word.contains(' '))
}

#[test]
fn sources_that_documents_name_are_there() {
    let sources: Vec<PathBuf> = ["src", "tests", "benches"].into_iter().flat_map(files).collect();
    let mut named = 0;
    for document in DOCUMENTS.map(|document| root().join(document)).iter().filter(|document| document.exists()) {
        let text = fs::read_to_string(document).expect("UTF-8");
        for source in named_sources(&text) {
            named += 1;
            let there = sources.iter().any(|path| path.ends_with(source));
            assert!(there, "{} names {source}, which is not there", document.display());
        }
    }
    assert!(named > 0, "the documents name no source: the test reads them wrong");
}
