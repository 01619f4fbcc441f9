//! Writes an invented cluster as a dump: `cargo bench --bench generate -- PODS NAMESPACES > file`.

mod realistic;

use std::io::{self, BufWriter, Write};

use realistic::Cluster;

fn main() -> io::Result<()> {
    // `cargo bench` adds flags of its own.
    let numbers: Option<Vec<u64>> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with("--"))
        .map(|argument| argument.parse().ok())
        .collect();
    let mut out = BufWriter::new(io::stdout().lock());
    match numbers.as_deref() {
        Some(&[pods, namespaces]) if namespaces > 0 => Cluster { pods, namespaces }.write_list(&mut out)?,
        _ => writeln!(io::stderr(), "usage: generate PODS NAMESPACES, two whole numbers, NAMESPACES at least 1")?,
    }
    out.flush()
}
