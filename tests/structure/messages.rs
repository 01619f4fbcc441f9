//! docs/MESSAGES.md has an entry for every message that says what is wrong, and none for a message that is gone.
//!
//! Messages are read from the sources: what `#[error(…)]`, `warn!`, `error!`, `bail!` and `anyhow!` say, every other text with
//! advice behind a semicolon, and what the chart's `fail` says. What a message puts in is `…` on both sides. A text without a
//! letter of its own only passes on what others say, and those have the entries.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

/// A line of a text that goes on in the next.
static BROKEN_LINE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\\\n\s*").expect("a pattern"));
/// Where something is put into a text.
static PUT_IN: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\{[^{}]*\}|%[qds]").expect("a pattern"));
/// A comment, a quote between quotes, a text.
static TOKEN: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r##"//[^\n]*|b?'\\?"'|r#"(?s:.*?)"#|"(?s:((?:[^"\\]|\\.)*))""##).expect("a pattern"));
/// What says that something is wrong.
static CALL: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?:#\[error|\b(?:warn|error|bail|anyhow)!)\(").expect("a pattern"));

const DOCUMENT: &str = "docs/MESSAGES.md";

/// An entry of fewer letters would be found in messages that it is not about: it must be the whole message.
const FEWEST_LETTERS: usize = 8;

/// Texts that need no entry: the file or folder, and how the text begins.
const WITHOUT_ENTRY: [(&str, &str); 23] = [
    // They pass on what others say, with a word of their own.
    ("src/decode/error.rs", "line …: …"),
    ("src/dump", "--input …: …"),
    ("src/push/failure.rs", "… answers ……; …"),
    // Parts of messages that have an entry: a kubeconfig that may not be read, a parameter that must be something else.
    ("src/cluster/connection/fault.rs", "; kai runs as uid …"),
    ("src/http/params.rs", "the name of a namespace; "),
    ("src/http/row_params.rs", "…; a - before it"),
    // Help of the command line.
    ("src/cli/push.rs", "Examples:"),
    ("src/cli/query/history.rs", "Examples:"),
    ("src/cli/query/filters.rs", "…; repeat it for several"),
    // Header fields.
    ("src/http/docs.rs", "default-src 'self'; "),
    ("src/http/docs.rs", "text/html; "),
    ("src/http/docs.rs", "text/javascript; "),
    ("src/http/metrics.rs", "application/openmetrics-text; "),
    ("src/http/probes.rs", "text/plain; "),
    ("src/http/reply.rs", "attachment; "),
    ("src/http/reply.rs", "<…?…>; "),
    // Media types and help.
    ("src/views/format", "text/"),
    // Descriptions in the OpenAPI document, and of metrics.
    ("src/http/problem.rs", "A parameter is unknown or has an invalid value; "),
    ("src/http/problem.rs", "Resources answer GET and HEAD; "),
    ("src/http/problem.rs", "The probe fails; "),
    ("src/http/problem.rs", "An image that was in use may be left out: kai was not looking"),
    ("src/http/openapi.rs", ""),
    ("src/metrics", ""),
];

/// A text of the sources.
struct Text {
    file: PathBuf,
    says: String,
    /// It is said by itself when something is wrong, or has advice.
    is_message: bool,
}

/// Every text of the program and of the chart's `fail`, those of tests left out.
fn texts() -> Vec<Text> {
    let mut texts = Vec::new();
    for file in files("src").filter(|file| !file.starts_with("src/push/tests")) {
        let code = read(&file);
        let code = code.split("#[cfg(test)]\nmod tests {").next().expect("a first part");
        let (blank, literals) = literals(code);
        let said: Vec<usize> = calls(&blank)
            .filter_map(|call| {
                let inside = literals.iter().filter(|(at, _)| call.contains(at));
                inside.max_by_key(|(_, text)| text.len()).map(|(at, _)| *at)
            })
            .collect();
        for (at, text) in literals {
            let is_message = said.contains(&at) || text.contains("; ");
            texts.push(Text { file: file.clone(), says: text, is_message });
        }
    }
    let fail = Regex::new(r#"\bfail \(?(?:printf )?"((?:[^"\\]|\\.)*)""#).expect("a pattern");
    for file in files("charts/kai/templates") {
        let template = read(&file);
        let found: Vec<_> = fail.captures_iter(&template).map(|found| plain(&found[1])).collect();
        let stops = template.lines().filter(|line| line.split_whitespace().any(|word| word == "fail")).count();
        assert_eq!(found.len(), stops, "{}: a `fail` whose text is not read", file.display());
        texts.extend(found.into_iter().map(|text| Text { file: file.clone(), says: text, is_message: true }));
    }
    texts
}

/// Files below the folder, as paths from the root.
fn files(folder: &str) -> impl Iterator<Item = PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut folders, mut found) = (vec![root.join(folder)], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let is_source =
                path.extension().is_some_and(|kind| ["rs", "tpl", "yaml", "txt"].iter().any(|one| kind == *one));
            match path.is_dir() {
                true => folders.push(path),
                false if is_source => found.push(path.strip_prefix(root).expect("below the root").to_owned()),
                false => {}
            }
        }
    }
    found.into_iter()
}

