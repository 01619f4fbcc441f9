//! Labels and annotations as JSON objects, as far as they are sent.

use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::json::Json as _;
use super::section::Section;
use crate::inventory::KeyFilter;

/// The values whose keys a filter keeps; there is at least one.
pub(super) struct KeptValues<'a> {
    values: &'a [(Arc<str>, Arc<str>)],
    filter: &'a KeyFilter,
}

impl<'a> KeptValues<'a> {
    pub(super) fn of(values: &'a [(Arc<str>, Arc<str>)], filter: &'a KeyFilter) -> Option<Self> {
        values.iter().any(|(key, _)| filter.keeps(key)).then_some(Self { values, filter })
    }

    fn kept(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let kept = self.values.iter().filter(|(key, _)| self.filter.keeps(key));
        kept.map(|(key, value)| (&**key, &**value))
    }

    /// Writes the object.
    pub(super) fn push_to(&self, section: &mut Section) {
        let mut before = "{";
        for (key, value) in self.kept() {
            section.push(before);
            section.push_text(key);
            section.push(":");
            section.push_text(value);
            before = ",";
        }
        section.push("}");
    }
}

impl Serialize for KeptValues<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.kept())
    }
}
