//! Changes replayed to a kai that watches: `replay KAI [PODS [NAMESPACES [SECONDS [CHANGES [CLIENTS]]]]]`.
//!
//! The API server is this program (`api.rs`), so that the two cores of a small machine are enough: it lists that many pods in
//! protobuf and then sends that many changes a second, one in ten with another image. Ten times a second a change is timed, from
//! the last byte of its frame to the answer of `/namespaces/{ns}/images` that has it, and once a second to the answer of
//! `/inventory`, compressed, while somebody reads both codings of it each second. With CLIENTS the same is done once more while
//! so many follow `/v1/changes`, each of which times each image. At the end the server forgets its history, and everything is
//! read again. CPU and memory are the kernel's own counts.
//! BARS=1 makes a miss an error.

mod api;
mod following;
mod kai;
#[expect(dead_code, reason = "tests write more than pods and their frames")]
#[path = "../../tests/support/protobuf.rs"]
mod protobuf;
#[expect(dead_code, reason = "dumps are written by another program that shares this file")]
#[path = "../realistic/mod.rs"]
mod realistic;
mod report;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use api::Api;
use following::{Followers, SentAt};
use kai::Kai;
use realistic::Cluster;
use report::{percentiles, say};

const USAGE: &str =
    "usage: replay KAI [PODS (100000) [NAMESPACES (200) [SECONDS (600) [CHANGES A SECOND (1000) [CLIENTS (0)]]]]]";
/// One in so many changes the image.
const IMAGES: u64 = 10;
/// Changes of images are of so many pods, over and over: their number of images stands still.
const LIVELY: u64 = 1_000;
/// How often changes are sent.
const TICK: Duration = Duration::from_millis(10);
/// How often an answer is asked for until it has the change.
const LOOK: Duration = Duration::from_millis(2);
/// What a change may take to be seen at all.
const DEADLINE: Duration = Duration::from_secs(30);
/// Changes before anything is measured: buffers and caches reach their size.
const WARM_UP: Duration = Duration::from_secs(10);

/// Milliseconds from the last byte of a frame to the answer that has it.
#[derive(Default)]
struct Seen {
    images: Vec<f64>,
    inventory: Vec<f64>,
}

fn main() -> ExitCode {
    report::run("replay", run)
}

/// Whether every bar was met.
async fn run(arguments: &[String]) -> Result<bool, String> {
    let (program, numbers) = arguments.split_first().ok_or(USAGE)?;
    let mut given = [100_000, 200, 600, 1_000, 0_u64];
    for (place, text) in numbers.iter().enumerate() {
        *given.get_mut(place).ok_or(USAGE)? = text.parse().map_err(|_| format!("not a number: {text}\n{USAGE}"))?;
    }
    let [pods, namespaces, seconds, rate, clients] = given;
    let cluster = Cluster { pods, namespaces };
    let api = Api::start(cluster).await?;
    let kai = Kai::start(program, &api.kubeconfig()).await?;
    say(&format!("{pods} pods in {namespaces} namespaces: first answer after {:.1?}", kai.first_answer))?;
    let idle = kai.usage()?;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let rested = kai.usage()?;
    say(&format!("idle: {:.4} core, {:.1} MiB", rested.cores_since(&idle), rested.mebibytes))?;

    let mut sender = Sender { api: &api, cluster, made: 0, rate, sent: None };
    let reader = kai.read_steadily();
    let mut warm = Seen::default();
    replay(&mut sender, &kai, WARM_UP, &mut warm).await?;
    let lists = api.lists();
    let (begun, mut minute, mut seen) = (kai.usage()?, kai.usage()?, Seen::default());
    let (mut least, mut most) = (f64::MAX, 0_f64);
    let mut left = Duration::from_secs(seconds);
    while !left.is_zero() {
        let part = left.min(Duration::from_mins(1));
        replay(&mut sender, &kai, part, &mut seen).await?;
        left -= part;
        let now = kai.usage()?;
        (least, most) = (least.min(now.mebibytes), most.max(now.mebibytes));
        say(&format!("{:4} s to go: {:.3} core, {:.1} MiB", left.as_secs(), now.cores_since(&minute), now.mebibytes))?;
        minute = now;
    }
    let cores = kai.usage()?.cores_since(&begun);
    let are_told = clients == 0 || follow(&mut sender, &kai, clients, seconds, cores).await?;
    let relisted = relist(&api, &kai).await?;
    reader.abort();
    let steady = (most - least) / least * 100.0;
    let (images, inventory) = (percentiles(&mut seen.images), percentiles(&mut seen.inventory));
    say(&format!(
        "{rate} changes/s for {seconds} s, one in {IMAGES} of the image: {cores:.3} core (bar 0.25), {most:.1} MiB, within {steady:.1} % (bar 5), {} lists (bar 0)",
        api.lists() - lists,
    ))?;
    say(&format!(
        "/namespaces/{{ns}}/images has a change after p50 {:.1} ms, p99 {:.1} ms (bar 100), worst {:.1} ms",
        images[0], images[1], images[2]
    ))?;
    say(&format!(
        "/inventory, compressed, after p50 {:.1} ms, p99 {:.1} ms (bar 300), worst {:.1} ms",
        inventory[0], inventory[1], inventory[2]
    ))?;
    say(&format!("everything read again, while others read: peak {relisted:.1} MiB (bar 150)"))?;
    kai.stop().await?;
    Ok(are_told && cores <= 0.25 && steady <= 5.0 && relisted <= 150.0 && images[1] <= 100.0 && inventory[1] <= 300.0)
}

