//! What the API server was asked, as its audit log has it.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// The requests that the server had answered when this was read.
pub(crate) struct Audit(Vec<Value>);

impl Audit {
    pub(crate) fn of(log: &Path) -> Self {
        let text = fs::read_to_string(log).unwrap_or_default();
        // The last line may be half written.
        Self(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// (path with query, status) of each request of `user` behind the first `after` ones.
    pub(crate) fn of_user(&self, user: &str, after: usize) -> Vec<(&str, u64)> {
        self.0
            .iter()
            .skip(after)
            .filter(|event| event["user"]["username"] == user)
            .filter_map(|event| Some((event["requestURI"].as_str()?, event["responseStatus"]["code"].as_u64()?)))
            .collect()
    }
}
