//! The service: build, spawn, supervise, drain.
