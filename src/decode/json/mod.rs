//! JSON: items out of a byte stream, and one item into the fields kept.

mod between;
mod event;
mod nesting;
mod read;
mod repair;
mod splice;
mod state;
mod stream;

pub(super) use between::Documents;
pub(super) use event::Event;
pub(super) use read::{Unreadable, has_mark, identity, read, read_at_start, without_place};
pub(super) use stream::Stream;
