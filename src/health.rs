//! How the process is: what the probes answer from.
