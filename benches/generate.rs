//! Writes an invented cluster: `cargo bench --bench generate -- PODS NAMESPACES [page] > file`, as a dump, or as a page of
//! the API server.

mod realistic;

use std::io::{self, BufWriter, Write};

use realistic::Cluster;

fn main() -> io::Result<()> {
    // `cargo bench` adds flags of its own.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<u64>().ok().filter(|number| *number > 0);
    let (cluster, is_page) = match arguments[..] {
        [pods, namespaces] => (number(pods).zip(number(namespaces)), false),
        [pods, namespaces, "page"] => (number(pods).zip(number(namespaces)), true),
        _ => (None, false),
    };
    let Some((pods, namespaces)) = cluster else {
        return writeln!(io::stderr(), "usage: generate PODS NAMESPACES [page], both whole numbers above 0");
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let cluster = Cluster { pods, namespaces };
    if is_page {
        cluster.write_page(&mut out)?;
    } else {
        cluster.write_list(&mut out)?;
    }
    out.flush()
}
