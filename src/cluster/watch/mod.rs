//! The watch of a cluster: one stream for each list, from where the list ended.
//!
//! | file | what it knows |
//! |---|---|
//! | `watchers` | the streams of a cluster side by side, and what ends them all |
//! | `follow` | one of them: what its frames say, and when it is opened again |
//! | `state`, `fault`, `backoff` | what comes next after what happened; pure |
//! | `stream` | one request, and the frames of its answer |

mod backoff;
mod fault;
mod follow;
mod state;
mod stream;
mod watchers;

pub(crate) use state::Fallback;
pub use watchers::Live;
pub(crate) use watchers::{WatchEnd, Watchers};
