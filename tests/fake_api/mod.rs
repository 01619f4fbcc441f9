//! A Kubernetes API server of named scenarios, on a loopback port: lists with pages, and every way in which they go wrong.
//!
//! A test makes a [`FakeCluster`], breaks it with [`Fault`]s, starts it as a [`FakeApi`] and counts what was asked. Nothing
//! outlives the [`FakeApi`].

#![expect(clippy::unwrap_used, reason = "a fake that cannot do its part ends the test")]
#![expect(dead_code, reason = "each test file takes what it needs of it")]

pub(crate) mod certificates;
pub(crate) mod cluster;
pub(crate) mod fault;
pub(crate) mod log;
#[path = "../protobuf/mod.rs"]
pub(crate) mod protobuf;
pub(crate) mod proxy;
pub(crate) mod reader;
pub(crate) mod server;
