//! The command line: exactly what the user typed, one file for each subcommand.
