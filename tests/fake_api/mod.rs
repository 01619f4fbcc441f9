//! A Kubernetes API server of named scenarios, on a loopback port: lists with pages, and every way in which they go wrong.
//!
//! A test makes a [`FakeCluster`], breaks it with [`Fault`]s, starts it as a [`FakeApi`] and counts what was asked. Nothing
//! outlives the [`FakeApi`].

mod cluster;
mod fault;
mod server;

pub use cluster::{FakeCluster, pod};
pub use fault::{Fault, On};
pub use server::FakeApi;
