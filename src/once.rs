//! One run: list, print, end.
