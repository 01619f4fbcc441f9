//! What `kai where` looks for: what was typed, or what a file asks for. It joins; it does not scan.

use serde::Deserialize;
use serde_json::Value;

use super::purl::Purl;
use crate::inventory::{Digest, ImageRef, excerpt};
use crate::views::DigestPrefix;

/// One thing that may run: its digests where it has some, and else its names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What it is called in the answer.
    pub asked: String,
    /// Manifest digests, or their beginnings.
    pub digests: Vec<String>,
    /// References; looked for when there is no digest.
    pub images: Vec<String>,
}

/// A text that asks for nothing that kai could find.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotWanted {
    #[error("is empty")]
    Empty,
    #[error("line {line}: \"{text}\" is no digest, image reference or package URL of an image (pkg:oci/…)")]
    Line { line: usize, text: String },
    #[error("is JSON, but no report that kai reads: {0}; allowed are reports of Trivy, Grype and CycloneDX, and lines")]
    Report(String),
    #[error("names no image: {0}")]
    Nothing(&'static str),
}

impl Wanted {
    /// What a user types: a digest or at least 12 of its hex digits, a package URL, or an image reference.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let asked = text.to_owned();
        if let Some(purl) = Purl::parse(text) {
            let digests = purl.digest.iter().map(ToString::to_string).collect();
            return Some(Self { asked, digests, images: purl.image.into_iter().collect() });
        }
        if DigestPrefix::parse(text).is_some() {
            return Some(Self { asked, digests: vec![text.to_owned()], images: Vec::new() });
        }
        let is_image = ImageRef::parse(text).has_parts();
        is_image.then(|| Self { asked, digests: Vec::new(), images: vec![text.to_owned()] })
    }

    /// What a file asks for: a report of Trivy, Grype or CycloneDX in JSON, or lines.
    ///
    /// # Errors
    /// It is none of these, or names no image.
    pub fn read(bytes: &[u8]) -> Result<Vec<Self>, NotWanted> {
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return Err(NotWanted::Empty);
        }
        if text.starts_with(['{', '[']) {
            let report: Value =
                serde_json::from_str(text).map_err(|error| NotWanted::Report(format!("it is broken ({error})")))?;
            return of_report(report);
        }
        let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
        let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        let wanted = lines.map(|(line, text)| {
            Self::parse(text).ok_or_else(|| NotWanted::Line { line, text: excerpt(text).to_string() })
        });
        let wanted: Vec<Self> = wanted.collect::<Result<_, _>>()?;
        if wanted.is_empty() { Err(NotWanted::Empty) } else { Ok(wanted) }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CycloneDx {
    #[serde(default)]
    metadata: CycloneDxMetadata,
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Default, Deserialize)]
struct CycloneDxMetadata {
    component: Option<Component>,
}

#[derive(Deserialize)]
struct Component {
    #[serde(default)]
    name: String,
    version: Option<String>,
    purl: Option<String>,
    #[serde(rename = "type", default)]
    kind: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Trivy {
    artifact_name: String,
    #[serde(default)]
    artifact_type: String,
    #[serde(default)]
    metadata: TrivyMetadata,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TrivyMetadata {
    #[serde(default)]
    repo_digests: Vec<String>,
}

#[derive(Deserialize)]
struct Grype {
    source: GrypeSource,
}

#[derive(Deserialize)]
struct GrypeSource {
    #[serde(rename = "type")]
    kind: String,
    target: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GrypeImage {
    #[serde(default)]
    user_input: String,
    #[serde(default)]
    manifest_digest: String,
    #[serde(default)]
    repo_digests: Vec<String>,
}

fn of_report(report: Value) -> Result<Vec<Wanted>, NotWanted> {
    let broken = |error: serde_json::Error| NotWanted::Report(error.to_string());
    if report.get("bomFormat").is_some_and(|format| format == "CycloneDX") {
        return of_cyclonedx(serde_json::from_value(report).map_err(broken)?);
    }
    if report.get("ArtifactName").is_some() {
        let Trivy { artifact_name, artifact_type, metadata } = serde_json::from_value(report).map_err(broken)?;
        if artifact_type != "container_image" && metadata.repo_digests.is_empty() {
            return Err(NotWanted::Nothing("the report of Trivy is of no container image"));
        }
        return one(artifact_name, metadata.repo_digests.iter().filter_map(|text| digest_of(text)));
    }
    if report.get("matches").is_some() && report.get("source").is_some() {
        let Grype { source } = serde_json::from_value(report).map_err(broken)?;
        if source.kind != "image" {
            return Err(NotWanted::Nothing("the report of Grype is of no image"));
        }
        let image: GrypeImage = serde_json::from_value(source.target).map_err(broken)?;
        let digests = image.repo_digests.iter().filter_map(|text| digest_of(text));
        return one(image.user_input, digests.chain(Digest::parse(&image.manifest_digest)));
    }
    let keys = report.as_object().map(|object| object.keys().take(5).cloned().collect::<Vec<_>>().join(", "));
    Err(NotWanted::Report(match keys {
        Some(keys) => format!("its keys are {}", excerpt(&keys)),
        None => "it is a list".to_owned(),
    }))
}

fn of_cyclonedx(CycloneDx { metadata, components }: CycloneDx) -> Result<Vec<Wanted>, NotWanted> {
    let subject = metadata.component.into_iter();
    let wanted = subject.chain(components).filter_map(|component| {
        let mut wanted = component.purl.as_deref().and_then(|text| Purl::parse(text).and(Wanted::parse(text)));
        if wanted.is_none() && component.kind == "container" {
            let digest = component.version.as_deref().and_then(Digest::parse).map(|digest| digest.to_string());
            let image = match (&digest, &component.version) {
                (None, Some(tag)) if !component.name.contains(':') => format!("{}:{tag}", component.name),
                _ => component.name.clone(),
            };
            let images = if ImageRef::parse(&image).has_parts() { vec![image.clone()] } else { Vec::new() };
            let is_something = digest.is_some() || !images.is_empty();
            wanted = is_something.then_some(Wanted { asked: image, digests: digest.into_iter().collect(), images });
        }
        wanted
    });
    let wanted: Vec<Wanted> = wanted.collect();
    if wanted.is_empty() {
        Err(NotWanted::Nothing("the document has no component of type container"))
    } else {
        Ok(wanted)
    }
}

/// The image of a report, by its digests or else by its name.
fn one(name: String, digests: impl Iterator<Item = Digest>) -> Result<Vec<Wanted>, NotWanted> {
    let mut digests: Vec<String> = digests.map(|digest| digest.to_string()).collect();
    digests.sort();
    digests.dedup();
    let images = if ImageRef::parse(&name).has_parts() { vec![name.clone()] } else { Vec::new() };
    if digests.is_empty() && images.is_empty() {
        return Err(NotWanted::Nothing("the report has neither a digest nor a name of its image"));
    }
    Ok(vec![Wanted { asked: name, digests, images }])
}

/// The digest of `repository@digest`.
fn digest_of(text: &str) -> Option<Digest> {
    Digest::parse(text.rsplit_once('@').map_or(text, |(_, digest)| digest))
}
