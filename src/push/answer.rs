//! What an answer of the receiver means: success, or why not, in the receiver's words.

use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use reqwest::{Response, Url};
use serde_json::Value;

use super::address::shown;
use super::credentials::Sender;
use super::failure::{Failure, Refusal};
use crate::config::Password;
use crate::inventory::excerpt;
use crate::remote::{Proxy, Transport, describe_page, is_html, retry_after};

/// The most that is read of an answer: what Anchore answers to a push takes less than a thousand bytes.
const LIMIT: usize = 64 * 1024;

/// Anchore's message for an account that does not exist.
const UNKNOWN_ACCOUNT: &str = "user account not found";

/// An answer that means success.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The HTTP status, 2xx.
    pub status: u16,
    /// The JSON of the body; `None` when it is empty, or longer than 64 KiB.
    pub json: Option<Value>,
}

/// The question, as far as the meaning of an answer depends on it.
pub(super) struct Question<'a> {
    pub(super) url: &'a Url,
    pub(super) sender: Option<&'a Sender>,
    pub(super) proxy: Option<&'a Proxy>,
    /// Bytes of the body, before they are compressed.
    pub(super) length: u64,
}

/// The beginning of a body.
struct Text {
    bytes: Vec<u8>,
    is_whole: bool,
}

impl Question<'_> {
    /// Reads the answer. `Err(Err(…))`: it broke off before it was clear what it is.
    pub(super) async fn read(&self, response: Response) -> Result<Answer, Result<Failure, Transport>> {
        let (status, headers) = (response.status(), response.headers().clone());
        let read = Text::read(response).await;
        if status.is_success() {
            let text = read.map_err(|error| Err(Transport::of(&error)))?;
            return self.success(status, &headers, &text).map_err(Ok);
        }
        // The status is enough when its text is lost.
        let bytes = read.map(|text| text.bytes).unwrap_or_default();
        Err(Ok(Failure::Refused(Box::new(self.refusal(status, &headers, &String::from_utf8_lossy(&bytes))))))
    }

    fn success(&self, status: StatusCode, headers: &HeaderMap, text: &Text) -> Result<Answer, Failure> {
        let status = status.as_u16();
        let not_anchore = |what| Failure::NotAnchore { url: shown(self.url), status, what };
        let shown = String::from_utf8_lossy(&text.bytes);
        let trimmed = shown.trim();
        if is_html(headers, trimmed) {
            return Err(not_anchore(describe_page(trimmed)));
        }
        if trimmed.is_empty() {
            return Ok(Answer { status, json: None });
        }
        match serde_json::from_str(trimmed) {
            Ok(json) => Ok(Answer { status, json: Some(json) }),
            Err(_) if !text.is_whole && trimmed.starts_with(['{', '[']) => Ok(Answer { status, json: None }),
            Err(_) => Err(not_anchore(format!("a text that is no JSON (\"{}\")", excerpt(trimmed)))),
        }
    }

    fn refusal(&self, status: StatusCode, headers: &HeaderMap, text: &str) -> Refusal {
        let json: Option<Value> = serde_json::from_str(text).ok();
        let message = json.as_ref().and_then(|json| json["message"].as_str()).map(str::trim);
        let is_unknown_account = matches!(status.as_u16(), 403 | 404)
            && message.is_some_and(|message| message.eq_ignore_ascii_case(UNKNOWN_ACCOUNT));
        let text_of_answer = match &json {
            Some(json) => text_in_json(json),
            None if is_html(headers, text) => format!(" with {}", describe_page(text)),
            None if text.trim().is_empty() => String::new(),
            None => format!(": {}", excerpt(text.trim())),
        };
        Refusal {
            url: shown(self.url),
            status: status.as_u16(),
            advice: self.advice(status.as_u16(), is_unknown_account, text),
            text: text_of_answer,
            retry_after: retry_after(headers, Timestamp::now()),
            is_unknown_account,
        }
    }

    fn advice(&self, status: u16, is_unknown_account: bool, text: &str) -> String {
        let account = self.sender.and_then(|sender| sender.account.as_deref());
        match status {
            _ if is_unknown_account => {
                "check the account in anchore.account, account-routes or account-route-by-namespace-label".to_owned()
            }
            400 if self.url.scheme() == "http" && text.contains("HTTPS") => {
                "the receiver is served with TLS: write https:// in anchore.url".to_owned()
            }
            401 => {
                let password = match self.sender.map(|sender| &sender.password) {
                    Some(Password::File(_)) => "anchore.password-file",
                    _ => "anchore.password",
                };
                format!("check anchore.user and {password}, or the user and password of the account's own route")
            }
            403 => {
                let user = self.sender.map_or("", |sender| sender.user.as_str());
                let account = account.map(|account| format!(" in the account \"{}\"", excerpt(account)));
                format!("give the user \"{}\" the right to do that{}", excerpt(user), account.unwrap_or_default())
            }
            404 => "check anchore.url and anchore.api".to_owned(),
            407 => match self.proxy {
                Some(proxy) => {
                    format!(
                        "the proxy {} requires a user and a password: check {}",
                        excerpt(&proxy.shown()),
                        proxy.setting
                    )
                }
                None => "check anchore.url".to_owned(),
            },
            413 => format!(
                "{} bytes were sent: set inventory-report-limits.payload-threshold-bytes to less than the receiver accepts",
                self.length
            ),
            408 | 429 | 500.. => "try again later, or check the receiver's log".to_owned(),
            _ => "check the receiver's log, or check anchore.url and anchore.api".to_owned(),
        }
    }
}

