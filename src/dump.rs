//! A saved dump in, events out.
