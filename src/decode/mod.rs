//! Bytes of a list or an object become records.
