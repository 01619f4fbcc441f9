//! An image reference as it was written, with what the grammar makes of it.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use super::digest::{Digest, DigestAlgorithm};
use super::grammar::{self, ReferenceError};

/// The tag that a runtime takes when a reference has neither tag nor digest.
const LATEST: &str = "latest";

/// An image reference: the text as written, and its parts when it has any.
///
/// Source: `spec…containers[].image`, `spec.volumes[].image.reference`, or a name that a node reports. A text that
/// does not parse is kept with the reason ([`ImageRef::problem`]); nothing is lost, nothing is made up.
#[derive(Debug, Clone)]
pub struct ImageRef {
    written: Box<str>,
    parsed: Result<Parsed, ReferenceError>,
}

/// All else follows from the text.
impl Ord for ImageRef {
    fn cmp(&self, other: &Self) -> Ordering {
        self.written.cmp(&other.written)
    }
}

impl PartialOrd for ImageRef {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for ImageRef {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl Eq for ImageRef {}

impl Hash for ImageRef {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.written.hash(state);
    }
}

#[derive(Debug, Clone)]
struct Parsed {
    registry: Box<str>,
    repository: Box<str>,
    /// Length of the name as written, before tag and digest.
    name_length: usize,
    tag: Option<Box<str>>,
    digest: Option<Digest>,
    registry_written: bool,
    /// The digest is of an algorithm that no runtime takes: the text is no valid reference, its parts are plain.
    unsupported: bool,
}

impl ImageRef {
    /// Reads a reference. Never fails: a text that is none is kept as it stands.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let parsed = grammar::parse(text)
            .map(|parts| {
                let digest = parts.digest.and_then(Digest::parse);
                Parsed::new(&parts, digest, false)
            })
            .or_else(|problem| with_unsupported_digest(text).ok_or(problem));
        Self { written: text.into(), parsed }
    }

    /// The text as written.
    #[must_use]
    pub fn written(&self) -> &str {
        &self.written
    }

    /// Why a runtime would not take the text; `None` when it would.
    #[must_use]
    pub fn problem(&self) -> Option<ReferenceError> {
        match &self.parsed {
            Err(problem) => Some(*problem),
            // What the grammar's own parser says first of an unsupported digest depends on its length and alphabet.
            Ok(parsed) if parsed.unsupported => grammar::parse(&self.written).err(),
            Ok(_) => None,
        }
    }

    /// Whether the text has parts: it is valid, or only the algorithm of its digest is unknown.
    #[must_use]
    pub fn has_parts(&self) -> bool {
        self.parsed.is_ok()
    }

    /// Whether the text pins a digest of an algorithm that no runtime takes.
    #[must_use]
    pub fn is_digest_unsupported(&self) -> bool {
        self.parsed.as_ref().is_ok_and(|parsed| parsed.unsupported)
    }

    /// The registry in canonical form, `docker.io` when none is written. Empty when the first element looks like a host
    /// but is none. `None` when the text has no parts.
    #[must_use]
    pub fn registry(&self) -> Option<&str> {
        self.parsed.as_ref().ok().map(|parsed| &*parsed.registry)
    }

    /// The repository in canonical form, `library/` included.
    #[must_use]
    pub fn repository(&self) -> Option<&str> {
        self.parsed.as_ref().ok().map(|parsed| &*parsed.repository)
    }

    /// Whether the text itself names a registry.
    #[must_use]
    pub fn is_registry_written(&self) -> bool {
        self.parsed.as_ref().is_ok_and(|parsed| parsed.registry_written)
    }

    /// The name as written: everything before tag and digest. The whole text when it has no parts.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.parsed {
            Ok(parsed) => &self.written[..parsed.name_length],
            Err(_) => &self.written,
        }
    }

    /// The tag: the written one, else `latest` when there is no digest either.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        let parsed = self.parsed.as_ref().ok()?;
        parsed.tag.as_deref().or(if parsed.digest.is_none() { Some(LATEST) } else { None })
    }

    /// The name and the tag as written, without a digest behind them; `None` when no tag is written.
    #[must_use]
    pub fn written_with_tag(&self) -> Option<&str> {
        let parsed = self.parsed.as_ref().ok()?;
        let tag = parsed.tag.as_ref()?;
        self.written.get(..parsed.name_length + ":".len() + tag.len())
    }

    /// Whether [`ImageRef::tag`] is `latest` because neither tag nor digest is written.
    #[must_use]
    pub fn is_tag_implied(&self) -> bool {
        self.parsed.as_ref().is_ok_and(|parsed| parsed.tag.is_none() && parsed.digest.is_none())
    }

    /// The digest that the text pins.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        self.parsed.as_ref().ok().and_then(|parsed| parsed.digest.as_ref())
    }

    /// Registry and repository, `docker.io/library/nginx`; the raw text when it has no parts. Two spellings of one
    /// repository give the same name.
    #[must_use]
    pub fn canonical_name(&self) -> Cow<'_, str> {
        match &self.parsed {
            Ok(parsed) if parsed.registry.is_empty() => Cow::Borrowed(&parsed.repository),
            Ok(parsed) => Cow::Owned(format!("{}/{}", parsed.registry, parsed.repository)),
            Err(_) => Cow::Borrowed(&self.written),
        }
    }

    /// Whether both name the same repository, however each is spelled.
    #[must_use]
    pub fn is_same_repository(&self, other: &Self) -> bool {
        self.has_parts()
            && other.has_parts()
            && self.registry() == other.registry()
            && self.repository() == other.repository()
    }
}

/// The full form: canonical name with the tag and digest that were written, no `latest` added.
impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(parsed) = &self.parsed else { return f.write_str(&self.written) };
        f.write_str(&self.canonical_name())?;
        if let Some(tag) = &parsed.tag {
            write!(f, ":{tag}")?;
        }
        parsed.digest.as_ref().map_or(Ok(()), |digest| write!(f, "@{digest}"))
    }
}

impl Parsed {
    fn new(parts: &grammar::Parts<'_>, digest: Option<Digest>, unsupported: bool) -> Self {
        let repository = if parts.official { format!("library/{}", parts.path).into() } else { parts.path.into() };
        Self {
            registry: parts.domain.into(),
            repository,
            name_length: parts.name.len(),
            tag: parts.tag.map(Into::into),
            digest,
            registry_written: parts.registry_written,
            unsupported,
        }
    }
}

/// `name[:tag]@algorithm:encoded` with an algorithm that is none of the three that runtimes know.
fn with_unsupported_digest(text: &str) -> Option<Parsed> {
    let (before, after) = text.split_once('@')?;
    let digest = Digest::parse(after).filter(|digest| digest.algorithm() == DigestAlgorithm::Unsupported)?;
    let parts = grammar::parse_pinned(before).ok()?;
    Some(Parsed::new(&parts, Some(digest), true))
}
