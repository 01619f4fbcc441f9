//! The containers of a pod as they are sent: one for each entry of the report.

use std::borrow::Cow;

use super::element::{ContainerElement, ContainerId, presentable};
use super::identity::{Identities, Uid, kind_word};
use crate::inventory::{Digest, PodRecord, ReportPolicy};
use crate::views::images::ReportedImage;

/// An entry that has no id of its own. They are put into an order that depends on nothing but their content, so that equal
/// ones can be numbered.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Entry<'a> {
    kind: &'static str,
    name: &'a str,
    tag: Cow<'a, str>,
    digest: Option<&'a Digest>,
}

/// The containers of a pod: those with an id of their own first. `make` gives the id of an entry without one, of fields
/// that distinguish it from every other entry of the pod.
pub(super) fn containers<'a>(
    pod: &'a PodRecord,
    pod_uid: Uid,
    policy: &'a ReportPolicy,
    identities: &'a Identities,
    make: impl Fn(&[&str]) -> Uid,
) -> impl Iterator<Item = ContainerElement<'a>> {
    let own = pod.containers.iter().filter_map(|container| Some((container, identities.own_id(container)?)));
    let own = own.flat_map(move |(container, id)| {
        ReportedImage::of(container, policy).map(move |image| ContainerElement {
            id: ContainerId::Own(id),
            name: &container.name,
            image_tag: presentable(image.tag(policy)),
            image_digest: image.digest,
            pod_uid,
        })
    });
    own.chain(without_id(pod, pod_uid, policy, identities, make))
}

fn without_id<'a, F: Fn(&[&str]) -> Uid>(
    pod: &'a PodRecord,
    pod_uid: Uid,
    policy: &'a ReportPolicy,
    identities: &Identities,
    make: F,
) -> impl Iterator<Item = ContainerElement<'a>> + use<'a, F> {
    let without_id = pod.containers.iter().filter(|container| identities.own_id(container).is_none());
    let mut entries: Vec<Entry<'_>> = without_id
        .flat_map(|container| {
            ReportedImage::of(container, policy).map(|image| Entry {
                kind: kind_word(container.kind),
                name: &container.name,
                tag: presentable(image.tag(policy)),
                digest: image.digest,
            })
        })
        .collect();
    entries.sort_unstable();
    let mut ids = Vec::with_capacity(entries.len());
    let mut equal_before = 0;
    for (position, entry) in entries.iter().enumerate() {
        let neighbours = || [position.wrapping_sub(1), position + 1].into_iter().filter_map(|at| entries.get(at));
        equal_before = if position > 0 && entries[position - 1] == *entry { equal_before + 1 } else { 0 };
        let number = equal_before.to_string();
        let mut fields = vec![entry.kind, entry.name, &entry.tag];
        let is_like = |other: &Entry<'_>| (other.kind, other.name, &other.tag) == (entry.kind, entry.name, &entry.tag);
        if neighbours().any(is_like) {
            fields.push(entry.digest.map_or("", Digest::as_str));
        }
        if neighbours().any(|other| other == entry) {
            fields.push(&number);
        }
        ids.push(make(&fields));
    }
    ids.into_iter().zip(entries).map(move |(id, entry)| ContainerElement {
        id: ContainerId::Made(id),
        name: entry.name,
        image_tag: entry.tag,
        image_digest: entry.digest,
        pod_uid,
    })
}
