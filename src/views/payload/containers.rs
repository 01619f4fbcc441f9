//! The containers of a pod as they are sent: one for each entry of the report, each image made once.

use super::element::{ContainerElement, ContainerId, presentable};
use super::identity::{Identities, Place, Shared, Uid, kind_word, own_id};
use super::json::{Json as _, Scratch};
use super::repeats::{Kept, MOST_PLACES, Repeat, Repeats};
use super::section::Section;
use crate::inventory::{Digest, PodRecord, ReportPolicy};
use crate::views::images::ReportedImage;
use crate::views::quick_hash::QuickMap;

/// What is said of images: `,"image_tag":"…"`, the digest where there is one, and `,"pod_uid":"`, which follows in any case.
#[derive(Default)]
pub(super) struct Images {
    /// By where the texts of an image lie, as long as its namespaces are there.
    known: QuickMap<(usize, usize), Repeat>,
    repeats: Repeats,
    tag: String,
    json: Scratch,
}

impl Images {
    fn push(&mut self, image: ReportedImage<'_>, policy: &ReportPolicy, section: &mut Section) {
        let place = image.place();
        if let Some(repeat) = self.known.get(&place) {
            return section.push_repeat(*repeat);
        }
        self.tag.clear();
        image.write_tag(policy, &mut self.tag);
        self.json.clear();
        self.json.push(r#","image_tag":"#);
        self.json.push_text(&presentable(&self.tag));
        if let Some(digest) = image.digest {
            self.json.push(r#","image_digest":"#);
            self.json.push_text(digest.as_str());
        }
        self.json.push(r#","pod_uid":""#);
        let Some(repeat) = self.repeats.keep(self.json.as_bytes()) else {
            return section.push_bytes(self.json.as_bytes());
        };
        section.push_repeat(repeat);
        if self.known.len() >= MOST_PLACES {
            self.known.clear();
        }
        self.known.insert(place, repeat);
    }

    /// For a body of what was written until now.
    pub(super) fn kept(&self) -> Kept {
        self.repeats.kept()
    }
}

/// What it takes to write the containers of a pod.
pub(super) struct Containers<'a> {
    pub(super) policy: &'a ReportPolicy,
    pub(super) identities: &'a mut Identities,
    /// Ids that several entries have.
    pub(super) shared_ids: &'a Shared,
    pub(super) images: &'a mut Images,
    pub(super) section: &'a mut Section,
}

impl Containers<'_> {
    /// Writes the containers of a pod: those with an id of their own first. Gives how many.
    pub(super) fn push(&mut self, pod: &PodRecord, pod_uid: Uid, place: Place<'_>) -> usize {
        let mut count = 0;
        let mut without_id = Vec::new();
        for container in &pod.containers {
            let own_id = own_id(container).filter(|id| !self.shared_ids.has_id(id));
            for image in ReportedImage::of(container, self.policy) {
                count += 1;
                if let Some(id) = own_id {
                    self.push_one(ContainerId::Own(id), &container.name, image, pod_uid);
                } else {
                    let tag = presentable(&image.tag(self.policy)).into_owned();
                    let said = (kind_word(container.kind), &*container.name, tag, image.digest.map(Digest::as_str));
                    without_id.push((said, image));
                }
            }
        }
        // In an order that does not depend on anything but what they say, so that equal ones can be numbered.
        without_id.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let mut equal_before = 0;
        for (position, (said, image)) in without_id.iter().enumerate() {
            let (kind, name, tag, digest) = said;
            let neighbours = || {
                let there = [position.wrapping_sub(1), position + 1].into_iter().filter_map(|at| without_id.get(at));
                there.map(|(said, _)| said)
            };
            equal_before = if position > 0 && without_id[position - 1].0 == *said { equal_before + 1 } else { 0 };
            let number = equal_before.to_string();
            let mut fields = vec![*kind, name, tag];
            if neighbours().any(|other| (&other.0, &other.1, &other.2) == (kind, name, tag)) {
                fields.push(digest.unwrap_or_default());
            }
            if neighbours().any(|other| other == said) {
                fields.push(&number);
            }
            let id = ContainerId::Made(self.identities.entry_id(place, &fields));
            self.push_one(id, name, *image, pod_uid);
        }
        count
    }

    fn push_one(&mut self, id: ContainerId<'_>, name: &str, image: ReportedImage<'_>, pod_uid: Uid) {
        let Self { policy, images, section, .. } = self;
        ContainerElement { id, name, pod_uid }.push_to(section, |section| images.push(image, policy, section));
    }
}
