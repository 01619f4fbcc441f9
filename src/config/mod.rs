//! Validated settings, one struct for each section. Knows no consumer.
//!
//! One table (`keys`) names every key with its kind and default. The file becomes a tree that knows its lines
//! (`yaml`), is held against the table (`file`), and is covered by variables and flags (`overlays`); what counts
//! then (`effective`) is checked and built section by section (`sections`). Problems are collected all the way, so
//! that one start shows all of them.

mod effective;
mod file;
mod keys;
mod layer;
mod load;
mod overlays;
mod pem;
mod postgres_url;
mod print;
mod problem;
mod receiver;
mod search;
mod sections;
mod settings;
mod sources;
mod suggest;
mod url;
mod value;
mod words;
mod yaml;

pub use load::{Loaded, load};
pub use problem::ConfigErrors;
pub use receiver::*;
pub use sections::NO_CLUSTER_NAME;
pub use settings::*;
pub use sources::{Environment, Flags};
pub(crate) use suggest::nearest;
