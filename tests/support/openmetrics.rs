//! Reads the text that a scraper reads, strictly: what breaks a rule of OpenMetrics panics.

use std::collections::{BTreeMap, BTreeSet};

/// A whole text.
#[derive(Debug, Default)]
pub(crate) struct Text {
    /// By name, without what the kind puts behind it.
    pub(crate) families: BTreeMap<String, Family>,
}

/// A metric with all its series.
#[derive(Debug, Default)]
pub(crate) struct Family {
    pub(crate) help: String,
    pub(crate) kind: String,
    pub(crate) unit: Option<String>,
    pub(crate) samples: Vec<Sample>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

impl Text {
    pub(crate) fn read(text: &str) -> Self {
        let body = text.strip_suffix("# EOF\n").unwrap_or_else(|| panic!("no end: {text}"));
        let (mut read, mut current) = (Self::default(), String::new());
        for line in body.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').expect("a help");
                name.clone_into(&mut current);
                let family = Family { help: help.to_owned(), ..Family::default() };
                assert!(read.families.insert(name.to_owned(), family).is_none(), "{name} stands twice");
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                read.described(&current, rest, |family, kind| kind.clone_into(&mut family.kind));
            } else if let Some(rest) = line.strip_prefix("# UNIT ") {
                read.described(&current, rest, |family, unit| family.unit = Some(unit.to_owned()));
            } else {
                let sample = sample(line);
                let family = read.families.get_mut(&current).expect("a description before the series");
                assert!(sample_names(&current, &family.kind).contains(&sample.name), "{line} under {current}");
                let is_there = |known: &Sample| (&known.name, &known.labels) == (&sample.name, &sample.labels);
                assert!(!family.samples.iter().any(is_there), "{line} stands twice");
                family.samples.push(sample);
            }
        }
        read
    }

    fn described(&mut self, current: &str, rest: &str, take: impl FnOnce(&mut Family, &str)) {
        let (name, word) = rest.split_once(' ').expect("a word behind the name");
        assert_eq!(name, current, "a description of another metric");
        take(self.families.get_mut(name).expect("a help first"), word);
    }

    /// Every sample of that name.
    pub(crate) fn samples(&self, name: &str) -> Vec<&Sample> {
        self.families.values().flat_map(|family| &family.samples).filter(|sample| sample.name == name).collect()
    }

    /// The value of the one series of that name whose labels are these; `None` without such a series.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels = labels.iter().map(|(label, value)| ((*label).to_owned(), (*value).to_owned())).collect();
        self.samples(name).into_iter().find(|sample| sample.labels == labels).map(|sample| sample.value)
    }

    /// The names that a query can use.
    pub(crate) fn names(&self) -> BTreeSet<String> {
        self.families.iter().flat_map(|(name, family)| sample_names(name, &family.kind)).collect()
    }

    /// Every label that a series has.
    pub(crate) fn labels(&self) -> BTreeSet<String> {
        self.families
            .values()
            .flat_map(|family| &family.samples)
            .flat_map(|sample| sample.labels.keys().cloned())
            .collect()
    }
}

/// What the samples of a family may be called.
fn sample_names(family: &str, kind: &str) -> Vec<String> {
    let endings: &[&str] = match kind {
        "counter" => &["_total"],
        "gauge" => &[""],
        "info" => &["_info"],
        "histogram" => &["_bucket", "_sum", "_count"],
        kind => panic!("{family} is a {kind:?}"),
    };
    endings.iter().map(|ending| format!("{family}{ending}")).collect()
}

fn sample(line: &str) -> Sample {
    let end = line.find(['{', ' ']).unwrap_or_else(|| panic!("no series: {line}"));
    let (name, mut rest) = line.split_at(end);
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (label, behind) = rest.split_once("=\"").unwrap_or_else(|| panic!("no label: {line}"));
            let (value, behind) = quoted(behind);
            assert!(labels.insert(label.to_owned(), value).is_none(), "{label} stands twice: {line}");
            rest = behind.strip_prefix(',').unwrap_or(behind);
        }
        rest = &rest[1..];
    }
    let value = rest.strip_prefix(' ').unwrap_or_else(|| panic!("no value: {line}"));
    let value = if value == "+Inf" { f64::INFINITY } else { value.parse().unwrap_or_else(|_| panic!("{line}")) };
    Sample { name: name.to_owned(), labels, value }
}

/// A value up to its closing quote, and what is behind it.
fn quoted(text: &str) -> (String, &str) {
    let (mut value, mut characters) = (String::new(), text.char_indices());
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &text[at + 1..]),
            '\\' => match characters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, escaped @ ('\\' | '"'))) => value.push(escaped),
                other => panic!("no escape: {other:?} in {text}"),
            },
            character => value.push(character),
        }
    }
    panic!("no end of the value: {text}")
}
