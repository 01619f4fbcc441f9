//! Every parameter that filters: one table for HTTP, for its document, and for the flags of the command line.

use std::collections::BTreeSet;

use super::filter::{DigestPrefix, Filter, RepositoryName};
use super::flag::Flag;
use super::words::{KINDS, STATES};
use crate::inventory::ImageRef;

/// A parameter that filters: its name, what it means, an example, and its words where it has a fixed set.
pub struct FilterParam {
    pub name: &'static str,
    pub description: &'static str,
    pub example: &'static str,
    /// The values that there are; none where any text may be one.
    pub words: fn() -> Vec<&'static str>,
    /// Adds a value to the filter; an error says what is allowed.
    pub read: fn(&mut Filter, &str) -> Result<(), String>,
}

pub const FILTERS: [FilterParam; 11] = [
    FilterParam {
        name: "namespace",
        description: "Only this namespace.",
        example: "shop",
        words: Vec::new,
        read: |filter, text| plain(&mut filter.namespaces, text, "the name of a namespace"),
    },
    FilterParam {
        name: "registry",
        description: "Only images of this registry, `docker.io` for those that name none.",
        example: "quay.io",
        words: Vec::new,
        read: |filter, text| read_registry(&mut filter.registries, text),
    },
    FilterParam {
        name: "repository",
        description: "Only images of this repository: of any registry, or of the one that it begins with.",
        example: "acme/cart",
        words: Vec::new,
        read: |filter, text| {
            let name = RepositoryName::parse(text);
            read(&mut filter.repositories, name, "a repository without tag and digest, with or without a registry")
        },
    },
    FilterParam {
        name: "tag",
        description: "Only images with this tag, `latest` for those that have neither tag nor digest.",
        example: "1.25",
        words: Vec::new,
        read: |filter, text| plain(&mut filter.tags, text, "a tag"),
    },
    FilterParam {
        name: "digest",
        description: "Only images that run with, or pin, this manifest digest: `sha256:` and 64 hex digits, or the first 12 or more.",
        example: "sha256:b9b4fa9b3e13",
        words: Vec::new,
        read: |filter, text| {
            let digest = DigestPrefix::parse(text);
            read(&mut filter.digests, digest, "a manifest digest, or sha256: with its first 12 or more hex digits")
        },
    },
    FilterParam {
        name: "image",
        description: "Only this image, however it is spelled: a repository, with tag or digest or without.",
        example: "nginx:1.27",
        words: Vec::new,
        read: |filter, text| {
            let image = (!text.is_empty()).then(|| ImageRef::parse(text));
            read(&mut filter.images, image, "an image reference")
        },
    },
    FilterParam {
        name: "kind",
        description: "Only containers of this kind.",
        example: "container",
        words: || KINDS.map(|(_, word)| word).into(),
        read: |filter, text| {
            let kind = KINDS.iter().find(|(_, word)| *word == text).map(|(kind, _)| *kind);
            read(&mut filter.kinds, kind, &one_of(&KINDS.map(|(_, word)| word)))
        },
    },
    FilterParam {
        name: "state",
        description: "Only containers in this state.",
        example: "running",
        words: || STATES.map(|(_, word)| word).into(),
        read: |filter, text| {
            let state = STATES.iter().find(|(_, word)| *word == text).map(|(state, _)| *state);
            read(&mut filter.states, state, &one_of(&STATES.map(|(_, word)| word)))
        },
    },
    FilterParam {
        name: "owner",
        description: "Only pods of this workload: its name, or `KIND/NAME`.",
        example: "Deployment/web",
        words: Vec::new,
        read: |filter, text| plain(&mut filter.owners, text, "the name of a workload, or KIND/NAME"),
    },
    FilterParam {
        name: "node",
        description: "Only pods on this node.",
        example: "node-1",
        words: Vec::new,
        read: |filter, text| plain(&mut filter.nodes, text, "the name of a node"),
    },
    FilterParam {
        name: "flag",
        description: "Only what has this flag.",
        example: "floating-tag",
        words: || Flag::ALL.map(Flag::word).into(),
        read: |filter, text| read(&mut filter.flags, Flag::named(text), &one_of(&Flag::ALL.map(Flag::word))),
    },
];

fn read_registry(registries: &mut BTreeSet<String>, text: &str) -> Result<(), String> {
    let reference = ImageRef::parse(&format!("{text}/x"));
    let registry = reference.registry().filter(|_| reference.is_registry_written());
    read(registries, registry.map(str::to_owned), "a registry: a host, with its port if it has one")
}

fn plain(values: &mut BTreeSet<String>, text: &str, allowed: &str) -> Result<(), String> {
    // What stands for bytes that are not UTF-8 once decoded.
    let is_text = !text.is_empty() && !text.contains(char::REPLACEMENT_CHARACTER);
    read(values, is_text.then(|| text.to_owned()), allowed)
}

fn read<T: Ord>(values: &mut BTreeSet<T>, value: Option<T>, allowed: &str) -> Result<(), String> {
    values.insert(value.ok_or(allowed)?);
    Ok(())
}

fn one_of(words: &[&str]) -> String {
    words.join(" or ")
}
