//! What programs that measure a service say, and how they end.

use std::io::Write as _;
use std::process::ExitCode;

/// Runs a program with its arguments; it says whether every bar was met. BARS=1 makes a miss an error.
pub(crate) fn run(name: &str, work: impl AsyncFnOnce(&[String]) -> Result<bool, String>) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    // Every client wants one, also where it speaks plain HTTP.
    ::kai::cluster::install_crypto_provider();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    match runtime.block_on(work(&arguments)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) if std::env::var_os("BARS").is_none() => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            drop(writeln!(std::io::stderr(), "{name}: {message}"));
            ExitCode::FAILURE
        }
    }
}

/// The median, the 99th hundredth and the greatest.
pub(crate) fn percentiles(all: &mut [f64]) -> [f64; 3] {
    all.sort_by(f64::total_cmp);
    let at = |hundredth: usize| {
        all.get((all.len() * hundredth / 100).min(all.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
    };
    [at(50), at(99), at(100)]
}

pub(crate) fn say(line: &str) -> Result<(), String> {
    writeln!(std::io::stdout(), "{line}").map_err(|error| error.to_string())
}
