//! Writes the manual pages of kai and of its subcommands into a folder: `man DIRECTORY`. A release's archives have them.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory as _;
use kai::cli::Cli;

fn main() -> io::Result<ExitCode> {
    let Some(directory) = std::env::args_os().nth(1) else {
        writeln!(io::stderr(), "usage: man DIRECTORY")?;
        return Ok(ExitCode::from(2));
    };
    clap_mangen::generate_to(Cli::command(), Path::new(&directory))?;
    Ok(ExitCode::SUCCESS)
}
