//! What Anchore is sent: both forms, the ids that join, and splitting.

mod any_cluster;
mod cluster;
mod hashes;
mod ids;
mod inventories;
mod kubernetes;
mod nodes;
mod properties;
mod schema;
mod split;
