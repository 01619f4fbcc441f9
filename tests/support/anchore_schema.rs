//! Holds a body to what the receiver takes, by a real validator: against schemas of the project's own, and against the
//! receiver's own description where a copy of it stands beside the checkout (`../shared/anchore/`). It is not ours to keep.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::LazyLock;

use jsonschema::Validator;
use kai::views::PayloadForm;
use serde_json::{Value, json};

static INVENTORIES: LazyLock<Vec<(String, Validator)>> = LazyLock::new(|| {
    let own = include_str!("../data/inventories.schema.json");
    validators("inventories.schema.json", own, "enterprise-api-v1.yaml", "definitions", "/definitions/InventoryReport")
});

static KUBERNETES_INVENTORY: LazyLock<Vec<(String, Validator)>> = LazyLock::new(|| {
    let own = include_str!("../data/kubernetes-inventory.schema.json");
    let schema = "/components/schemas/KubernetesInventory";
    validators("kubernetes-inventory.schema.json", own, "enterprise-api-v2.yaml", "components", schema)
});

/// Panics with every violation when the receiver would not take the body.
pub(crate) fn assert_valid(form: PayloadForm, body: &Value) {
    let found = violations(form, body);
    assert!(found.is_empty(), "{}\nin {body:#}", found.join("\n"));
}

/// What a receiver would say against the body.
pub(crate) fn violations(form: PayloadForm, body: &Value) -> Vec<String> {
    let validators = match form {
        PayloadForm::Inventories => &INVENTORIES,
        PayloadForm::KubernetesInventory => &KUBERNETES_INVENTORY,
    };
    let found = |(name, validator): &(String, Validator)| {
        let errors = validator.iter_errors(body).map(|error| format!("{name}: {}: {error}", error.instance_path()));
        errors.collect::<Vec<_>>()
    };
    validators.iter().flat_map(found).collect()
}

/// The validators of one form: our own schema, and the part of the description at `pointer`, whose references are all
/// below its key `root`.
fn validators(own_name: &str, own: &str, description: &str, root: &str, pointer: &str) -> Vec<(String, Validator)> {
    let own = compile(&serde_json::from_str(own).expect("a schema of our own is JSON"));
    let mut validators = vec![(own_name.to_owned(), own)];
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/anchore").join(description);
    match fs::read_to_string(&path) {
        Ok(text) => {
            let mut document: Value = serde_saphyr::from_str(&text).expect("a description is YAML");
            let schema = json!({ "$ref": format!("#{pointer}"), root: document[root].take() });
            validators.push((description.to_owned(), compile(&schema)));
        }
        // Past the capture of tests: whoever reads the log is to know what was not checked.
        Err(_) => writeln!(
            io::stdout(),
            "note: {description} is not beside the checkout (../shared/anchore/): bodies are held to our own schema alone"
        )
        .expect("stdout"),
    }
    validators
}

fn compile(schema: &Value) -> Validator {
    jsonschema::options().should_validate_formats(true).build(schema).expect("a JSON schema")
}
