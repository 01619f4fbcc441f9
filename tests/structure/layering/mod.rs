//! Holds the code to the module table: who may speak of whom, and which outside crates are whose.

mod source;
mod table;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use self::source::named;
use self::table::{ALONE, Imports, MODULES, Module, Outside};
use rstest::rstest;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every source file with its place: `["http", "cache"]` for `src/http/cache.rs`.
fn sources() -> Vec<(Vec<String>, String)> {
    let src = root().join("src");
    let (mut folders, mut found) = (vec![src.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of src") {
            let path = entry.expect("an entry of src").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("UTF-8");
                found.push((place(path.strip_prefix(&src).expect("below src")), text));
            }
        }
    }
    found.sort();
    found
}

fn place(path: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        path.with_extension("").iter().map(|name| name.to_string_lossy().into_owned()).collect();
    if names.last().is_some_and(|name| name == "mod") {
        names.pop();
    }
    names
}

/// The modules that `src/lib.rs` declares.
fn declared(lib: &str) -> BTreeSet<String> {
    let names = lib.lines().filter_map(|line| line.strip_prefix("pub mod ").or_else(|| line.strip_prefix("mod ")));
    names.map(|name| name.trim_end_matches(';').to_owned()).collect()
}

/// A file that no module declares is not compiled, and nobody notices that it is dead.
#[test]
fn every_source_file_is_declared_by_its_module() {
    let sources = sources();
    for (place, _) in
        sources.iter().filter(|(place, _)| !matches!(place.as_slice(), [file] if file == "lib" || file == "main"))
    {
        let (name, parent) = place.split_last().expect("a name");
        let parent: Vec<String> = if parent.is_empty() { vec!["lib".to_owned()] } else { parent.to_vec() };
        let (_, text) = sources.iter().find(|(other, _)| *other == parent).expect("the module of a folder");
        let is_declared = text.contains(&format!("mod {name};")) || text.contains(&format!("\"{name}.rs\""));
        assert!(is_declared, "src/{}.rs is declared by no module: delete it, or declare it", place.join("/"));
    }
}

/// The outside crates that the package may use, as sources name them.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let table = manifest.split("\n[").find_map(|table| table.strip_prefix("dependencies]")).expect("[dependencies]");
    let keys = table.lines().filter_map(|line| line.split_once('=')).map(|(key, _)| key.trim());
    keys.map(|key| key.replace('-', "_")).collect()
}

/// Unit tests in files of their own.
const TESTS: [&str; 2] = ["tests", "properties"];

/// What a source names and may not; `None` for a module that the table does not have.
fn violations(
    place: &[&str],
    source: &str,
    modules: &BTreeSet<String>,
    crates: &BTreeSet<String>,
) -> Option<Vec<String>> {
    let name = place.first()?;
    let Module { imports, outside, .. } = MODULES.iter().find(|module| module.name == *name)?;
    let named = named(place, source);
    let may_import = |other: &str| match imports {
        _ if other == "testing" => place.iter().any(|part| TESTS.contains(part)),
        Imports::Only(allowed) => allowed.contains(&other),
        Imports::EverythingBut(forbidden) => !forbidden.contains(&other),
    };
    let may_use = |outer: &str| match outside {
        Outside::Only(allowed) => allowed.contains(&outer),
        Outside::NotKept => ALONE.iter().all(|(kept, owners)| *kept != outer || owners.contains(name)),
    };
    let here = place.join("/");
    let modules = named.modules.iter().filter(|other| modules.contains(*other) && other != name && !may_import(other));
    let modules = modules.map(|other| format!("{here} imports {other}"));
    let crates = named.roots.iter().filter(|outer| crates.contains(*outer) && !may_use(outer));
    let crates = crates.map(|outer| format!("{here} uses the crate {outer}"));
    Some(modules.chain(crates).collect())
}

