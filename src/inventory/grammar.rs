//! The distribution reference grammar, and how a runtime fills in what a name leaves out.
//!
//! ```text
//! reference  = name [ ":" tag ] [ "@" digest ]
//! name       = [ host [ ":" port ] "/" ] path
//! host       = component *( "." component ) | "[" 1*( hex | ":" ) "]"
//! path       = element *( "/" element )
//! element    = alphanumeric *( separator alphanumeric )     separator = "_" | "." | "__" | 1*"-"
//! tag        = ( letter | digit | "_" ) *127( letter | digit | "_" | "." | "-" )
//! digest     = algorithm ":" 32*hex
//! ```
//!
//! A name whose first element is no host belongs to Docker Hub (`docker.io`), and one of a single element to `library/`
//! there. Everything is a byte scanner over `&str`: no regular expression, no allocation but for the answer.

use super::digest::DigestAlgorithm;

const HUB: &str = "docker.io";
const HUB_ALIAS: &str = "index.docker.io";
const OFFICIAL: &str = "library/";
/// The longest path, `library/` included, without the host.
const PATH_MAX: usize = 255;
const TAG_MAX: usize = 128;
const DIGEST_HEX_MIN: usize = 32;

/// Why a text is no image reference, by what the parser objects to first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum ReferenceError {
    #[error("empty")]
    Empty,
    /// An upper-case letter in the repository.
    #[error("uppercase")]
    Uppercase,
    #[error("format")]
    Format,
    /// A tag of more than 128 characters, else valid.
    #[error("tag-too-long")]
    TagTooLong,
    /// A path of more than 255 characters.
    #[error("name-too-long")]
    NameTooLong,
    /// 64 hex digits: an image ID, not a name.
    #[error("hex-identifier")]
    HexIdentifier,
    /// A digest that is well-formed, of an algorithm that runtimes do not know.
    #[error("digest-unsupported")]
    DigestUnsupported,
    /// A digest of a wrong length for its algorithm.
    #[error("digest-length")]
    DigestLength,
    /// A digest with upper-case hex digits or an upper-case algorithm.
    #[error("digest-format")]
    DigestFormat,
}

/// A valid reference, its parts borrowed where they stand in the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    /// The registry; empty when the first element looks like a host but is none (`a_b.example.com/x`).
    pub(super) domain: &'a str,
    /// Whether `library/` stands before `path` in canonical form.
    pub(super) official: bool,
    pub(super) path: &'a str,
    pub(super) tag: Option<&'a str>,
    pub(super) digest: Option<&'a str>,
    /// The text before tag and digest, as written.
    pub(super) name: &'a str,
    /// Whether the text names a registry itself.
    pub(super) registry_written: bool,
}

/// Reads a reference as a runtime would.
pub(super) fn parse(text: &str) -> Result<Parts<'_>, ReferenceError> {
    if text.is_empty() {
        return Err(ReferenceError::Empty);
    }
    if super::digest::is_bare_hex(text) {
        return Err(ReferenceError::HexIdentifier);
    }
    parse_pinned(text)
}

/// Reads a reference that a digest follows: 64 hex digits before one are a name.
pub(super) fn parse_pinned(text: &str) -> Result<Parts<'_>, ReferenceError> {
    let split = split_domain(text);
    let before_colon = split.remainder.split(':').next().unwrap_or_default();
    if !is_lower(before_colon) {
        return Err(ReferenceError::Uppercase);
    }
    let Some(grammar) = match_reference(&split) else {
        return Err(why_no_match(text, &split));
    };
    let suffix = grammar.tag.map_or(0, |tag| tag.len() + 1) + grammar.digest.map_or(0, |digest| digest.len() + 1);
    let name = &text[..text.len() - suffix];
    // A first element that looked like a host and is none belongs to the path: then there is no domain at all.
    let (domain, path) = if grammar.host_is_path { ("", name) } else { (split.domain, grammar.path) };
    let official_length = if split.official { OFFICIAL.len() } else { 0 };
    if path.len() + official_length > PATH_MAX {
        return Err(ReferenceError::NameTooLong);
    }
    if let Some(digest) = grammar.digest {
        check_digest(digest)?;
    }
    Ok(Parts {
        domain,
        official: split.official,
        path,
        tag: grammar.tag,
        digest: grammar.digest,
        name,
        registry_written: split.written,
    })
}

/// A text cut where its registry ends.
#[derive(Clone, Copy)]
struct Split<'a> {
    domain: &'a str,
    official: bool,
    /// What follows the domain; with an unwritten domain the whole text.
    remainder: &'a str,
    written: bool,
}

/// The first element is a registry when it looks like a host: `localhost`, a dot, a colon, or an upper-case letter,
/// which no repository may have.
fn split_domain(text: &str) -> Split<'_> {
    let hub = |remainder: &str| !remainder.contains('/');
    match text.split_once('/') {
        Some((first, rest)) if first == HUB || first == HUB_ALIAS => {
            Split { domain: HUB, official: hub(rest), remainder: rest, written: true }
        }
        Some((first, rest)) if first == "localhost" || first.contains(['.', ':']) || !is_lower(first) => {
            Split { domain: first, official: false, remainder: rest, written: true }
        }
        _ => Split { domain: HUB, official: hub(text), remainder: text, written: false },
    }
}

