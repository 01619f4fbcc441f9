//! A page of 500 realistic pods, decoded into the fields kept and into k8s-openapi's whole pods: time, and memory kept.

mod realistic;

use std::hint::black_box;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use k8s_openapi::List;
use k8s_openapi::api::core::v1::Pod;
use kai::decode::{ListDecoder, Records, read_dump};
use kai::inventory::PodRecord;
use kai::snapshot::{Event, ListScope, Object};
use realistic::Cluster;

const PODS: usize = 500;
const CLUSTER: Cluster = Cluster { pods: PODS as u64, namespaces: 25 };
/// As a busy connection gives them: hyper's buffer grows to some 400 KiB.
const CHUNK: usize = 64 * 1024;
/// So many pages are kept at once while memory is measured, so that what the allocator holds back does not count.
const PAGES: u64 = 20;
/// The best of many is what the machine can do, whatever else it does meanwhile.
const ROUNDS: usize = 60;

fn main() -> io::Result<()> {
    let mut page = Vec::new();
    CLUSTER.write_page(&mut page)?;

    let lite = kept(|| decode_lite(&page, &mut Records::default()))?;
    let whole = kept(|| decode_whole(&page))?;
    writeln!(
        io::stdout(),
        "memory kept of a page of {} KiB: {} KiB in records, {} KiB in whole pods, {:.0} times less",
        page.len() / 1024,
        lite / 1024,
        whole / 1024,
        ratio(whole, lite),
    )?;

    let mut records = Records::default();
    let (mut lite, mut whole) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        lite = lite.min(time(|| decode_lite(&page, &mut records)));
        whole = whole.min(time(|| decode_whole(&page)));
    }
    let times = whole.as_secs_f64() / lite.as_secs_f64();
    writeln!(
        io::stdout(),
        "best of {ROUNDS} in turn: {lite:?} into records, {whole:?} into whole pods, {times:.1} times faster"
    )?;

    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("page of 500 pods");
    group.throughput(Throughput::Bytes(page.len() as u64));
    group.bench_function("into records", |bencher| {
        let mut records = Records::default();
        bencher.iter(|| decode_lite(black_box(&page), &mut records));
    });
    group.bench_function("into k8s-openapi", |bencher| bencher.iter(|| decode_whole(black_box(&page))));
    group.finish();

    let mut list = Vec::new();
    CLUSTER.write_list(&mut list)?;
    let mut group = criterion.benchmark_group("dump of 500 pods");
    group.throughput(Throughput::Bytes(list.len() as u64));
    group.bench_function("into records", |bencher| {
        let mut records = Records::default();
        bencher.iter(|| {
            let mut input = black_box(list.as_slice());
            let mut emit = |event| {
                black_box(event);
                ControlFlow::Continue(())
            };
            read_dump(&mut input, &mut records, &mut emit).expect("a dump")
        });
    });
    group.finish();
    criterion.final_summary();
    Ok(())
}

fn decode_lite(page: &[u8], records: &mut Records) -> Vec<PodRecord> {
    let mut decoder = ListDecoder::new(ListScope::AllPods);
    let (mut events, mut pods) = (Vec::new(), Vec::with_capacity(PODS));
    for chunk in page.chunks(CHUNK) {
        decoder.push(chunk, records, &mut events).expect("a list");
        pods.extend(events.drain(..).map(|event| match event {
            Event::Applied(Object::Pod(pod)) => pod,
            other => panic!("{other:?}"),
        }));
    }
    let end = decoder.finish().expect("the end of a list");
    assert_eq!((end.items, pods.len()), (PODS as u64, PODS));
    pods
}

fn decode_whole(page: &[u8]) -> List<Pod> {
    let list: List<Pod> = serde_json::from_slice(page).expect("a list");
    assert_eq!(list.items.len(), PODS);
    list
}

/// Time to make something and to let it go.
fn time<T>(work: impl FnOnce() -> T) -> Duration {
    let begun = Instant::now();
    drop(black_box(work()));
    begun.elapsed()
}

/// Bytes that one decoded page keeps, from how the process grows.
fn kept<T>(decode: impl Fn() -> T) -> io::Result<u64> {
    let before = resident()?;
    let pages: Vec<T> = (0..PAGES).map(|_| decode()).collect();
    let grown = resident()? - before;
    black_box(pages);
    Ok(grown / PAGES)
}

/// Resident memory of this process in bytes.
fn resident() -> io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kilobytes.map(|kilobytes| kilobytes * 1024).ok_or_else(|| io::Error::other("no VmRSS in /proc/self/status"))
}

#[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
fn ratio(large: u64, small: u64) -> f64 {
    large as f64 / small.max(1) as f64
}
