//! Changes of a real API server, until they show: `live KAI KUBECONFIG [SECONDS (60) [CHANGES A SECOND (150) [KSM]]]`.
//!
//! The cluster is one that `load` has filled. Pods are patched, one patch in ten changes an image, and each of those is timed from
//! the API server's answer to the answer of `/namespaces/{ns}/images` that has it. Before that: how long a kai that starts takes to
//! its first answer, beside a client that fetches the same pages and reads nothing. KSM names a built kube-state-metrics, which
//! then does the same for pods and namespaces. CPU and memory are the kernel's own counts. BARS=1 makes a miss an error.

mod changes;
#[path = "../load/client.rs"]
mod client;
mod floor;
#[expect(dead_code, reason = "another program that shares this file reads more")]
#[path = "../replay/kai.rs"]
mod kai;
#[path = "../replay/report.rs"]
mod report;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use changes::{Changed, Changes};
use kai::Kai;
use report::{percentiles, say};

const USAGE: &str = "usage: live KAI KUBECONFIG [SECONDS (60) [CHANGES A SECOND (150) [KUBE-STATE-METRICS]]]";
/// What a change may take to be seen at all.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);
/// How often an answer is asked for until it has the change.
pub(crate) const LOOK: Duration = Duration::from_millis(2);
/// The same of kube-state-metrics, whose answer is all it has.
const SCRAPE: Duration = Duration::from_millis(100);
/// Starts of which the median counts.
const STARTS: usize = 5;
/// Changes that kube-state-metrics is asked for one by one.
const SCRAPED: usize = 20;

fn main() -> ExitCode {
    report::run("live", run)
}

/// Whether every bar was met.
async fn run(arguments: &[String]) -> Result<bool, String> {
    let [program, kubeconfig, rest @ ..] = arguments else { return Err(USAGE.to_owned()) };
    let number = |place: usize, usual: u64| match rest.get(place).map(|text| text.parse()) {
        None => Ok(usual),
        Some(Ok(number)) => Ok(number),
        Some(Err(_)) => Err(USAGE),
    };
    let (time, rate) = (Duration::from_secs(number(0, 60)?), number(1, 150)?);
    let client = client::client(kubeconfig).await?;
    let mut changes = Changes::of(client.clone(), rate).await?;

    let (mut answers, mut floors, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..STARTS {
        let floor = floor::fetch(&client).await?.as_secs_f64();
        let kai = Kai::start(program, Path::new(kubeconfig)).await?;
        let answer = kai.first_answer.as_secs_f64();
        kai.stop().await?;
        answers.push(answer);
        floors.push(floor);
        ratios.push(answer / floor);
    }
    let [answer, floor, first] = [answers, floors, ratios].map(|mut all| percentiles(&mut all)[0]);
    say(&format!(
        "first answer of kai serve: {answer:.2} s, {first:.2} of the protobuf pages alone ({floor:.2} s; bar 1.2)"
    ))?;

    let kai = Kai::start(program, Path::new(kubeconfig)).await?;
    let idle = kai.usage()?;
    let mut probes = tokio::task::JoinSet::new();
    let made = changes
        .make(time, |Changed { namespace, tag }| {
            let (kai, at) = (kai.client(), Instant::now());
            probes.spawn(async move { kai.wait_for_image(&namespace, &tag).await.map(|_| at.elapsed()) });
        })
        .await?;
    let mut seen = Vec::new();
    while let Some(probe) = probes.join_next().await {
        seen.push(probe.map_err(|error| error.to_string())??.as_secs_f64() * 1e3);
    }
    let busy = kai.usage()?;
    kai.stop().await?;
    let [p50, p99, worst] = percentiles(&mut seen);
    say(&format!(
        "kai: {made:.0} changes/s, {} of an image: p50 {p50:.1} ms, p99 {p99:.1} ms (bar 100), worst {worst:.1} ms; {:.3} core, {:.1} MiB",
        seen.len(),
        busy.cores_since(&idle),
        busy.mebibytes
    ))?;
    if let Some(other) = rest.get(2) {
        beside(other, kubeconfig, &mut changes, time).await?;
    }
    Ok(first <= 1.2 && p99 <= 100.0)
}

/// The same of kube-state-metrics: what it takes while nobody asks, and how old its answers are.
async fn beside(program: &str, kubeconfig: &str, changes: &mut Changes, time: Duration) -> Result<(), String> {
    let (port, telemetry) = (kai::free_port()?, kai::free_port()?);
    let arguments = [
        "--host=127.0.0.1".to_owned(),
        format!("--port={port}"),
        "--telemetry-host=127.0.0.1".to_owned(),
        format!("--telemetry-port={telemetry}"),
        format!("--kubeconfig={kubeconfig}"),
        "--resources=pods,namespaces".to_owned(),
    ];
    let other = Kai::launch(program, &arguments, port, "/metrics").await?;
    let clients = other.client();
    // It answers before it has listed anything.
    clients.wait_for_text("/metrics", "kube_pod_container_info{", SCRAPE).await?;
    let idle = other.usage()?;
    let made = changes.make(time, drop).await?;
    let busy = other.usage()?;
    let mut seen = Vec::new();
    for _ in 0..SCRAPED {
        let Changed { tag, .. } = changes.one_image().await?;
        let at = Instant::now();
        clients.wait_for_text("/metrics", &tag, SCRAPE).await?;
        seen.push(at.elapsed().as_secs_f64() * 1e3);
    }
    let scraped = other.usage()?;
    other.stop().await?;
    let [p50, _, worst] = percentiles(&mut seen);
    say(&format!(
        "kube-state-metrics (pods and namespaces): {made:.0} changes/s while nobody asks: {:.3} core, {:.1} MiB; then p50 {p50:.0} ms, worst {worst:.0} ms, {:.1} MiB",
        busy.cores_since(&idle),
        busy.mebibytes,
        scraped.mebibytes
    ))
}
