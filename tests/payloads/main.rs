//! What Anchore is sent: both forms, the ids that join, and splitting.

#[path = "../anchore_schema/mod.rs"]
mod anchore_schema;
mod any_cluster;
mod cluster;
mod ids;
mod inventories;
mod kubernetes;
mod nodes;
mod properties;
mod schema;
mod split;
