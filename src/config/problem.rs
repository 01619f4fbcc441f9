//! What is wrong with the settings, and where each setting came from: every message of this module has the same form.

use std::fmt;
use std::sync::Arc;

use crate::inventory::excerpt;

/// Where a value was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// Nowhere: kai's own default.
    Default,
    /// A line of the file, counted from 1.
    File {
        /// The file's path as a message shows it.
        name: Arc<str>,
        /// Counted from 1.
        line: u64,
    },
    /// A variable of the environment.
    Variable(String),
    /// A flag of the command line, as in `--mode`.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { name, line } => write!(f, "{}:{line}", excerpt(name)),
            Self::Variable(name) => write!(f, "variable {}", excerpt(name)),
            Self::Flag(flag) => write!(f, "flag {flag}"),
        }
    }
}

/// Everything that is wrong with the settings. Its text lists all problems, one a line, those of the file first and in
/// the file's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(Vec<String>);

impl ConfigErrors {
    /// Each problem on its own: where, the key, the value and what is allowed.
    pub fn problems(&self) -> &[String] {
        &self.0
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for ConfigErrors {}

#[derive(Debug)]
struct Problem {
    origin: Origin,
    /// The setting, when it is about one.
    key: Option<String>,
    text: String,
}

/// Collects problems and warnings while the settings are read, so that one start shows all of them.
#[derive(Debug, Default)]
pub(super) struct Problems {
    found: Vec<Problem>,
    warnings: Vec<String>,
}

impl Problems {
    /// A problem of the setting `key`, whose value came from `origin`.
    pub(super) fn add(&mut self, origin: &Origin, key: impl AsRef<str>, text: impl fmt::Display) {
        let key = key.as_ref();
        let text = format!("{}: {text}", excerpt(key));
        self.found.push(Problem { origin: origin.clone(), key: Some(key.to_owned()), text });
    }

    /// The same, unless a problem of this origin is known: two keys may share a variable.
    pub(super) fn add_once(&mut self, origin: &Origin, key: &str, text: impl fmt::Display) {
        if !self.found.iter().any(|problem| problem.origin == *origin) {
            self.add(origin, key, text);
        }
    }

    /// A problem of a setting that is missing, unless it is missing because it was refused.
    pub(super) fn add_missing(&mut self, origin: &Origin, key: impl AsRef<str>, text: impl fmt::Display) {
        if !self.found.iter().any(|problem| problem.key.as_deref() == Some(key.as_ref())) {
            self.add(origin, key, text);
        }
    }

    /// A problem of a place rather than of one setting.
    pub(super) fn add_at(&mut self, origin: &Origin, text: impl fmt::Display) {
        self.found.push(Problem { origin: origin.clone(), key: None, text: text.to_string() });
    }

    /// Something that the user should know and that stops nothing.
    pub(super) fn warn(&mut self, origin: &Origin, text: impl fmt::Display) {
        self.warnings.push(match origin {
            Origin::Default => text.to_string(),
            _ => format!("{origin}: {text}"),
        });
    }

    /// The warnings, or every problem when there is one.
    pub(super) fn into_warnings(mut self) -> Result<Vec<String>, ConfigErrors> {
        if self.found.is_empty() {
            return Ok(self.warnings);
        }
        self.found.sort_by_key(|problem| match problem.origin {
            Origin::File { line, .. } => line,
            _ => u64::MAX,
        });
        let text = |Problem { origin, text, .. }: Problem| match origin {
            Origin::Default => text,
            _ => format!("{origin}: {text}"),
        };
        Err(ConfigErrors(self.found.into_iter().map(text).collect()))
    }
}
