//! When kai was looking, so that what was not seen at other times is unknown and not absent.

use jiff::Timestamp;

/// A time in which kai was looking without a break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    pub start: Timestamp,
    /// Up to when, as far as it was noted.
    pub end: Timestamp,
    /// Namespaces that could not be read. `*` stands for any: it is unknown which.
    pub missing: Vec<Box<str>>,
    /// Why it ended; `None`: it goes on, or the process ended without a word.
    pub ended: Option<Box<str>>,
}

/// A time of which nothing is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    pub from: Timestamp,
    pub to: Timestamp,
    pub reason: Box<str>,
}

/// Why there is nothing before the first period.
const BEFORE: &str = "kai was not there yet";
const KILLED: &str = "kai ended without a word";

impl Period {
    /// Whether all pods of the namespace could be seen; `None`: of all namespaces.
    #[must_use]
    pub fn is_whole(&self, namespace: Option<&str>) -> bool {
        match namespace {
            Some(name) => !self.missing.iter().any(|missing| **missing == *name || **missing == *"*"),
            None => self.missing.is_empty(),
        }
    }

    fn why_not(&self) -> Box<str> {
        match self.missing.as_slice() {
            [one] if **one != *"*" => format!("the namespace {one} could not be read").into(),
            missing if missing.iter().any(|name| **name == *"*") => "pods could not be read".into(),
            missing => format!("{} namespaces could not be read", missing.len()).into(),
        }
    }
}

/// The times from `since` to `until` in which nobody looked at the namespace, or at one of all. `periods` are sorted, and the
/// last one may go on.
#[must_use]
pub fn gaps(periods: &[Period], since: Timestamp, until: Timestamp, namespace: Option<&str>) -> Vec<Gap> {
    let mut found: Vec<Gap> = Vec::new();
    let mut add = |from: Timestamp, to: Timestamp, reason: Box<str>| {
        let (from, to) = (from.max(since), to.min(until));
        if from >= to {
            return;
        }
        match found.last_mut().filter(|last| last.to == from && last.reason == reason) {
            Some(last) => last.to = to,
            None => found.push(Gap { from, to, reason }),
        }
    };
    let (mut seen_until, mut reason) = (Timestamp::MIN, Box::from(BEFORE));
    for period in periods {
        add(seen_until, period.start, reason);
        if !period.is_whole(namespace) {
            add(period.start.max(seen_until), period.end, period.why_not());
        }
        seen_until = seen_until.max(period.end);
        reason = period.ended.clone().unwrap_or_else(|| KILLED.into());
    }
    add(seen_until, until, reason);
    found
}