/// Sends changes for so long while clients follow them. Whether that met its bars.
async fn follow(
    sender: &mut Sender<'_>,
    kai: &Kai,
    clients: u64,
    seconds: u64,
    cores_without: f64,
) -> Result<bool, String> {
    let followers = Followers::open(&kai.client(), clients).await?;
    sender.sent = Some(followers.sent.clone());
    let begun = kai.usage()?;
    replay(sender, kai, Duration::from_secs(seconds), &mut Seen::default()).await?;
    let now = kai.usage()?;
    sender.sent = None;
    let more = now.cores_since(&begun) - cores_without;
    let mut times = followers.close()?;
    let lines = times.len();
    let [half, most, worst] = percentiles(&mut times);
    say(&format!(
        "{clients} clients of /v1/changes: {more:.3} core more (bar 0.1), {:.1} MiB, {lines} images told after p50 {half:.1} ms, p99 {most:.1} ms (bar 100), worst {worst:.1} ms",
        now.mebibytes
    ))?;
    Ok(more <= 0.1 && most <= 100.0)
}

/// Has kai read everything again, and gives the most memory that it has had until then, in MiB.
async fn relist(api: &Api, kai: &Kai) -> Result<f64, String> {
    let (begun, before) = (Instant::now(), (api.initial_streams(), api.lists()));
    api.expire();
    while (api.initial_streams(), api.lists()) == before {
        if begun.elapsed() > DEADLINE {
            return Err(format!("kai did not read everything again within {DEADLINE:?}"));
        }
        tokio::time::sleep(LOOK).await;
    }
    // What is read is published, and asked for in both codings.
    tokio::time::sleep(Duration::from_secs(10)).await;
    Ok(kai.usage()?.peak_mebibytes)
}

/// Sends changes for so long, and times some of them.
async fn replay(sender: &mut Sender<'_>, kai: &Kai, time: Duration, seen: &mut Seen) -> Result<(), String> {
    let begun = Instant::now();
    let mut ticks = tokio::time::interval(TICK);
    let mut probes = tokio::task::JoinSet::new();
    let mut sent = 0;
    for tick in 0_u64.. {
        ticks.tick().await;
        if begun.elapsed() >= time {
            break;
        }
        // After a pause what was missed is sent at once: the rate holds.
        let due = u64::try_from(begun.elapsed().as_millis()).map_err(|error| error.to_string())? * sender.rate / 1_000;
        let last = sender.send(due.saturating_sub(sent));
        sent = sent.max(due);
        let Some((namespace, tag)) = last.filter(|_| tick % 10 == 0) else { continue };
        let (kai, at, with_inventory) = (kai.client(), Instant::now(), tick % 100 == 0);
        probes.spawn(async move {
            let generation = kai.wait_for_image(&namespace, &tag).await?;
            let images = at.elapsed();
            if !with_inventory {
                return Ok((images, None));
            }
            kai.wait_for_inventory(generation).await?;
            Ok::<_, String>((images, Some(at.elapsed())))
        });
    }
    while let Some(probe) = probes.join_next().await {
        let (images, inventory) = probe.map_err(|error| error.to_string())??;
        seen.images.push(images.as_secs_f64() * 1e3);
        seen.inventory.extend(inventory.map(|time| time.as_secs_f64() * 1e3));
    }
    Ok(())
}

/// Makes changes, one after the other.
struct Sender<'a> {
    api: &'a Api,
    cluster: Cluster,
    made: u64,
    rate: u64,
    /// Where it is noted when images are sent.
    sent: Option<SentAt>,
}

impl Sender<'_> {
    /// Sends so many. Gives the namespace and the new tag of the last one that changed an image.
    fn send(&mut self, changes: u64) -> Option<(String, String)> {
        let mut last = None;
        for _ in 0..changes {
            self.made += 1;
            let is_image = self.made.is_multiple_of(IMAGES);
            // Another change of such a pod would take its image away again.
            let lively = LIVELY.min(self.cluster.pods / 2);
            let number = if is_image {
                self.made / IMAGES % lively
            } else {
                lively + self.made * 7_919 % (self.cluster.pods - lively)
            };
            let mut pod = self.cluster.pod(number);
            // The last container: every pod has one.
            for list in ["/spec/containers", "/status/containerStatuses"] {
                let Some(container) = pod.pointer_mut(list).and_then(|list| list.as_array_mut()?.last_mut()) else {
                    continue;
                };
                if is_image {
                    container["image"] = image(self.made).into();
                } else {
                    container["containerID"] = format!("containerd://{:064x}", self.made).into();
                }
            }
            if is_image {
                // Of other pods kai reports no image by default.
                pod["status"]["phase"] = "Running".into();
                let namespace = pod["metadata"]["namespace"].as_str().unwrap_or_default().to_owned();
                last = Some((namespace, format!("live/app:{}\"", self.made)));
            }
            self.api.modified(pod);
            self.sent.iter().filter(|_| is_image).for_each(|sent| sent.note(&image(self.made)));
        }
        last
    }
}

fn image(number: u64) -> String {
    format!("registry.example.com/live/app:{number}")
}