#[test]
fn every_source_keeps_to_the_module_table() {
    let modules = declared(&fs::read_to_string(root().join("src/lib.rs")).expect("src/lib.rs"));
    let crates = dependencies(&fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml"));
    let sources = sources();
    assert!(sources.len() > 30, "the sources were not found");
    let mut found = Vec::new();
    for (place, text) in sources.iter().filter(|(place, _)| *place != ["lib"]) {
        let place: Vec<&str> = place.iter().map(String::as_str).collect();
        match violations(&place, text, &modules, &crates) {
            Some(violations) => found.extend(violations),
            None => found.push(format!("{} is not in the module table", place.join("/"))),
        }
    }
    assert!(found.is_empty(), "{found:#?}\nchange the code, or the table with the reason in docs/ARCHITECTURE.md");
}

#[test]
fn every_declared_module_is_in_the_table() {
    let declared = declared(&fs::read_to_string(root().join("src/lib.rs")).expect("src/lib.rs"));
    let known: BTreeSet<String> = MODULES.iter().map(|module| module.name.to_owned()).collect();
    let unknown: Vec<_> = declared.difference(&known).collect();
    assert!(unknown.is_empty(), "{unknown:?} are not in the module table");
    assert!(declared.contains("inventory") && declared.contains("cli"), "the declarations were not found");
}

#[test]
fn every_kept_crate_is_a_dependency() {
    let crates = dependencies(&fs::read_to_string(root().join("Cargo.toml")).expect("Cargo.toml"));
    let missing: Vec<_> = ALONE.iter().map(|(name, _)| *name).filter(|name| !crates.contains(*name)).collect();
    assert!(missing.is_empty(), "{missing:?}: misspelt, or gone from Cargo.toml");
}

#[rstest]
#[case::by_use(&["views"], "use crate::http::Router;", &["views imports http"])]
#[case::in_full(&["views"], "fn f() { crate::http::serve() }", &["views imports http"])]
#[case::in_a_group(&["views", "csv"], "use crate::{snapshot::Event, http::{self, Router}};", &["views/csv imports http"])]
#[case::in_a_nested_group(&["views"], "use crate::{snapshot::{Event, hash::X}, feed::F};", &["views imports feed"])]
#[case::by_super(&["views", "csv"], "use super::super::http::Router;", &["views/csv imports http"])]
#[case::by_super_of_the_root(&["views"], "use super::http;", &["views imports http"])]
#[case::by_super_in_an_inline_module(&["views"], "mod inner { use super::super::http; }", &["views imports http"])]
#[case::behind_an_inline_module(&["views"], "mod tests { fn f() {} } use super::http;", &["views imports http"])]
#[case::after_a_text_with_a_quote(&["views"], "const A: char = '\"'; use crate::http;", &["views imports http"])]
#[case::after_a_raw_text(&["views"], "const A: &str = r#\"a\"b\"#; use crate::http;", &["views imports http"])]
#[case::after_a_lifetime(&["views"], "fn f<'a>(a: &'a str) { crate::http::g(a) }", &["views imports http"])]
#[case::in_an_attribute(&["inventory"], "#[derive(kube::CustomResource)] struct A;", &["inventory uses the crate kube"])]
#[case::absolute(&["output"], "use ::axum::Router;", &["output uses the crate axum"])]
#[case::kept_for_another(&["collector"], "use moka::sync::Cache;", &["collector uses the crate moka"])]
#[case::not_pure(&["snapshot"], "use tokio::sync::watch;", &["snapshot uses the crate tokio"])]
#[case::wiring_of_each_other(&["serve"], "use crate::{once, cluster};", &["serve imports once"])]
#[case::the_binary(&["main"], "use kai::cluster::Client;", &["main imports cluster"])]
#[case::an_invented_cluster(&["cli"], "use crate::testing::pod;", &["cli imports testing"])]
#[case::an_invented_cluster_in_a_test(&["push", "tests"], "use crate::testing::pod;", &[])]
#[case::allowed(&["views"], "use crate::snapshot::Event; use serde::Serialize;", &[])]
#[case::itself(&["views", "csv"], "use crate::views::images; use super::images::A;", &[])]
#[case::super_of_its_own(&["views", "csv"], "mod inner { use super::super::http; }", &[])]
#[case::in_a_unit_test(&["views"], "mod tests { use crate::http; fn f() {} }", &[])]
#[case::in_a_comment(&["views"], "// crate::http\n/* crate::http /* */ crate::http */ /// [`crate::http`]\n", &[])]
#[case::in_a_text(&["views"], "const A: &str = \"crate::http \\\" crate::http\";", &[])]
#[case::a_field_and_a_method(&["views"], "fn f() { a.axum::<u8>(); a.http.b() }", &[])]
#[case::a_path_in_the_middle(&["views"], "fn f() { x::axum::y() }", &[])]
#[case::visibility(&["views"], "pub(crate) fn f() {} pub(super) fn g() {}", &[])]
fn violations_are_found(#[case] place: &[&str], #[case] source: &str, #[case] expected: &[&str]) {
    let modules = MODULES.iter().map(|module| module.name.to_owned()).collect();
    let crates = ["axum", "kube", "moka", "serde", "tokio"].map(String::from).into();
    assert_eq!(
        violations(place, source, &modules, &crates).as_deref(),
        Some(&*expected.to_vec().iter().map(ToString::to_string).collect::<Vec<_>>())
    );
}

#[test]
fn an_unknown_module_is_told() {
    assert_eq!(violations(&["surprise"], "", &BTreeSet::new(), &BTreeSet::new()), None);
}
