//! Fills an API server with realistic pods, for measurements: `load KUBECONFIG PODS NAMESPACES [CONNECTIONS]`.
//!
//! For an API server without controllers and nodes (`tests/control-plane/up.sh`): on a cluster that has them, its garbage
//! collector removes pods whose owner or node does not exist. The kubeconfig is always named, never taken from the
//! environment, so that nobody fills a cluster by mistake. 10,000 pods take about a minute on two cores.

mod client;
mod fill;
#[expect(dead_code, reason = "dumps are written by another program that shares this file")]
#[path = "../realistic/mod.rs"]
mod realistic;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Instant;

use realistic::Cluster;

const USAGE: &str = "usage: load KUBECONFIG PODS NAMESPACES [CONNECTIONS (16)]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            let _unread = writeln!(std::io::stderr(), "load: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), String> {
    let (kubeconfig, numbers) = arguments.split_first().ok_or(USAGE)?;
    let numbers: Vec<u64> = numbers
        .iter()
        .map(|text| text.parse().map_err(|_| format!("not a number: {text}\n{USAGE}")))
        .collect::<Result<_, _>>()?;
    let (pods, namespaces, connections) = match numbers[..] {
        [pods, namespaces] => (pods, namespaces, 16),
        [pods, namespaces, connections] => (pods, namespaces, connections),
        _ => return Err(USAGE.to_owned()),
    };
    if namespaces == 0 {
        return Err(format!("NAMESPACES is 0, and a pod needs one\n{USAGE}"));
    }
    kai::cluster::install_crypto_provider();
    let begun = Instant::now();
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| error.to_string())?.block_on(
        async {
            let client = client::client(kubeconfig).await?;
            fill::fill(client, Cluster { pods, namespaces }, connections, |done| {
                if done % 1000 == 0 {
                    let _unread = writeln!(std::io::stderr(), "{done} pods");
                }
            })
            .await
        },
    )?;
    let seconds = begun.elapsed().as_secs_f64();
    let _unread = writeln!(std::io::stderr(), "{pods} pods in {namespaces} namespaces in {seconds:.1} s");
    Ok(())
}
