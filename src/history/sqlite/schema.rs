//! The tables of the file. A step is never changed once it is released: a new one is added behind it.

/// Each step leads from its place in the list to the next: `PRAGMA user_version` counts those that were taken.
pub(super) const STEPS: &[&str] = &[include_str!("steps/1.sql")];
