//! Validated settings, one struct for each section. Knows no consumer.

mod settings;

pub use settings::*;
