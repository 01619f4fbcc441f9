//! One change of a pod, applied and published, in clusters of several sizes and shapes: it must cost what changed, and
//! nothing of the cluster around it.

use std::hint::black_box;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion};
use kai::inventory::{ContainerRecord, NamespaceSelection, PodRecord};
use kai::snapshot::{Event, PodIndex};
use kai::testing::{cluster, container, pod_of};

const PODS: [usize; 3] = [1_000, 10_000, 100_000];
const NAMESPACES: [usize; 3] = [1, 200, 5_000];
/// Different images in a cluster.
const IMAGES: usize = 400;
/// The best of many rounds is what the machine can do, whatever else it does meanwhile.
const ROUNDS: usize = 20;
/// Changes in a round, each of another pod.
const CHANGES: usize = 500;
/// As many pods change over and over, where it is not any of them.
const LIVELY: usize = 500;
/// Of a change, applied and published.
const BAR: Duration = Duration::from_micros(50);
/// The dearest shape beside the cheapest.
const RATIO_BAR: f64 = 2.0;

/// Which pods change, all over the cluster.
#[derive(Debug, Clone, Copy)]
enum Which {
    /// The same few, as those do that crash or are rolled out: the processor's caches have what is known of them.
    Few,
    /// Any: what is known of one lies in memory.
    Any,
}

/// What a change does to a pod.
#[derive(Debug, Clone, Copy)]
enum Change {
    /// A container was started again: its image is what it was.
    Restart,
    /// The pod runs an image that its namespace did not have, or that one goes.
    Image,
}

fn main() -> io::Result<()> {
    let mut out = io::stdout();
    let mut criterion = Criterion::default().configure_from_args();
    for change in [Change::Restart, Change::Image] {
        for which in [Which::Few, Which::Any] {
            compare(&mut out, &mut criterion, change, which)?;
        }
    }
    criterion.final_summary();
    Ok(())
}

/// Measures one kind of change in every cluster.
fn compare(out: &mut impl Write, criterion: &mut Criterion, change: Change, which: Which) -> io::Result<()> {
    let mut all = Vec::new();
    for pods in PODS {
        for namespaces in NAMESPACES {
            let mut index = filled(pods, namespaces);
            let changed = |made: usize| changed_pod(change, made, which.number(made, pods), namespaces);
            let best = (0..ROUNDS).map(|round| {
                let changed: Vec<_> = (round * CHANGES..(round + 1) * CHANGES).map(changed).collect();
                let begun = Instant::now();
                changed.into_iter().for_each(|pod| publish(&mut index, pod));
                begun.elapsed() / u32::try_from(CHANGES).unwrap_or(u32::MAX)
            });
            let best = best.min().unwrap_or_default();
            let name = format!("{change:?} of {which:?}: {pods} pods in {namespaces} namespaces");
            writeln!(out, "{name}: {best:.1?} a change (bar: {BAR:?})")?;
            all.push(best);
            let mut made = CHANGES * ROUNDS;
            criterion.bench_function(&name, |bencher| {
                let next = || {
                    made += 1;
                    changed(made)
                };
                bencher.iter_batched(next, |pod| publish(&mut index, pod), BatchSize::SmallInput);
            });
        }
    }
    let (least, most) = (all.iter().min().copied().unwrap_or_default(), all.iter().max().copied().unwrap_or_default());
    let ratio = most.as_secs_f64() / least.as_secs_f64();
    writeln!(out, "{change:?} of {which:?}: {least:.1?} to {most:.1?}, a ratio of {ratio:.2} (bar: {RATIO_BAR})")
}

impl Which {
    /// Neighbours in time are no neighbours in the cluster.
    fn number(self, made: usize, pods: usize) -> usize {
        match self {
            Self::Few => made % LIVELY * (pods / LIVELY),
            Self::Any => made * 7_919 % pods,
        }
    }
}

fn filled(pods: usize, namespaces: usize) -> PodIndex {
    let all = (0..namespaces).fold(cluster(), |all, number| all.namespace(&namespace(number)));
    let mut index = PodIndex::new("bench", NamespaceSelection::default());
    all.with((0..pods).map(|number| pod(number, namespaces, 0, None))).relist_into(&mut index);
    index
}

/// A pod after change number `made`.
fn changed_pod(change: Change, made: usize, number: usize, namespaces: usize) -> PodRecord {
    match change {
        Change::Restart => pod(number, namespaces, 1 + made, None),
        Change::Image => pod(number, namespaces, 0, Some(made)),
    }
}

fn publish(index: &mut PodIndex, pod: PodRecord) {
    index.apply(Event::from(pod));
    black_box(index.publish().expect("a change"));
}

fn namespace(number: usize) -> String {
    format!("ns-{number:04}")
}

/// A pod of two containers, as often restarted, one of them with an image of its own instead of one of many pods.
fn pod(number: usize, namespaces: usize, restarts: usize, own: Option<usize>) -> PodRecord {
    let started = |name: &str, image: usize| {
        let id = format!("containerd://{number:040x}{restarts:024x}");
        let written = format!("registry.example.com/team/app-{image}:1.{}", image % 7);
        let running = container(name, &written, &format!("{written}@sha256:{image:064x}"));
        ContainerRecord { container_id: Some(id.into()), ..running }
    };
    let side = own.map_or((number + 1) % IMAGES, |own| IMAGES + own);
    let containers = [started("app", number % IMAGES), started("side", side)];
    pod_of(&namespace(number % namespaces), &format!("web-{number:06}"), containers)
}
