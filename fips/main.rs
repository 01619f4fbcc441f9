//! The `kai` binary with a FIPS module; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    kai::cli::main()
}
