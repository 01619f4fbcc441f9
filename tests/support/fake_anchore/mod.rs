//! Anchore Enterprise of named scenarios, on a loopback port: the versions that there are, and every way in which a push goes
//! wrong, for everybody or for one account or path.
//!
//! A test makes a [`Scenario`](scenario::Scenario), starts it as a [`FakeAnchore`](server::FakeAnchore), and looks at what
//! [arrived](server::Received). The fake judges nothing of what it is sent. Nothing outlives it.

#![expect(clippy::unwrap_used, reason = "a fake that cannot do its part ends the test")]

pub(crate) mod scenario;
pub(crate) mod server;