struct Match<'a> {
    /// The first element is no host, but a path may begin with it.
    host_is_path: bool,
    path: &'a str,
    tag: Option<&'a str>,
    digest: Option<&'a str>,
}

/// Holds domain and remainder against the grammar. The path may be read with the domain as its first elements when
/// that is no host, as the grammar's host is optional.
fn match_reference<'a>(split: &Split<'a>) -> Option<Match<'a>> {
    let (rest, digest) = match split.remainder.split_once('@') {
        Some((rest, digest)) if is_digest(digest) => (rest, Some(digest)),
        Some(_) => return None,
        None => (split.remainder, None),
    };
    let (path, tag) = match rest.split_once(':') {
        Some((path, tag)) if is_tag(tag) => (path, Some(tag)),
        Some(_) => return None,
        None => (rest, None),
    };
    if !is_path(path) {
        return None;
    }
    let host_is_path = !is_domain(split.domain);
    (!host_is_path || is_path(split.domain)).then_some(Match { host_is_path, path, tag, digest })
}

/// What to call a text that the grammar does not have.
fn why_no_match(text: &str, split: &Split<'_>) -> ReferenceError {
    let lowered: String = format!("{}/{}{}", split.domain, if split.official { OFFICIAL } else { "" }, split.remainder)
        .chars()
        .map(lower)
        .collect();
    if matches_raw(&lowered) {
        return ReferenceError::Uppercase;
    }
    match with_tag_cut(text) {
        Some(shorter) if parse(&shorter).is_ok() => ReferenceError::TagTooLong,
        _ => ReferenceError::Format,
    }
}

/// Whether a text is of the grammar as it stands, nothing filled in.
fn matches_raw(text: &str) -> bool {
    let (first, remainder) = text.split_once('/').unwrap_or(("", text));
    let split = Split { domain: first, official: false, remainder, written: true };
    match_reference(&split).is_some()
}

/// The text with its tag cut to 128 characters, when it has a longer one.
fn with_tag_cut(text: &str) -> Option<String> {
    let (rest, digest) = text.split_once('@').map_or((text, ""), |(rest, digest)| (rest, digest));
    let (name, tag) = rest.rsplit_once(':')?;
    if tag.contains('/') || tag.len() <= TAG_MAX || !tag.is_char_boundary(TAG_MAX) || !tag.bytes().all(is_tag_byte) {
        return None;
    }
    let at = if digest.is_empty() { "" } else { "@" };
    Some(format!("{name}:{}{at}{digest}", &tag[..TAG_MAX]))
}

fn is_domain(text: &str) -> bool {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let Some((address, after)) = rest.split_once(']') else { return false };
        if address.is_empty() || !address.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':') {
            return false;
        }
        match after.strip_prefix(':') {
            Some(port) => ("", Some(port)),
            None if after.is_empty() => return true,
            None => return false,
        }
    } else {
        match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    let port_valid = port.is_none_or(|port| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
    port_valid && (text.starts_with('[') || host.split('.').all(is_host_component))
}

fn is_host_component(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_path(text: &str) -> bool {
    text.split('/').all(is_path_element)
}

fn is_path_element(text: &str) -> bool {
    let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut rest = text.as_bytes();
    loop {
        let run = rest.iter().take_while(|byte| alphanumeric(byte)).count();
        if run == 0 {
            return false;
        }
        rest = &rest[run..];
        rest = match rest {
            [] => return true,
            [b'_', b'_', ..] => &rest[2..],
            [b'.' | b'_', ..] => &rest[1..],
            [b'-', ..] => &rest[rest.iter().take_while(|byte| **byte == b'-').count()..],
            _ => return false,
        };
    }
}

fn is_tag_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-')
}

fn is_tag(text: &str) -> bool {
    text.len() <= TAG_MAX && !text.is_empty() && !text.starts_with(['.', '-']) && text.bytes().all(is_tag_byte)
}

/// A digest by the reference grammar, whatever its algorithm.
fn is_digest(text: &str) -> bool {
    let Some((algorithm, hex)) = text.split_once(':') else { return false };
    hex.len() >= DIGEST_HEX_MIN
        && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
        && algorithm.split(['-', '_', '+', '.']).all(|component| {
            component.starts_with(|first: char| first.is_ascii_alphabetic())
                && component.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

/// A digest that the grammar has, held against what runtimes know.
fn check_digest(text: &str) -> Result<(), ReferenceError> {
    let (name, hex) = text.split_once(':').unwrap_or((text, ""));
    match DigestAlgorithm::of_name(name).hex_length() {
        None if name.bytes().any(|byte| byte.is_ascii_uppercase()) => Err(ReferenceError::DigestFormat),
        None => Err(ReferenceError::DigestUnsupported),
        Some(length) if hex.len() != length => Err(ReferenceError::DigestLength),
        Some(_) if hex.bytes().any(|byte| byte.is_ascii_uppercase()) => Err(ReferenceError::DigestFormat),
        Some(_) => Ok(()),
    }
}

/// Unicode's simple lower case: one character for one, as the grammar's own parser maps them (`İ` becomes `i`).
fn lower(character: char) -> char {
    character.to_lowercase().next().unwrap_or(character)
}

fn is_lower(text: &str) -> bool {
    text.chars().all(|character| lower(character) == character)
}
