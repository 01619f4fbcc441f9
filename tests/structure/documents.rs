//! What the documents say of the repository, as far as a test can hold them to it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

const DOCUMENTS: [&str; 17] = [
    "README.md",
    "CONTRIBUTING.md",
    "docs/ANCHORE.md",
    "docs/ARCHITECTURE.md",
    "docs/COMPATIBILITY.md",
    "docs/CONFIGURATION.md",
    "docs/DECISIONS.md",
    "docs/PERFORMANCE.md",
    "docs/BUILD.md",
    "docs/HISTORY.md",
    "docs/INSTALL.md",
    "docs/MESSAGES.md",
    "docs/MIGRATION.md",
    "docs/RECIPES.md",
    "docs/RUNBOOK.md",
    "docs/SECURITY.md",
    "docs/USAGE.md",
];

/// How many links lead from README.md to any other document.
const MOST_CLICKS: usize = 2;

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

fn read(document: &Path) -> String {
    fs::read_to_string(root().join(document)).unwrap_or_else(|error| panic!("{}: {error}", document.display()))
}

/// The lines of a document that are no code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut is_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    })
}

/// Where the links of a document lead in this repository: the file as a path from the root, and the anchor if there is one.
fn links(document: &Path) -> Vec<(PathBuf, Option<String>)> {
    let (text, folder) = (read(document), document.parent().expect("a folder"));
    let lines = prose(&text).map(|line| line.split('`').step_by(2).collect::<Vec<_>>().join("code"));
    let targets: Vec<String> = lines
        .flat_map(|line| {
            let targets = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
            targets.map(str::to_owned).collect::<Vec<_>>()
        })
        .collect();
    let here = targets.iter().filter(|target| !target.contains("://"));
    here.map(|target| {
        let (path, anchor) = target.split_once('#').map_or((&**target, None), |(path, anchor)| (path, Some(anchor)));
        let path = if path.is_empty() { document.to_owned() } else { plain(&folder.join(path)) };
        (path, anchor.map(str::to_owned))
    })
    .collect()
}

/// The path without `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => assert!(plain.pop(), "{} leads out of the repository", path.display()),
            part => plain.push(part),
        }
    }
    plain
}

/// The anchors of a document's headings, as GitHub makes them.
fn anchors(document: &Path) -> BTreeSet<String> {
    let text = read(document);
    let headings = prose(&text).filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| -> String {
        let words = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = words.chars().filter(|one| one.is_alphanumeric() || matches!(one, ' ' | '-' | '_'));
        kept.map(|one| if one == ' ' { '-' } else { one }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut followed = 0;
    for document in DOCUMENTS.into_iter().chain(["charts/kai/README.md"]).map(Path::new) {
        for (path, anchor) in links(document) {
            followed += 1;
            let name = format!("{} links to {}", document.display(), path.display());
            assert!(root().join(&path).exists(), "{name}, which is not there");
            let Some(anchor) = anchor else { continue };
            assert!(anchors(&path).contains(&anchor), "{name}#{anchor}, and no heading there has that anchor");
        }
    }
    assert!(followed > 25, "{followed} links: the test reads the documents wrong");
}

#[test]
fn every_document_is_two_clicks_from_the_readme_at_most() {
    let mut reached = BTreeSet::from([PathBuf::from("README.md")]);
    for _ in 0..MOST_CLICKS {
        let documents = reached.iter().filter(|path| path.extension().is_some_and(|kind| kind == "md"));
        let next: Vec<_> = documents.flat_map(|document| links(document)).map(|(path, _)| path).collect();
        reached.extend(next);
    }
    for document in files("docs") {
        assert!(reached.contains(&document), "{} is not reached from README.md", document.display());
        assert!(DOCUMENTS.iter().any(|known| document == Path::new(known)), "{} is not tested", document.display());
    }
}

#[test]
fn an_anchor_is_made_as_on_github() {
    let anchors = anchors(Path::new("docs/INSTALL.md"));
    assert!(anchors.contains("a-manifest-without-helm"), "{anchors:?}");
    assert!(anchors.contains("without-internet-with-an-authority-of-your-own"), "{anchors:?}");
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

/// The keys below a value of the sample, as paths.
fn keys(path: &str, value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(section) if !section.is_empty() => {
            for (name, value) in section {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                keys(&path, value, found);
            }
        }
        _ => drop(found.insert(path.to_owned())),
    }
}

/// The lines and columns of one screen.
const SCREEN: [usize; 2] = [50, 100];

#[test]
fn the_readme_fits_four_screens() {
    let readme = read(Path::new("README.md"));
    let rows: usize = readme.lines().map(|line| line.chars().count().div_ceil(SCREEN[1]).max(1)).sum();
    assert!(rows <= 4 * SCREEN[0], "README.md has {rows} rows of {} columns", SCREEN[1]);
}

/// The value of the chart that becomes this key.
fn value_of_the_chart(key: &str) -> String {
    let mut parts = key.split('-');
    let first = parts.next().unwrap_or_default().to_owned();
    let camel = parts.fold(first, |name, part| format!("{name}{}{}", part[..1].to_uppercase(), &part[1..]));
    format!("kai.{camel}")
}

#[test]
fn the_migration_and_the_chart_have_every_key() {
    let sample = read(Path::new("config/kai.yaml"));
    let mut known = BTreeSet::new();
    keys("", &serde_saphyr::from_str(&sample).expect("YAML"), &mut known);
    assert!(known.len() > 60, "{known:?}");
    let (migration, chart) = (read(Path::new("docs/MIGRATION.md")), read(Path::new("charts/kai/README.md")));
    for key in &known {
        let value = value_of_the_chart(key);
        let row = [".nodes.", ".namespaces.", ".pods."].iter().fold(key.clone(), |key, kind| key.replace(kind, ".*."));
        assert!(migration.contains(&format!("`{row}`")), "the migration does not have {row}");
        assert!(chart.contains(&format!("\n| `{value}` | ")), "the chart has no value {value}");
    }
    let aliases = sample.split("Also read as ").skip(1).filter_map(|rest| rest.split('.').next());
    let aliases: BTreeSet<_> = aliases.collect();
    assert_eq!(aliases.len(), 3, "{aliases:?}");
    for alias in aliases {
        assert!(
            migration.contains(&format!("also read as `{alias}`")),
            "the migration does not have the alias {alias}"
        );
    }
}
