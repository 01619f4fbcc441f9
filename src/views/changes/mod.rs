//! What changed from one snapshot to the next, as events: which images namespaces have and have no more.
//!
//! An image of a namespace is a reference as written and a digest that runs. A reference of which no node reports a digest
//! counts with the one that it pins, or with none; once a node reports one, containers without count no more. So neither
//! another pod of a known image nor a container that starts again is an event.
//!
//! Whoever takes the images of the first snapshot and applies the events in their order has the images of the last one: an
//! image appears; with another digest its reference changes it, and the old digest has left or goes on for a while, as in a
//! rollout; an image leaves. What may only not have been read has not left.

mod answer;
mod change;
#[cfg(test)]
mod tests;
mod told;
mod users;

pub use answer::{ChangeList, ChangeRow, ChangeStart};
pub use change::{Change, ChangeKind};
pub use told::Told;
