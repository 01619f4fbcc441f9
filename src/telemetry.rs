//! Logs: where they go and what they show.
