//! The compact JSON of a report out of segments: neighbouring namespaces, about 64 KiB of them. A body takes the segments
//! that did not change from the body before it as they stand there, encoded, so that a change costs its own segment and a
//! copy of the rest.
//!
//! Where a segment ends is said by the namespaces alone, not by what was there before: the same content has the same hash
//! in every process, whatever happened on the way to it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hasher as _};
use std::io;
use std::ops::Range;
use std::sync::Arc;

use flate2::Compression;
use foldhash::fast::FixedState;

use super::gzip::{Check, Member};
use super::negotiate::ContentCoding;
use crate::inventory::ReportPolicy;
use crate::snapshot::{ContentHash, NamespacePart, Snapshot};
use crate::views::{KaiReport, ReportFrame};

/// Bytes of JSON in a segment, on average. Shorter ones compress worse: by 12 % at this length, by 41 % at a quarter of it.
const LENGTH: u64 = 64 * 1024;

/// A body, and where its segments stand in it.
pub(super) struct Segmented {
    pub(super) bytes: Vec<u8>,
    pub(super) segments: Vec<Segment>,
    pub(super) content: ContentHash,
}

/// Neighbouring namespaces of a body.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    /// Of each namespace, the hash of its images.
    namespaces: Arc<[ContentHash]>,
    /// Whether it ends where it ends whatever comes behind it. The last one of a body may not.
    is_closed: bool,
    /// The hash of what it says.
    content: ContentHash,
    /// In the body, encoded. Empty when none of its namespaces is in the report.
    place: Range<usize>,
    check: Option<Check>,
}

enum Encoder {
    Identity(Vec<u8>),
    Gzip(Box<Member>),
}

/// A body that was written before, and where its segments stand in it.
#[derive(Clone, Copy, Default)]
pub(super) struct Written<'a> {
    pub(super) segments: &'a [Segment],
    pub(super) body: &'a [u8],
}

/// Writes the report of the namespaces that are wanted, with what it can take from a body of the same coding and policy, and
/// from one that is not encoded.
pub(super) fn write(
    snapshot: &Snapshot,
    policy: &ReportPolicy,
    wanted: impl Fn(&str) -> bool,
    coding: ContentCoding,
    before: Written<'_>,
    plain: Written<'_>,
) -> io::Result<Segmented> {
    let (known, texts) = (before.by_first(), plain.by_first());
    let body = before.body;
    let frame = ReportFrame::of(snapshot);
    let (head, tail) = frame.json()?;
    let parts: Vec<&Arc<NamespacePart>> = KaiReport::parts(snapshot, wanted).collect();
    let mut out = Encoder::new(coding, body);
    out.write(&head)?;
    let (mut segments, mut left, mut is_first) = (Vec::new(), &*parts, true);
    while let Some(first) = left.first() {
        let find = |known: &HashMap<ContentHash, &Segment>| {
            known.get(&first.images_hash()).filter(|segment| segment.begins(left)).map(|segment| (*segment).clone())
        };
        let (segment, text) = if let Some(old) = find(&known) {
            (old, None)
        } else if let Some(same) = find(&texts) {
            let text = Cow::Borrowed(&plain.body[same.place.clone()]);
            (same, Some(text))
        } else {
            let (segment, text) = render(left, policy)?;
            (segment, Some(Cow::Owned(text)))
        };
        left = &left[segment.namespaces.len()..];
        segments.push(out.place(segment, text.as_deref(), body, &mut is_first)?);
    }
    out.write(&tail)?;
    let said: Vec<ContentHash> = segments.iter().filter(|one| !one.place.is_empty()).map(|one| one.content).collect();
    Ok(Segmented { bytes: out.finish(), segments, content: frame.content_hash(&said) })
}

/// The next segment, and its text.
fn render(parts: &[&Arc<NamespacePart>], policy: &ReportPolicy) -> io::Result<(Segment, Vec<u8>)> {
    let (mut text, mut namespaces, mut said, mut is_closed) = (Vec::new(), Vec::new(), Vec::new(), false);
    for part in parts {
        namespaces.push(part.images_hash());
        let Some(images) = KaiReport::result(part, policy) else { continue };
        if !text.is_empty() {
            text.push(b',');
        }
        let begin = text.len();
        serde_json::to_writer(&mut text, &images)?;
        said.push(images.content_hash());
        is_closed = is_last(part.name(), (text.len() - begin) as u64);
        if is_closed {
            break;
        }
    }
    let content = ContentHash::of(&said);
    Ok((Segment { namespaces: namespaces.into(), is_closed, content, place: 0..0, check: None }, text))
}

