//! The core: references, what a pod says of its images, and from events to answers.

mod answers;
mod demo_cluster;
mod kai_cases;
mod reference_properties;
mod references;
mod status_rules;

#[path = "../support/reading.rs"]
mod reading;
