//! kai knows which container images run in a Kubernetes cluster, right now, where, and since when.
//!
//! Data flows one way:
//!
//! ```text
//! cluster ┐
//!         ├─▶ decode ─ Event ─▶ collector ─ Snapshot ─▶ feed ─┬─▶ http
//! dump    ┘                      index                        └─▶ output
//!                        views: Snapshot + question ─▶ answer, used by all
//! ```
//!
//! `inventory`, `snapshot` and `views` are pure: no async, no clock, no I/O. Data is translated once, in `decode`; nothing
//! inward of it knows a Kubernetes type, nothing outward of `views` knows how a pod is stored. The module table with
//! what each may import is in `docs/ARCHITECTURE.md`, and `tests/structure/layering/` holds the code to it.

pub mod cli;
pub mod cluster;
pub mod collector;
pub mod config;
pub mod decode;
pub mod dump;
pub mod feed;
mod files;
pub mod health;
pub mod history;
pub mod http;
pub mod inventory;
pub mod metrics;
mod once;
mod output;
mod pem;
pub mod push;
mod remote;
mod serve;
mod shutdown;
pub mod snapshot;
mod telemetry;
#[doc(hidden)]
pub mod testing;
pub mod views;
pub mod warned;
