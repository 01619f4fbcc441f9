//! A saved dump in, events out: files, folders and standard input, all of them one relist.

mod batch;
mod error;
mod folder;
mod form;
mod input;
mod reading;
mod total;
mod utf16;

pub use error::{ContentError, DumpError};
pub use input::{DumpInput, Stamps};

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::mpsc::Sender;

use crate::decode::Records;
use crate::inventory::Detail;
use crate::snapshot::Event;
use reading::Reading;

/// Reads every file from its start to its end and sends them as one relist of all pods, in batches, with as much as
/// `detail` keeps. Gives the name of every namespace that they name, whether it was asked for or not. Blocks while the
/// receiver is behind: not for a thread of the async runtime. `progress` is given how many bytes were read, and how many
/// there are where that is known.
///
/// # Errors
/// A file that was named cannot be opened, or nothing is a dump: the relist is then left unfinished. The receiver is gone.
pub fn read(
    input: &DumpInput,
    detail: Detail,
    events: &Sender<Vec<Event>>,
    progress: &dyn Fn(u64, Option<u64>),
) -> Result<BTreeSet<Arc<str>>, DumpError> {
    let files = input.files()?;
    let mut records = Records::new(detail);
    let mut reading = Reading::begin(&files, &mut records, events, progress)?;
    for file in &files.each {
        reading.file(file)?;
    }
    reading.end(&files)
}
