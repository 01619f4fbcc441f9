//! A bill of materials in CycloneDX: a component for each image, with where it runs as evidence.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use serde::{Serialize, Serializer};
use uuid::Uuid;

use super::CycloneDxVersion;
use super::purl::purl;
use crate::inventory::{Digest, Workload};
use crate::snapshot::{ContentHash, Snapshot};
use crate::views::rows::filter::{DigestKind, Entry, Filter};
use crate::views::rows::images::rows;
use crate::views::{ImageRow, utc_seconds};

/// What serial numbers are made under.
const SERIAL_NAMESPACE: Uuid = Uuid::from_u128(0x6b0d_3c5e_9a41_5f2e_8d77_4c1b_2f60_a9e3);
/// The component that all others are part of.
const PLATFORM: &str = "cluster";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Bom<'a> {
    #[serde(rename = "bomFormat")]
    format: &'static str,
    spec_version: &'static str,
    serial_number: String,
    version: u32,
    metadata: Metadata<'a>,
    components: Components<'a>,
    compositions: [Composition; 1],
}

#[derive(Serialize)]
struct Metadata<'a> {
    #[serde(serialize_with = "utc_seconds")]
    timestamp: jiff::Timestamp,
    tools: Tools,
    component: Platform<'a>,
}

#[derive(Serialize)]
struct Tools {
    components: [Tool; 1],
}

#[derive(Serialize)]
struct Tool {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Platform<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "bom-ref")]
    bom_ref: &'static str,
    name: &'a str,
}

/// Whether the components are all that there are.
#[derive(Serialize)]
struct Composition {
    aggregate: &'static str,
    assemblies: [&'static str; 1],
}

#[derive(Serialize)]
struct Component<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "bom-ref")]
    bom_ref: String,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
    properties: Vec<Property>,
    evidence: Evidence<'a>,
}

#[derive(Serialize)]
struct Property {
    name: &'static str,
    value: String,
}

#[derive(Serialize)]
struct Evidence<'a> {
    occurrences: Occurrences<'a>,
}

#[derive(Serialize)]
struct Occurrence {
    location: String,
}

/// Namespaces and workloads of an image.
type Places<'a> = BTreeSet<(&'a str, Option<Workload<'a>>)>;
type Key<'a> = (&'a str, Option<&'a Digest>, Option<DigestKind>);

/// Written one after the other.
struct Components<'a> {
    rows: Vec<ImageRow<'a>>,
    places: BTreeMap<Key<'a>, Places<'a>>,
}

struct Occurrences<'a>(Option<&'a Places<'a>>);

/// Writes the document.
pub(super) fn write(
    snapshot: &Snapshot,
    filter: &Filter,
    version: CycloneDxVersion,
    writer: impl Write,
) -> io::Result<()> {
    let mut rows: Vec<ImageRow<'_>> = rows(snapshot, filter).collect();
    rows.sort_unstable_by(|a, b| key(a).cmp(&key(b)));
    let observed_at = snapshot.observed_at();
    let content = ContentHash::of(&(snapshot.content_hash(), filter, version));
    let serial = Uuid::new_v5(&SERIAL_NAMESPACE, format!("{content} {observed_at}").as_bytes());
    let name = Some(snapshot.cluster_name()).filter(|name| !name.is_empty()).unwrap_or(PLATFORM);
    let bom = Bom {
        format: "CycloneDX",
        spec_version: CycloneDxVersion::ALL.iter().find(|(known, _)| *known == version).map_or("1.6", |(_, word)| word),
        serial_number: serial.urn().to_string(),
        version: 1,
        metadata: Metadata {
            timestamp: observed_at,
            tools: Tools {
                components: [Tool { kind: "application", name: "kai", version: env!("CARGO_PKG_VERSION") }],
            },
            component: Platform { kind: "platform", bom_ref: PLATFORM, name },
        },
        components: Components { rows, places: places(snapshot, filter) },
        compositions: [Composition {
            aggregate: if snapshot.is_complete() { "complete" } else { "incomplete" },
            assemblies: [PLATFORM],
        }],
    };
    Ok(serde_json::to_writer(writer, &bom)?)
}

fn places<'a>(snapshot: &'a Snapshot, filter: &Filter) -> BTreeMap<Key<'a>, Places<'a>> {
    let mut places: BTreeMap<Key<'a>, Places<'a>> = BTreeMap::new();
    for part in snapshot.namespaces().iter().filter(|part| filter.wants_namespace(part)) {
        for pod in filter.pods_of(part, "", None).filter(|pod| filter.wants_pod(pod)) {
            let workload = pod.owner.as_ref().map(|owner| owner.workload());
            for container in pod.containers.iter().filter(|container| filter.wants_container(container)) {
                for Entry { image, digest, digest_kind } in
                    Entry::of(container).filter(|entry| filter.wants_entry(*entry))
                {
                    places.entry((image.written(), digest, digest_kind)).or_default().insert((part.name(), workload));
                }
            }
        }
    }
    places
}

fn key<'r>(row: &'r ImageRow<'_>) -> Key<'r> {
    (&row.image, row.digest.as_deref(), row.digest_kind)
}

impl Serialize for Components<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.rows.iter().map(|row| {
            let property = |name, value: String| Property { name, value };
            let mut properties = vec![
                property("kai:image", row.image.to_string()),
                property("kai:containers", row.containers.to_string()),
                property("kai:pods", row.pods.to_string()),
                property("kai:namespaces", row.namespaces.to_string()),
                property("kai:workloads", row.owners.to_string()),
            ];
            let kind = row.digest_kind.map(|kind| property("kai:digest-kind", kind.word().to_owned()));
            properties.extend(kind);
            properties.extend(row.flags.words().map(|word| property("kai:flag", word.to_owned())));
            let digest = row.digest.as_deref().map(Digest::as_str);
            Component {
                kind: "container",
                bom_ref: [&*row.image, digest.unwrap_or_default(), row.digest_kind.map_or("", DigestKind::word)]
                    .join("#"),
                name: row.repository.as_deref().unwrap_or(&row.image),
                version: row.tag.as_deref().or(digest),
                purl: purl(row),
                properties,
                evidence: Evidence { occurrences: Occurrences(self.places.get(&key(row))) },
            }
        }))
    }
}

impl Serialize for Occurrences<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.into_iter().flatten().map(|(namespace, workload)| Occurrence {
            location: match workload {
                Some(Workload { kind, name, .. }) => format!("{namespace}/{kind}/{name}"),
                None => (*namespace).to_owned(),
            },
        }))
    }
}
