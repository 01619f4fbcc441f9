//! The Kubernetes API in, events out.
