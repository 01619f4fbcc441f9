//! What has arrived at a receiver, every body of it held to what Anchore takes.

use std::io::{self, Write as _};
use std::path::Path;
use std::sync::LazyLock;

use jsonschema::Validator;
use kai::views::PayloadForm;
use serde_json::{Value, json};

use crate::anchore_schema;
use crate::fake_anchore::server::{FakeAnchore, Received};

const DESCRIPTION: &str = "enterprise-api-v2.yaml";

/// Schemas of a registration and of a health report, where the receiver's description stands beside the checkout.
static INTEGRATION: LazyLock<Option<(Validator, Validator)>> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/anchore").join(DESCRIPTION);
    let Ok(text) = std::fs::read_to_string(path) else {
        let note =
            "is not beside the checkout (../shared/anchore/): registrations and health reports are held to assertions";
        // Past the capture of tests: whoever reads the log is to know what was not checked.
        writeln!(io::stdout(), "note: {DESCRIPTION} {note} of our own alone").expect("stdout");
        return None;
    };
    let mut document: Value = serde_saphyr::from_str(&text).unwrap();
    let components = document["components"].take();
    let validator = |name: &str| {
        let schema = json!({"$ref": format!("#/components/schemas/{name}"), "components": components.clone()});
        jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
    };
    Some((validator("IntegrationRegister"), validator("HealthReport")))
});

/// Everything that arrived, as `METHOD PATH ACCOUNT USER`, sorted: accounts do not wait for one another.
pub(crate) fn lines(anchore: &FakeAnchore) -> Vec<String> {
    let mut lines: Vec<String> = all(anchore)
        .iter()
        .map(|Received { method, path, account, user, .. }| {
            let named = |name: &Option<String>| name.clone().unwrap_or_else(|| "-".to_owned());
            format!("{method} {path} {} {}", named(account), named(user))
        })
        .collect();
    lines.sort();
    lines
}

/// Everything that arrived, in its order.
pub(crate) fn all(anchore: &FakeAnchore) -> Vec<Received> {
    let received = anchore.received();
    for received in &received {
        assert_valid(received);
    }
    received
}

/// What arrived of inventories.
pub(crate) fn inventories(anchore: &FakeAnchore) -> Vec<Received> {
    all(anchore).into_iter().filter(|received| received.path.ends_with("inventory")).collect()
}

fn assert_valid(received: &Received) {
    let Received { method, path, .. } = received;
    if method == "GET" {
        assert_eq!((path.as_str(), received.body.len()), ("/version", 0));
        return;
    }
    assert_eq!(received.header("content-type"), "application/json");
    let body = received.json();
    match path.rsplit('/').next().unwrap() {
        "kubernetes-inventory" => anchore_schema::assert_valid(PayloadForm::KubernetesInventory, &body),
        "inventories" => anchore_schema::assert_valid(PayloadForm::Inventories, &body),
        "registration" => assert_registration(&body),
        "health-report" => assert_health_report(&body),
        other => panic!("nothing of kai's goes there: {other}"),
    }
}

fn assert_registration(body: &Value) {
    for member in ["registration_id", "registration_instance_id", "username"] {
        assert!(body[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {body:#}");
    }
    assert_common(body, body);
    if let Some((registration, _)) = &*INTEGRATION {
        assert_follows(registration, body);
    }
}

fn assert_health_report(body: &Value) {
    assert!(body["uuid"].as_str().is_some_and(|uuid| uuid::Uuid::parse_str(uuid).is_ok()), "{body:#}");
    assert_eq!((&body["protocol_version"], &body["health_data"]["version"]), (&json!(1), &json!(1)));
    assert_common(body, &body["health_data"]);
    for (account, report) in body["health_data"]["account_k8s_inventory_reports"].as_object().unwrap() {
        assert_eq!(report["account_name"], account.as_str());
        let batches = report["batches"].as_array().unwrap();
        assert!(report["batch_size"].as_u64().unwrap() >= batches.len().max(1) as u64, "{report:#}");
        assert!(report["last_successful_index"].as_i64().is_some_and(|index| index == -1 || index >= 1), "{report:#}");
        assert!(report["has_errors"].is_boolean() && report["sent_as_user"].is_string(), "{report:#}");
        for (batch, index) in batches.iter().zip(1..) {
            assert_eq!(batch["batch_index"], index);
            assert!(batch["send_timestamp"].is_string(), "{report:#}");
        }
    }
    if let Some((_, health_report)) = &*INTEGRATION {
        assert_follows(health_report, body);
    }
}

/// What both have.
fn assert_common(body: &Value, typed: &Value) {
    assert_eq!(typed["type"], "k8s_inventory_agent");
    assert!(body["health_report_interval"].as_u64().is_some_and(|seconds| (30..=600).contains(&seconds)), "{body:#}");
    assert!(body["uptime"].as_f64().is_some_and(|seconds| seconds >= 0.0), "{body:#}");
}

fn assert_follows(validator: &Validator, body: &Value) {
    let violations = validator.iter_errors(body).map(|error| format!("{}: {error}", error.instance_path()));
    let violations: Vec<String> = violations.collect();
    assert!(violations.is_empty(), "{DESCRIPTION}: {violations:#?} in {body:#}");
}
