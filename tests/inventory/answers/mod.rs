//! From events to answers: what the index makes of a relist, and what the views say of the snapshot.

mod cluster;
mod csv;
mod faults;
mod hashes;
mod lists;
mod memory;
mod namespaces;
mod order;
mod relists;
mod report;
mod rows;