/// Whether a segment ends behind a namespace: the longer it is, the likelier, and always so or never for one of its length.
fn is_last(name: &str, length: u64) -> bool {
    let mut hasher = FixedState::with_seed(0).build_hasher();
    hasher.write(name.as_bytes());
    (hasher.finish() >> 32) * LENGTH < length << 32
}

impl<'a> Written<'a> {
    /// The segments by the first of their namespaces.
    fn by_first(self) -> HashMap<ContentHash, &'a Segment> {
        self.segments.iter().filter_map(|segment| Some((*segment.namespaces.first()?, segment))).collect()
    }
}

impl Segment {
    /// Whether these namespaces begin with those of the segment, and it would end behind them.
    fn begins(&self, parts: &[&Arc<NamespacePart>]) -> bool {
        let length = self.namespaces.len();
        let are_its = |parts: &[&Arc<NamespacePart>]| {
            parts.iter().map(|part| part.images_hash()).eq(self.namespaces.iter().copied())
        };
        parts.get(..length).is_some_and(are_its) && (self.is_closed || length == parts.len())
    }
}

impl Encoder {
    /// Behind a body. What changes often is not compressed as well as what is made once: the best takes three times as long
    /// for a fifth less.
    fn new(coding: ContentCoding, before: &[u8]) -> Self {
        let capacity = before.len() + before.len() / 64;
        let level = if before.is_empty() { Compression::default() } else { Compression::fast() };
        match coding {
            ContentCoding::Identity => Self::Identity(Vec::with_capacity(capacity)),
            ContentCoding::Gzip => Self::Gzip(Box::new(Member::new(level, capacity))),
        }
    }

    /// Puts a segment behind the others: its text, or what the body before has of it.
    fn place(
        &mut self,
        segment: Segment,
        text: Option<&[u8]>,
        body: &[u8],
        is_first: &mut bool,
    ) -> io::Result<Segment> {
        if text.map_or(segment.place.is_empty(), <[u8]>::is_empty) {
            return Ok(segment);
        }
        if !std::mem::take(is_first) {
            match self {
                Self::Identity(out) => out.push(b','),
                Self::Gzip(member) => member.comma(),
            }
        }
        let begin = self.len();
        let check = match (&mut *self, text, segment.check) {
            (_, Some(text), _) => self.write(text)?,
            (Self::Gzip(member), None, Some(check)) => {
                member.copy(&body[segment.place], check);
                Some(check)
            }
            (Self::Identity(out), None, _) => {
                out.extend(&body[segment.place]);
                None
            }
            (Self::Gzip(_), None, None) => return Err(io::Error::other("the body before was not compressed")),
        };
        Ok(Segment { place: begin..self.len(), check, ..segment })
    }

    fn len(&self) -> usize {
        match self {
            Self::Identity(out) => out.len(),
            Self::Gzip(member) => member.len(),
        }
    }

    fn write(&mut self, text: &[u8]) -> io::Result<Option<Check>> {
        match self {
            Self::Identity(out) => {
                out.extend(text);
                Ok(None)
            }
            Self::Gzip(member) => member.write(text).map(Some),
        }
    }

