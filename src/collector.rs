//! The event loop: events, index, feed.
