//! Which namespaces the user wants, compiled once.

use std::collections::BTreeSet;

use regex::Regex;

/// Which namespaces count: those included by name (all when none is), less the excluded ones.
#[derive(Debug, Clone, Default)]
pub struct NamespaceSelection {
    include: BTreeSet<Box<str>>,
    exclude: Vec<NamespacePattern>,
}

/// An entry that names namespaces: a DNS label exactly that one, anything else as an unanchored regular expression.
#[derive(Debug, Clone)]
pub enum NamespacePattern {
    Exact(Box<str>),
    /// Every namespace in whose name the expression is found anywhere, as KAI matches it.
    Regex(Regex),
}

/// An entry that names nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    #[error("an empty entry selects nothing; remove it")]
    Empty,
    /// Not a regular expression.
    #[error("{0}")]
    Regex(String),
}

impl NamespacePattern {
    /// Reads one entry.
    ///
    /// # Errors
    /// An empty entry, or one that is neither a DNS label nor a regular expression.
    pub fn parse(entry: &str) -> Result<Self, SelectionError> {
        if entry.is_empty() {
            return Err(SelectionError::Empty);
        }
        if is_dns_label(entry) {
            return Ok(Self::Exact(entry.into()));
        }
        // The last line of the library's message says what is wrong; those before it draw the expression.
        Regex::new(entry).map(Self::Regex).map_err(|error| {
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default();
            SelectionError::Regex(reason.strip_prefix("error: ").unwrap_or(reason).to_owned())
        })
    }

    /// Whether the entry names this namespace.
    #[must_use]
    pub fn matches(&self, namespace: &str) -> bool {
        match self {
            Self::Exact(name) => **name == *namespace,
            Self::Regex(regex) => regex.is_match(namespace),
        }
    }

    /// The entry as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Exact(name) => name,
            Self::Regex(regex) => regex.as_str(),
        }
    }
}

impl NamespaceSelection {
    /// Selects `include` (all when empty) less `exclude`, which applies to included names too. A repeated name counts
    /// once.
    pub fn new(include: impl IntoIterator<Item = Box<str>>, exclude: Vec<NamespacePattern>) -> Self {
        Self { include: include.into_iter().collect(), exclude }
    }

    /// The same of every namespace, whatever was included.
    #[must_use]
    pub fn of_all(self) -> Self {
        Self { include: BTreeSet::new(), ..self }
    }

    #[must_use]
    pub fn selects(&self, namespace: &str) -> bool {
        (self.include.is_empty() || self.include.contains(namespace)) && !self.is_excluded(namespace)
    }

    /// Whether an `exclude` entry names the namespace.
    #[must_use]
    pub fn is_excluded(&self, namespace: &str) -> bool {
        self.exclude.iter().any(|pattern| pattern.matches(namespace))
    }

    /// The namespaces to list one by one, sorted, less the excluded ones; `None` when the whole cluster is wanted.
    #[must_use]
    pub fn included(&self) -> Option<Vec<&str>> {
        if self.include.is_empty() {
            return None;
        }
        Some(self.include.iter().map(|name| &**name).filter(|name| !self.is_excluded(name)).collect())
    }

    /// Whether the namespace is included by its name, excluded or not.
    #[must_use]
    pub fn is_included(&self, namespace: &str) -> bool {
        self.include.contains(namespace)
    }

    /// Every included name, excluded ones too.
    pub fn include_entries(&self) -> impl Iterator<Item = &str> {
        self.include.iter().map(|name| &**name)
    }
}

/// RFC 1123: at most 63 of lower-case letters, digits and `-`, neither first nor last a `-`.
pub(crate) fn is_dns_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn selection(include: &[&str], exclude: &[&str]) -> NamespaceSelection {
        let exclude = exclude.iter().map(|entry| NamespacePattern::parse(entry).expect("pattern")).collect();
        NamespaceSelection::new(include.iter().map(|name| Box::from(*name)), exclude)
    }

    #[rstest]
    #[case::everything(&[], &[], "apps", true)]
    #[case::included(&["apps"], &[], "apps", true)]
    #[case::not_included(&["apps"], &[], "other", false)]
    #[case::exact_name_is_no_part(&[], &["kube"], "kube-system", true)]
    #[case::exact_name(&[], &["kube-system"], "kube-system", false)]
    #[case::expression_is_unanchored(&[], &["^kube-*"], "kubeflow", false)]
    #[case::excluded_from_include(&["apps"], &["^a.*"], "apps", false)]
    fn namespaces_are_selected(
        #[case] include: &[&str],
        #[case] exclude: &[&str],
        #[case] namespace: &str,
        #[case] expected: bool,
    ) {
        assert_eq!(selection(include, exclude).selects(namespace), expected);
    }

    #[test]
    fn a_typo_is_an_error_with_its_reason() {
        assert_eq!(NamespacePattern::parse("").unwrap_err(), SelectionError::Empty);
        assert_eq!(NamespacePattern::parse("^(kube").unwrap_err().to_string(), "unclosed group");
    }

    #[test]
    fn included_names_are_sorted_once_and_without_excluded_ones() {
        assert_eq!(selection(&["b", "a", "b", "legacy"], &["legacy"]).included(), Some(vec!["a", "b"]));
        assert_eq!(selection(&[], &["legacy"]).included(), None);
    }
}