    fn finish(self) -> Vec<u8> {
        match self {
            Self::Identity(out) => out,
            Self::Gzip(member) => member.finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::io::Read as _;

    use flate2::read::GzDecoder;
    use proptest::prelude::*;

    use super::*;
    use crate::inventory::NamespaceSelection;
    use crate::snapshot::PodIndex;
    use crate::testing::{cluster, container, pod_of};

    const CODINGS: [ContentCoding; 2] = [ContentCoding::Identity, ContentCoding::Gzip];
    const EVERY: fn(&str) -> bool = |_| true;
    const NOTHING: Written<'_> = Written { segments: &[], body: &[] };

    fn written(body: &Segmented) -> Written<'_> {
        Written { segments: &body.segments, body: &body.bytes }
    }

    /// Namespaces, and the number of each image of them.
    type Model = BTreeMap<u8, BTreeSet<u8>>;

    /// Every image is so long that a few fill a segment.
    fn relist(index: &mut PodIndex, model: &Model) -> Arc<Snapshot> {
        let pods = model.iter().filter(|(_, images)| !images.is_empty()).map(|(namespace, images)| {
            let image = |image: &u8| container("app", &format!("{image}-{}", "x".repeat(8 * 1024)), "");
            pod_of(&format!("ns-{namespace}"), "web", images.iter().map(image))
        });
        let all = model.keys().fold(cluster(), |all, namespace| all.namespace(&format!("ns-{namespace}")));
        all.with(pods).relist_into(index)
    }

    fn json(coding: ContentCoding, body: &[u8]) -> Vec<u8> {
        let mut json = Vec::new();
        match coding {
            ContentCoding::Identity => json.extend(body),
            ContentCoding::Gzip => drop(GzDecoder::new(body).read_to_end(&mut json).expect("one member")),
        }
        json
    }

    fn changes() -> impl Strategy<Value = Vec<(u8, u8)>> {
        proptest::collection::vec((0..40_u8, 0..12_u8), 0..6)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(16) })]

        #[test]
        fn a_body_is_the_report_whatever_it_takes_from_the_one_before(
            first in proptest::collection::btree_map(0..40_u8, proptest::collection::btree_set(0..12_u8, 0..6), 0..40),
            steps in proptest::collection::vec(changes(), 1..5),
            ignore_empty: bool,
        ) {
            let policy = ReportPolicy { ignore_empty, ..ReportPolicy::default() };
            let mut index = PodIndex::new("demo", NamespaceSelection::default());
            let mut model: Model = first;
            let mut before: Vec<Segmented> = Vec::new();
            for step in steps {
                for (namespace, image) in step {
                    // An image that is there goes; the namespace of image 0 goes with all it has.
                    if image == 0 {
                        model.remove(&namespace);
                    } else if !model.entry(namespace).or_default().remove(&image) {
                        model.entry(namespace).or_default().insert(image);
                    }
                }
                let snapshot = relist(&mut index, &model);
                let report = KaiReport::of(&snapshot, &policy, EVERY);
                let expected = serde_json::to_vec(&report).expect("JSON");
                let mut now = Vec::new();
                for (place, coding) in CODINGS.into_iter().enumerate() {
                    let old = before.get(place).map_or(NOTHING, written);
                    // Of the plain one there is not always one.
                    let plain = now.first().filter(|_| snapshot.generation().is_multiple_of(2)).map_or(NOTHING, written);
                    let renewed = write(&snapshot, &policy, EVERY, coding, old, plain).expect("a body");
                    let anew = write(&snapshot, &policy, EVERY, coding, NOTHING, NOTHING).expect("a body");
                    prop_assert_eq!(renewed.content, anew.content, "another hash than that of one that is written anew");
                    prop_assert!(json(coding, &renewed.bytes) == expected, "{coding:?}: not the report");
                    now.push(renewed);
                }
                prop_assert_eq!(now[0].content, now[1].content);
                before = now;
            }
        }
    }

    #[test]
    fn a_change_costs_its_own_segment() {
        let policy = ReportPolicy::default();
        let mut index = PodIndex::new("demo", NamespaceSelection::default());
        let mut model: Model = (0..200).map(|namespace| (namespace, BTreeSet::from([1, 2]))).collect();
        let first =
            write(&relist(&mut index, &model), &policy, EVERY, ContentCoding::Gzip, NOTHING, NOTHING).expect("a body");
        assert!(first.segments.len() > 20, "{} segments", first.segments.len());
        model.insert(100, BTreeSet::from([1, 3]));
        let snapshot = relist(&mut index, &model);
        let second = write(&snapshot, &policy, EVERY, ContentCoding::Gzip, written(&first), NOTHING).expect("a body");
        let is_old = |one: &&Segment| first.segments.iter().any(|old| Arc::ptr_eq(&old.namespaces, &one.namespaces));
        assert_eq!(second.segments.iter().filter(is_old).count(), first.segments.len() - 1);
        assert_ne!(second.content, first.content);
    }
}
