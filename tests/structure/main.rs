//! What holds the repository together: layers, documents, messages, OpenAPI, alerts and dashboard.

mod documents;
mod layering;
mod messages;
mod observability;
mod openapi;

#[path = "../support/http_support.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod http_support;
#[path = "../support/openmetrics.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod openmetrics;
