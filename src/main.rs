//! The `kai` binary: everything is in the library.

fn main() {}
