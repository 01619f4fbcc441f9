//! The OpenAPI documents in the repository are the ones that the code makes. `make openapi` writes them.

use std::collections::BTreeSet;
use std::path::Path;

use rstest::rstest;
use serde_json::Value;

/// Set by `make openapi`: write the documents instead of comparing them.
const WRITE: &str = "KAI_WRITE_OPENAPI";

fn document() -> Value {
    serde_json::to_value(kai::http::openapi()).expect("json")
}

#[rstest]
#[case::json("openapi/openapi.json", kai::http::openapi().to_pretty_json().expect("json") + "\n")]
#[case::yaml("openapi/openapi.yaml", kai::http::openapi().to_yaml().expect("yaml"))]
fn the_documents_in_the_repository_are_up_to_date(#[case] path: &str, #[case] expected: String) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os(WRITE).is_some_and(|value| value == "1") {
        std::fs::write(&file, &expected).expect("write");
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(found == expected, "{path} is not what the code makes; run `make openapi` and commit it");
}

/// Every `$ref` of a value, at any depth.
fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn every_reference_leads_to_a_component() {
    let document = document();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 10, "{found:?}");
    for reference in found {
        let pointer = reference.strip_prefix('#').expect("a reference inside of the document");
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

/// Every operation with its path.
fn operations(document: &Value) -> Vec<(&str, &Value)> {
    let paths = document["paths"].as_object().expect("paths");
    paths
        .iter()
        .flat_map(|(path, item)| item.as_object().expect("item").values().map(move |one| (&**path, one)))
        .collect()
}

#[test]
fn every_operation_has_an_id_a_summary_a_description_and_its_failures() {
    let document = document();
    let operations = operations(&document);
    let ids: BTreeSet<_> =
        operations.iter().map(|(_, operation)| operation["operationId"].as_str().expect("id")).collect();
    let expected = [
        "get_docs",
        "get_health",
        "get_inventory",
        "get_liveness",
        "get_metrics",
        "get_openapi",
        "get_openapi_yaml",
        "get_problem_types",
        "get_readiness",
        "get_root",
        "list_changes",
        "list_containers",
        "list_images",
        "list_namespace_images",
        "list_namespaces",
        "list_registries",
        "get_image",
        "list_repositories",
        "get_history",
        "list_history",
        "list_in_use",
        "list_clusters",
    ];
    assert_eq!(ids, BTreeSet::from(expected));
    for (path, operation) in operations {
        for field in ["summary", "description"] {
            assert!(operation[field].as_str().is_some_and(|text| !text.is_empty()), "{path} {field}");
        }
        let responses = operation["responses"].as_object().expect("responses");
        for status in ["400", "405", "413", "414", "421", "431", "500", "504"] {
            assert!(responses.contains_key(status), "{path} {status}");
        }
    }
}

#[test]
fn every_response_with_a_body_has_a_schema_and_an_example() {
    let document = document();
    for (path, operation) in operations(&document) {
        for (status, response) in operation["responses"].as_object().expect("responses") {
            let response = match response["$ref"].as_str() {
                Some(reference) => document.pointer(reference.trim_start_matches('#')).expect("reference"),
                None => response,
            };
            assert!(response["description"].as_str().is_some_and(|text| !text.is_empty()), "{path} {status}");
            for (kind, content) in response["content"].as_object().into_iter().flatten() {
                let has_example = content.get("example").is_some() || content.get("examples").is_some();
                assert!(has_example && content.get("schema").is_some(), "{path} {status} {kind}");
            }
        }
    }
}

#[test]
fn every_field_of_every_schema_is_described() {
    let document = document();
    for (name, schema) in document["components"]["schemas"].as_object().expect("schemas") {
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            let is_described = |schema: &Value| schema.get("description").is_some() || schema.get("$ref").is_some();
            // One that may be null is described beside its type.
            let or_null = property["oneOf"].as_array().is_some_and(|all| all.iter().any(is_described));
            assert!(is_described(property) || or_null, "{name}.{field}");
        }
    }
}
