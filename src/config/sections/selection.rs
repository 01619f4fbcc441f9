//! `namespaces` and `namespace-selectors`: which namespaces count.

use crate::config::effective::Effective;
use crate::config::keys::{NAMESPACE_EXCLUDE, NAMESPACE_INCLUDE, NAMESPACES};
use crate::config::problem::Problems;
use crate::config::value::Item;
use crate::inventory::{NamespacePattern, NamespaceSelection, excerpt};

/// The entry of the older form that means every namespace.
const ALL: &str = "all";

pub(super) fn build(values: &Effective, problems: &mut Problems) -> NamespaceSelection {
    let include = match (values.items(NAMESPACE_INCLUDE), values.items(NAMESPACES)) {
        ([], namespaces) if namespaces.iter().any(|item| item.text == ALL) => Vec::new(),
        ([], namespaces) => exact_names(NAMESPACES.path, namespaces, problems),
        (include, _) => exact_names(NAMESPACE_INCLUDE.path, include, problems),
    };
    let exclude = patterns(NAMESPACE_EXCLUDE.path, values.items(NAMESPACE_EXCLUDE), problems);
    for (item, pattern) in &exclude {
        if let Some(warning) = glob_warning(pattern) {
            problems.warn(&item.origin, format!("{NAMESPACE_EXCLUDE}: {warning}"));
        }
    }
    NamespaceSelection::new(include, exclude.into_iter().map(|(_, pattern)| pattern).collect())
}

/// Entries that must be names: a regular expression there never matched anything, in KAI neither.
fn exact_names(key: &str, items: &[Item], problems: &mut Problems) -> Vec<Box<str>> {
    let mut names = Vec::with_capacity(items.len());
    for item in items {
        match NamespacePattern::parse(&item.text) {
            Ok(NamespacePattern::Exact(name)) => names.push(name),
            _ if item.text.is_empty() => {
                problems.add(&item.origin, key, "an empty entry selects nothing; remove it");
            }
            _ => {
                let text = format!(
                    "\"{}\" is not a valid namespace name (lower-case letters, digits and -, at most 63); write exact \
                     names, expressions only work in {NAMESPACE_EXCLUDE}",
                    excerpt(&item.text)
                );
                problems.add(&item.origin, key, text);
            }
        }
    }
    names
}

/// Entries that are names or regular expressions, those that are neither being problems.
pub(super) fn patterns<'a>(key: &str, items: &'a [Item], problems: &mut Problems) -> Vec<(&'a Item, NamespacePattern)> {
    let mut patterns = Vec::with_capacity(items.len());
    for item in items {
        match NamespacePattern::parse(&item.text) {
            Ok(pattern) => patterns.push((item, pattern)),
            Err(error) if item.text.is_empty() => problems.add(&item.origin, key, error),
            Err(error) => {
                let text = format!(
                    "\"{}\" is neither a name nor a regular expression: {}; correct it",
                    excerpt(&item.text),
                    excerpt(&error.to_string())
                );
                problems.add(&item.origin, key, text);
            }
        }
    }
    patterns
}

/// What to say about an expression that was meant as a shell pattern: in `^kube-*` the star repeats the `-`.
fn glob_warning(pattern: &NamespacePattern) -> Option<String> {
    let NamespacePattern::Regex(regex) = pattern else { return None };
    let entry = regex.as_str();
    let prefix = entry.strip_prefix('^').unwrap_or(entry).strip_suffix('*')?;
    if prefix.is_empty()
        || !prefix.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    {
        return None;
    }
    let stem = &prefix[..prefix.len() - 1];
    let last = &prefix[prefix.len() - 1..];
    // `kubeflow` is the namespace that this catches in practice.
    let example = if stem == "kube" { "kubeflow".to_owned() } else { format!("{stem}x") };
    Some(format!(
        "\"{}\" is a regular expression, in which {last}* means any number of {last}, so it also matches {example}; to \
         exclude what starts with {prefix}, write ^{prefix}.*",
        excerpt(entry)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("^kube-*", Some("kubeflow"))]
    #[case("kube-*", Some("kubeflow"))]
    #[case("^dev*", Some("dex"))]
    #[case("^kube-.*", None)]
    #[case("^(a|b)*", None)]
    #[case("kube-system", None)]
    fn a_shell_pattern_is_warned_about_with_what_it_matches(#[case] entry: &str, #[case] also: Option<&str>) {
        let pattern = NamespacePattern::parse(entry).expect("pattern");
        let warning = glob_warning(&pattern);
        assert_eq!(warning.is_some(), also.is_some(), "{warning:?}");
        if let (Some(warning), Some(also)) = (warning, also) {
            assert!(warning.contains(&format!("also matches {also};")), "{warning}");
            assert!(pattern.matches(also));
        }
    }
}
