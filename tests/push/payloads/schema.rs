//! The validators themselves: what they are there to refuse, they refuse.

use kai::views::PayloadForm;
use rstest::rstest;
use serde_json::{Value, json};

use super::cluster::{body, request, snapshot, web};
use crate::anchore_schema::violations;
use kai::snapshot::Event;

fn changed(form: PayloadForm, change: impl Fn(&mut Value)) -> Vec<String> {
    let mut body = body(request(&snapshot([Event::from(web("apps", "web-1"))]), form));
    assert!(violations(form, &body).is_empty(), "valid before the change");
    change(&mut body);
    violations(form, &body)
}

#[rstest]
#[case::null("/pods/0/node_uid", json!(null))]
#[case::unknown_field("/pods/0/phase", json!("Running"))]
#[case::upper_case_uuid("/pods/0/uid", json!("11111111-2222-4333-8444-AAAAAAAAAAAA"))]
#[case::no_uuid("/namespaces/0/uid", json!("apps"))]
#[case::blank_tag("/containers/0/image_tag", json!("  \t"))]
#[case::number("/namespaces/0/labels", json!({"a": 1}))]
#[case::no_time("/timestamp", json!("yesterday"))]
fn what_the_receiver_refuses_is_found(#[case] pointer: &str, #[case] value: Value) {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let found = changed(PayloadForm::KubernetesInventory, |body| {
        body.pointer_mut(parent).expect("an object")[key] = value.clone();
    });
    assert!(!found.is_empty(), "{pointer} = {value}");
}

#[rstest]
#[case::no_tag("/results/0/images/0", json!({}))]
#[case::empty_tag("/results/0/images/0/tag", json!(""))]
#[case::null("/results/0/images/0/repoDigest", json!(null))]
#[case::no_time("/timestamp", json!("2027-01-15"))]
fn what_no_report_may_say_is_found(#[case] pointer: &str, #[case] value: Value) {
    let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
    let found = changed(PayloadForm::Inventories, |body| match body.pointer_mut(parent).expect("a parent") {
        Value::Array(list) => list[key.parse::<usize>().expect("a position")] = value.clone(),
        parent => parent[key] = value.clone(),
    });
    assert!(!found.is_empty(), "{pointer} = {value}");
}
