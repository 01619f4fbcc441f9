//! Questions about images: `kai images`, `kai containers`, `kai where`, `kai diff`.
//!
//! | file | what it knows |
//! |---|---|
//! | `images`, `containers`, `locate`, `diff` | the commands |
//! | `filters` | their flags, from the table of parameters that HTTP has too |
//! | `source`, `server` | where rows come from: a cluster, a dump, or a running kai |
//! | `wanted`, `purl` | what a file asks for: digests, names, package URLs, reports of scanners |
//! | `output`, `rows`, `list` | how rows are printed |

mod containers;
mod diff;
mod filters;
mod images;
mod list;
mod locate;
mod output;
mod pattern;
mod purl;
mod rows;
mod server;
mod source;
mod wanted;

pub(super) use containers::Containers;
pub(super) use diff::Diff;
pub(super) use images::Images;
pub(super) use locate::Locate;
pub use wanted::{NotWanted, Wanted};

use self::output::Printing;
use self::source::Standing;
use super::Exit;
use super::start::Failure;

/// A signal came before there was anything to print.
fn stopped() -> Exit {
    tracing::warn!("stopped before the answer was printed");
    Exit::Done
}

/// The exit status of an answer that was printed.
fn finish(standing: &Standing, printing: &Printing) -> anyhow::Result<Exit> {
    match &standing.lacking {
        None => Ok(Exit::Done),
        Some(lacking) if printing.allow_incomplete => {
            tracing::warn!("the answer is incomplete: {lacking}");
            Ok(Exit::Done)
        }
        Some(lacking) => {
            let message = format!("the answer is incomplete: {lacking}");
            Err(Failure { exit: Exit::Incomplete, message }.into())
        }
    }
}
