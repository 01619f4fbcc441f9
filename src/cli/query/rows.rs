//! Rows of images and containers as lines: what stands in each column.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use jiff::Timestamp;

use super::output::{Shown, write_line, write_table};
use super::source::age;
use crate::inventory::{Digest, escape_controls};
use crate::views::{ContainerRow, DigestKind, Flags, ImageRow, Look};

/// Hex digits that tell a digest from others at a glance.
const SHORT: usize = 12;

/// Every image in a line. Since when they are there is told where a history is kept, and when they were seen last where one is
/// gone.
pub(super) fn write_images(
    rows: &[ImageRow<'_>],
    shown: Shown,
    now: Timestamp,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let is_short = look.width.is_some();
    let flags = |row: &ImageRow<'_>| Cow::from(words(row.flags));
    let image = |row: &ImageRow<'_>| escape_controls(&row.image).into_owned().into();
    let number = |number: usize| Cow::from(number.to_string());
    let digest = |row: &ImageRow<'_>| match digest(row.digest.as_deref(), row.digest_kind, is_short) {
        Cow::Borrowed(text) => Cow::from(text.to_owned()),
        Cow::Owned(text) => Cow::from(text),
    };
    let first = |row: &ImageRow<'_>| Cow::from(since(row.first_seen, row.first_seen_exact, now));
    let last = |row: &ImageRow<'_>| Cow::from(row.last_seen.map_or_else(|| "there".to_owned(), |last| age(last, now)));
    if shown == Shown::Wide {
        let lines = rows.iter().map(|row| {
            [
                image(row),
                digest(row),
                number(row.containers),
                number(row.pods),
                number(row.namespaces),
                number(row.owners),
                first(row),
                last(row),
                flags(row),
            ]
        });
        let header =
            ["IMAGE", "DIGEST", "CONTAINERS", "PODS", "NAMESPACES", "WORKLOADS", "FIRST SEEN", "LAST SEEN", "FLAGS"];
        return write_table(header, &lines.collect::<Vec<_>>(), look, out);
    }
    if rows.iter().any(|row| !row.running) {
        let lines = rows.iter().map(|row| {
            [image(row), digest(row), number(row.pods), number(row.namespaces), first(row), last(row), flags(row)]
        });
        let header = ["IMAGE", "DIGEST", "PODS", "NAMESPACES", "FIRST SEEN", "LAST SEEN", "FLAGS"];
        return write_table(header, &lines.collect::<Vec<_>>(), look, out);
    }
    if rows.iter().any(|row| row.first_seen.is_some()) {
        let lines = rows
            .iter()
            .map(|row| [image(row), digest(row), number(row.pods), number(row.namespaces), first(row), flags(row)]);
        let header = ["IMAGE", "DIGEST", "PODS", "NAMESPACES", "FIRST SEEN", "FLAGS"];
        return write_table(header, &lines.collect::<Vec<_>>(), look, out);
    }
    let lines = rows.iter().map(|row| [image(row), digest(row), number(row.pods), number(row.namespaces), flags(row)]);
    write_table(["IMAGE", "DIGEST", "PODS", "NAMESPACES", "FLAGS"], &lines.collect::<Vec<_>>(), look, out)
}

/// How long ago it was first seen; with a `+` where it was there at the latest then.
pub(super) fn since(first: Option<Timestamp>, is_exact: bool, now: Timestamp) -> String {
    first.map_or_else(String::new, |first| format!("{}{}", age(first, now), if is_exact { "" } else { "+" }))
}

/// Containers that are the same for whoever looks for an image.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place<'r> {
    asked: &'r str,
    namespace: &'r str,
    workload: String,
    image: &'r str,
    digest: Option<&'r Digest>,
    digest_kind: Option<DigestKind>,
    kind: &'r str,
}

#[derive(Default)]
struct Use<'r> {
    pods: BTreeSet<&'r str>,
    /// Those in which the container runs.
    running: BTreeSet<&'r str>,
    oldest: Option<Timestamp>,
    flags: Option<Flags>,
}

