//! The watch of a cluster: one stream for each list, from where the list ended.
//!
//! | file | what it knows |
//! |---|---|
//! | `watchers` | the streams of a cluster side by side |
//! | `live` | what they bring, how each stands, and why watching ends |
//! | `follow` | one of them: what its frames say, and when it is opened again |
//! | `state`, `fault`, `backoff` | what comes next after what happened; pure |
//! | `stream` | one request, and the frames of its answer |

mod backoff;
mod fault;
mod follow;
mod live;
mod state;
mod stream;
mod watchers;

pub use live::Live;
pub(crate) use live::WatchEnd;
pub(crate) use state::Fallback;
pub(crate) use watchers::Watchers;
