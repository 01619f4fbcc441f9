//! An answer to standard output, progress to standard error.