/// `: MESSAGE (DETAIL)` as far as there are any; another JSON as it is.
fn text_in_json(json: &Value) -> String {
    let message = json["message"].as_str().map(str::trim).filter(|message| !message.is_empty());
    let detail = match &json["detail"] {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Object(fields) if !fields.is_empty() => Some(json["detail"].to_string()),
        Value::Array(entries) if !entries.is_empty() => Some(json["detail"].to_string()),
        _ => None,
    };
    match (message, detail) {
        (Some(message), Some(detail)) => format!(": {} ({})", excerpt(message), excerpt(&detail)),
        (Some(message), None) => format!(": {}", excerpt(message)),
        (None, Some(detail)) => format!(": {}", excerpt(&detail)),
        (None, None) => format!(": {}", excerpt(&json.to_string())),
    }
}

impl Text {
    async fn read(mut response: Response) -> Result<Self, reqwest::Error> {
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            bytes.extend_from_slice(&chunk[..chunk.len().min(LIMIT - bytes.len())]);
            if bytes.len() >= LIMIT {
                return Ok(Self { bytes, is_whole: false });
            }
        }
        Ok(Self { bytes, is_whole: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn refusal(status: u16, body: &str) -> Refusal {
        let url = "http://anchore.example/v2/kubernetes-inventory".parse().unwrap();
        let sender =
            Sender { user: "me".to_owned(), password: Password::Text("hunter2".into()), account: Some("team".into()) };
        let question = Question { url: &url, sender: Some(&sender), proxy: None, length: 77 };
        question.refusal(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body)
    }

    #[rstest]
    #[case(403, r#"{"message": "User account not found"}"#, true)]
    #[case(404, r#"{"message": " user ACCOUNT not found\n", "code": 404, "detail": {}}"#, true)]
    #[case(401, r#"{"message": "User account not found"}"#, false)]
    #[case(500, r#"{"message": "User account not found"}"#, false)]
    #[case(403, r#"{"message": "Not authorized. Requires permissions: syncInventory"}"#, false)]
    #[case(403, r#"{"message": "User account not found in group x"}"#, false)]
    #[case(403, r#"{"detail": "User account not found"}"#, false)]
    #[case(404, "User account not found", false)]
    #[case(404, "<html>User account not found</html>", false)]
    #[case(403, r#"["User account not found"]"#, false)]
    fn only_one_answer_means_that_the_account_does_not_exist(
        #[case] status: u16,
        #[case] body: &str,
        #[case] expected: bool,
    ) {
        assert_eq!(refusal(status, body).is_unknown_account, expected);
    }

    #[rstest]
    #[case::message(json!({"message": "bad\nbody", "code": 400}), ": bad\\nbody")]
    #[case::detail(json!({"message": "bad", "detail": {"error_codes": []}}), ": bad ({\"error_codes\":[]})")]
    #[case::only_detail(json!({"detail": "'pods' is a required property", "title": "Bad Request"}), ": 'pods' is a required property")]
    #[case::empty_detail(json!({"message": "bad", "detail": {}}), ": bad")]
    #[case::other(json!({"error": "bad"}), ": {\"error\":\"bad\"}")]
    fn the_receivers_own_text_is_in_the_message(#[case] body: Value, #[case] text: &str) {
        assert_eq!(refusal(400, &body.to_string()).text, text);
    }

    #[rstest]
    #[case(400, "The plain HTTP request was sent to HTTPS port", "write https:// in anchore.url")]
    #[case(401, "", "check anchore.user and anchore.password")]
    #[case(403, "", "give the user \"me\" the right to do that in the account \"team\"")]
    #[case(404, "", "check anchore.url and anchore.api")]
    #[case(413, "", "77 bytes were sent: set inventory-report-limits.payload-threshold-bytes")]
    #[case(503, "", "try again later")]
    #[case(405, "", "check anchore.url and anchore.api")]
    fn each_refusal_has_advice(#[case] status: u16, #[case] body: &str, #[case] advice: &str) {
        let message = refusal(status, body).to_string();
        let start = format!("http://anchore.example/v2/kubernetes-inventory answers {status}");
        assert!(message.starts_with(&start) && message.contains(advice), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
}
