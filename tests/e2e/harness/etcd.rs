//! etcd itself, through its JSON gateway.

use std::fs;

use serde_json::{Value, json};

use super::http::request;
use super::plane::ControlPlane;

/// Makes every continue token that was given out so far expire: writes something, so that the revision rises, and
/// forgets all revisions before.
pub(crate) fn compact(plane: &ControlPlane) {
    let url = fs::read_to_string(plane.dir.join("etcd.url")).expect("the address is written down");
    let address = url.trim().trim_start_matches("http://").to_owned();
    let call = |path: &str, body: &Value| {
        let answer = request(&address, "POST", path, &body.to_string()).expect("etcd answers");
        assert_eq!(answer.status, 200, "etcd: {answer:?}");
        answer.json()
    };
    let written = call("/v3/kv/put", &json!({"key": "ZTJl", "value": "ZTJl"}));
    let revision = written["header"]["revision"].as_str().expect("a revision");
    call("/v3/kv/compaction", &json!({"revision": revision}));
}
