//! What it costs to decode a page, JSON against protobuf: `cargo bench --bench decode_proto`.
//!
//! The page is a small one that an API server wrote; with `DECODE_LISTS=DIR` it is DIR/pods.json and DIR/pods.pb, one list
//! asked for in both encodings. Events are dropped as they come, as the index would take them.

use std::hint::black_box;
use std::path::PathBuf;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use kai::decode::{Encoding, ListDecoder, Records};
use kai::snapshot::ListScope;

/// As the bytes come out of gunzipping.
const CHUNK: usize = 8 * 1024;

fn decode(body: &[u8], encoding: Encoding, records: &mut Records) -> u64 {
    let mut events = Vec::new();
    let mut decoder = ListDecoder::of_encoding(ListScope::AllPods, encoding);
    for chunk in body.chunks(CHUNK) {
        decoder.push(chunk, records, &mut events).expect("a list");
        black_box(&mut events).clear();
    }
    decoder.finish().expect("a whole list").items
}

fn lists() -> [(&'static str, Encoding, Vec<u8>); 2] {
    let folder = std::env::var_os("DECODE_LISTS").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases/protobuf"));
    let read = |name| std::fs::read(folder.join(name)).expect(name);
    [("json", Encoding::Json, read("pods.json")), ("protobuf", Encoding::Protobuf, read("pods.pb"))]
}

fn bench(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("page");
    for (name, encoding, body) in lists() {
        let mut records = Records::default();
        let pods = decode(&body, encoding, &mut records);
        group.throughput(Throughput::Elements(pods));
        group.bench_function(name, |bencher| bencher.iter(|| decode(black_box(&body), encoding, &mut records)));
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
