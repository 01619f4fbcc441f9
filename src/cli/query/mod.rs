//! Questions about images: `kai images`, `kai containers`, `kai where`, `kai history`, `kai diff`.
//!
//! | file | what it knows |
//! |---|---|
//! | `images`, `containers`, `locate`, `history`, `diff` | the commands |
//! | `asking` | what all of them have |
//! | `filters` | their flags, from the table of parameters that HTTP has too |
//! | `source`, `server` | where rows come from: a cluster, a dump, or a running kai |
//! | `asked`, `wanted`, `purl` | what was typed, and what a file asks for: digests, names, package URLs, reports of scanners |
//! | `output`, `rows`, `list` | how rows are printed |

mod asked;
mod asking;
mod containers;
mod diff;
mod filters;
mod history;
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
pub(super) use history::History;
pub(super) use images::Images;
pub(super) use locate::Locate;
pub use wanted::{NotWanted, Wanted};
