//! A Kubernetes API server of named scenarios, on a loopback port: lists with pages, and every way in which they go wrong.
//!
//! A test makes a [`FakeCluster`], breaks it with [`Fault`]s, starts it as a [`FakeApi`] and counts what was asked. Nothing
//! outlives the [`FakeApi`].

#![expect(clippy::unwrap_used, reason = "a fake that cannot do its part ends the test")]

pub(crate) mod cluster;
pub(crate) mod fault;
pub(crate) mod proxy;
pub(crate) mod reader;
pub(crate) mod server;