fn read(file: &Path) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The code with its texts and comments blanked, so that brackets can be counted; and the texts, with where they begin.
fn literals(code: &str) -> (String, Vec<(usize, String)>) {
    let (mut blank, mut texts) = (code.to_owned(), Vec::new());
    for found in TOKEN.captures_iter(code) {
        let whole = found.get(0).expect("a match");
        blank.replace_range(whole.range(), &" ".repeat(whole.len()));
        if let Some(text) = found.get(1) {
            texts.push((whole.start(), plain(text.as_str())));
        }
    }
    (blank, texts)
}

/// What each call that says something is wrong reaches over.
fn calls(blank: &str) -> impl Iterator<Item = Range<usize>> {
    let ranges: Vec<_> = CALL
        .find_iter(blank)
        .map(|found| {
            let mut depth = 1_u32;
            let rest = &blank.as_bytes()[found.end()..];
            let length = rest.iter().position(|byte| {
                depth = match byte {
                    b'(' => depth + 1,
                    b')' => depth - 1,
                    _ => depth,
                };
                depth == 0
            });
            found.start()..found.end() + length.expect("a closing bracket")
        })
        .collect();
    ranges.into_iter()
}

/// A text as it is said: escapes undone, `…` for what is put in.
fn plain(text: &str) -> String {
    let text = BROKEN_LINE.replace_all(text, "");
    let text = text.replace("\\\"", "\"").replace("{{", "(").replace("}}", ")");
    PUT_IN.replace_all(&text, "…").into_owned()
}

fn letters(text: &str) -> usize {
    text.chars().filter(|character| character.is_alphabetic()).count()
}

/// The entries: what stands between backticks in the first column of a table.
fn entries() -> Vec<String> {
    let document = read(Path::new(DOCUMENT));
    let rows = document.lines().filter(|line| line.starts_with("| `"));
    let cells = rows.map(|row| row[2..].split(" | ").next().expect("a first cell"));
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
}

/// Whether the entry is about the text: its parts stand there, in their order.
fn is_about(entry: &str, text: &str) -> bool {
    if letters(entry) < FEWEST_LETTERS {
        return entry == text;
    }
    let mut rest = Some(text);
    for part in entry.split('…') {
        rest = rest.and_then(|rest| rest.split_once(part)).map(|(_, behind)| behind);
    }
    rest.is_some()
}

fn needs_no_entry(text: &Text) -> bool {
    WITHOUT_ENTRY.iter().any(|(path, begin)| text.file.starts_with(path) && text.says.starts_with(begin))
}

#[test]
fn every_message_has_an_entry() {
    let (texts, entries) = (texts(), entries());
    let messages: Vec<_> = texts.iter().filter(|text| text.is_message && letters(&text.says) > 0).collect();
    assert!(messages.len() > 250, "only {} messages were found", messages.len());
    let missing: Vec<_> = messages
        .into_iter()
        .filter(|text| !needs_no_entry(text) && !entries.iter().any(|entry| is_about(entry, &text.says)))
        .map(|text| format!("{}: {}", text.file.display(), text.says))
        .collect();
    assert!(missing.is_empty(), "{DOCUMENT} has no entry for\n{}", missing.join("\n"));
}

#[test]
fn every_entry_is_about_a_message() {
    let (texts, entries) = (texts(), entries());
    assert!(entries.len() > 200, "only {} entries were found", entries.len());
    for entry in entries {
        assert!(texts.iter().any(|text| is_about(&entry, &text.says)), "nothing says `{entry}`");
    }
    for (path, begin) in WITHOUT_ENTRY {
        let is_there = |text: &Text| text.is_message && text.file.starts_with(path) && text.says.starts_with(begin);
        assert!(texts.iter().any(is_there), "nothing in {path} begins with `{begin}`");
    }
}

#[test]
fn messages_are_read_from_code() {
    let code = "#[error(\"a {b} \\\"c\\\"\", .d.join(\", \"))]\n// \"no\"\nlet quote = '\"'; warn!(%error, \"e \\\n   {f:?}\");";
    let (blank, literals) = literals(code);
    let texts: Vec<_> = literals.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["a … \"c\"", ", ", "e …"]);
    assert_eq!((blank.len(), calls(&blank).count()), (code.len(), 2));
    assert!(is_about("the beginning … end", "here the beginning … of the end"));
    assert!(!is_about("the end … beginning", "here the beginning … of the end"));
    assert!(is_about("empty", "empty") && !is_about("empty", "the input is empty"));
}