/// Every container in a line, or those of a workload together, each with what it was found by: that is a column where
/// several things were asked for.
pub(super) fn write_containers<'r>(
    rows: impl Iterator<Item = (&'r str, &'r ContainerRow<'r>)>,
    is_several: bool,
    shown: Shown,
    now: Timestamp,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    if shown == Shown::Wide {
        return write_wide(rows, is_several, now, look, out);
    }
    let mut places: BTreeMap<Place<'r>, Use<'r>> = BTreeMap::new();
    for (asked, row) in rows {
        let place = Place {
            asked,
            namespace: &row.namespace,
            workload: workload(row),
            image: &row.image,
            digest: row.digest.as_deref(),
            digest_kind: row.digest_kind,
            kind: &row.kind,
        };
        let used = places.entry(place).or_default();
        used.pods.insert(&row.pod);
        if row.state == "running" {
            used.running.insert(&row.pod);
        }
        used.oldest = [used.oldest, row.started_at].into_iter().flatten().min();
        used.flags = Some(used.flags.map_or(row.flags, |flags| flags.together(row.flags)));
    }
    let is_short = look.width.is_some();
    let lines = places.iter().map(|(place, used)| {
        let workload = if is_short { kubectl_name(&place.workload) } else { Cow::from(&*place.workload) };
        let (running, all) = (used.running.len(), used.pods.len());
        let line = [
            escape_controls(place.namespace),
            Cow::from(escape_controls(&workload).into_owned()),
            escape_controls(place.image),
            digest(place.digest, place.digest_kind, is_short),
            Cow::from(place.kind),
            Cow::from(if running == all { all.to_string() } else { format!("{running}/{all}") }),
            Cow::from(used.oldest.map(|oldest| age(oldest, now)).unwrap_or_default()),
            Cow::from(used.flags.map(words).unwrap_or_default()),
        ];
        (place.asked, line)
    });
    let header = ["NAMESPACE", "WORKLOAD", "IMAGE", "DIGEST", "KIND", "PODS", "AGE", "FLAGS"];
    if is_several {
        let [namespace, workload, image, digest, kind, pods, age, flags] = header;
        let header = ["ASKED", namespace, workload, image, digest, kind, pods, age, flags];
        let lines = lines.map(|(asked, [namespace, workload, image, digest, kind, pods, age, flags])| {
            [escape_controls(asked), namespace, workload, image, digest, kind, pods, age, flags]
        });
        return write_table(header, &lines.collect::<Vec<_>>(), look, out);
    }
    write_table(header, &lines.map(|(_, line)| line).collect::<Vec<_>>(), look, out)
}

fn write_wide<'r>(
    rows: impl Iterator<Item = (&'r str, &'r ContainerRow<'r>)>,
    is_several: bool,
    now: Timestamp,
    look: Look,
    out: &mut dyn Write,
) -> io::Result<()> {
    let lines = rows.map(|(asked, row)| {
        [
            if is_several { escape_controls(asked) } else { Cow::from("") },
            escape_controls(&row.namespace),
            Cow::from(escape_controls(&workload(row)).into_owned()),
            escape_controls(&row.pod),
            escape_controls(&row.container),
            Cow::from(&*row.kind),
            escape_controls(&row.image),
            digest(row.digest.as_deref(), row.digest_kind, false),
            Cow::from(state(row)),
            escape_controls(row.node.as_deref().unwrap_or_default()),
            Cow::from(row.started_at.map(|start| age(start, now)).unwrap_or_default()),
            Cow::from(words(row.flags)),
        ]
    });
    let header = [
        "ASKED",
        "NAMESPACE",
        "WORKLOAD",
        "POD",
        "CONTAINER",
        "KIND",
        "IMAGE",
        "DIGEST",
        "STATE",
        "NODE",
        "AGE",
        "FLAGS",
    ];
    let lines: Vec<[Cow<'_, str>; 12]> = lines.collect();
    if is_several {
        return write_table(header, &lines, look, out);
    }
    let [_, header @ ..] = header;
    let lines = lines.into_iter().map(|[_, line @ ..]| line);
    write_table::<11>(header, &lines.collect::<Vec<_>>(), look, out)
}

/// Namespace, pod and container of each, a line each.
pub(super) fn write_names<'r>(
    rows: impl IntoIterator<Item = &'r ContainerRow<'r>>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let names = rows.into_iter().map(|row| [&*row.namespace, &*row.pod, &*row.container].join("/"));
    names.into_iter().try_for_each(|name| write_line(&name, out))
}

/// As in `Deployment/web`; a pod without an owner stands for itself.
pub(super) fn workload(row: &ContainerRow<'_>) -> String {
    match (&row.owner_kind, &row.owner_name) {
        (Some(kind), Some(name)) => format!("{kind}/{name}"),
        _ => format!("Pod/{}", row.pod),
    }
}

/// The same with the short name that kubectl has for the kind, where it has one.
fn kubectl_name(workload: &str) -> Cow<'_, str> {
    let Some((kind, name)) = workload.split_once('/') else { return Cow::Borrowed(workload) };
    let short = match kind {
        "Deployment" => "deploy",
        "StatefulSet" => "sts",
        "DaemonSet" => "ds",
        "ReplicaSet" => "rs",
        "ReplicationController" => "rc",
        "CronJob" => "cj",
        "Job" => "job",
        "Pod" => "po",
        "Node" => "no",
        _ => return Cow::Borrowed(workload),
    };
    Cow::Owned(format!("{short}/{name}"))
}

fn state(row: &ContainerRow<'_>) -> String {
    let reason = row.reason.as_deref().map(|reason| format!(" ({})", escape_controls(reason)));
    format!("{}{}", row.state, reason.unwrap_or_default())
}

/// The digest that runs; one that is only wanted says so.
pub(super) fn digest(digest: Option<&Digest>, kind: Option<DigestKind>, is_short: bool) -> Cow<'_, str> {
    let Some(digest) = digest else { return Cow::Borrowed("") };
    let text = short(digest, is_short);
    if kind == Some(DigestKind::Pinned) { Cow::Owned(format!("{text} wanted")) } else { Cow::Borrowed(text) }
}

/// The digest as a person or as a program needs it.
pub(super) fn short(digest: &Digest, is_short: bool) -> &str {
    let encoded = digest.encoded();
    if is_short { encoded.get(..SHORT).unwrap_or(encoded) } else { digest.as_str() }
}

fn words(flags: Flags) -> String {
    flags.words().collect::<Vec<_>>().join(" ")
}
