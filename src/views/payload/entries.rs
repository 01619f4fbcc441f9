//! The entries of the KAI report, each made once for all the namespaces that have it.

use super::json::{Json as _, Scratch};
use super::repeats::{Kept, MOST_PLACES, Repeat, Repeats};
use super::section::Section;
use crate::inventory::ReportPolicy;
use crate::snapshot::NamespacePart;
use crate::views::images::{ImageEntry, ReportedImage};
use crate::views::quick_hash::QuickMap;

/// What namespaces have had until now.
#[derive(Default)]
pub(super) struct Entries {
    /// By where the texts of an image lie, as long as its namespaces are there.
    known: QuickMap<(usize, usize), usize>,
    made: Vec<Entry>,
    repeats: Repeats,
    /// Where a tag is put together, and an entry.
    tag: String,
    json: Scratch,
}

struct Entry {
    image: ImageEntry,
    /// Its JSON, unless too many others are kept.
    repeat: Option<Repeat>,
}

/// Entries of one namespace, as positions among those that are made: sorted, once each.
pub(super) type Positions = Vec<usize>;

impl Entries {
    /// What a namespace has. What was given for another one is of no use then.
    pub(super) fn of(&mut self, part: &NamespacePart, policy: &ReportPolicy) -> Positions {
        if self.made.len() > MOST_PLACES {
            self.known.clear();
            self.made.clear();
        }
        let images = ReportedImage::of_part(part, policy);
        let mut positions: Positions = images.map(|image| self.position(image, policy)).collect();
        // What lies in two places may be equal all the same.
        positions.sort_unstable_by(|a, b| self.made[*a].image.cmp(&self.made[*b].image));
        positions.dedup_by(|a, b| self.made[*a].image == self.made[*b].image);
        positions
    }

    fn position(&mut self, image: ReportedImage<'_>, policy: &ReportPolicy) -> usize {
        *self.known.entry(image.place()).or_insert_with(|| {
            let image = image.to_entry(policy, &mut self.tag);
            write(&image, &mut self.json);
            let repeat = self.repeats.keep(self.json.as_bytes());
            self.made.push(Entry { image, repeat });
            self.made.len() - 1
        })
    }

    /// Writes an entry.
    pub(super) fn push(&mut self, position: usize, section: &mut Section) {
        let Entry { image, repeat } = &self.made[position];
        if let Some(repeat) = repeat {
            section.push_repeat(*repeat);
        } else {
            write(image, &mut self.json);
            section.push_bytes(self.json.as_bytes());
        }
    }

    /// For a body of what was written until now.
    pub(super) fn kept(&self) -> Kept {
        self.repeats.kept()
    }
}

/// Writes an entry as serde does.
fn write(ImageEntry { tag, repo_digest }: &ImageEntry, out: &mut Scratch) {
    out.clear();
    out.push(r#"{"tag":"#);
    out.push_text(tag);
    if let Some(digest) = repo_digest {
        out.push(r#","repoDigest":"#);
        out.push_text(digest.as_str());
    }
    out.push("}");
}
