//! What the fake is, and what goes wrong in it, by name.

use std::time::Duration;

use serde_json::{Value, json};

/// A receiver and its moods. The rule that comes last in the making counts first.
#[derive(Debug, Clone)]
pub(crate) struct Scenario {
    api: Api,
    integrations: bool,
    password: Option<String>,
    rules: Vec<Rule>,
}

/// What a receiver understands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Api {
    /// `/v1/enterprise/inventories` alone.
    Inventories,
    /// That and `/v1/enterprise/kubernetes-inventory`.
    V1,
    /// `/v2/kubernetes-inventory` alone.
    V2,
}

#[derive(Debug, Clone)]
struct Rule {
    on: On,
    reply: Reply,
    times: u32,
}

/// Which requests a rule is for.
#[derive(Debug, Clone)]
pub(crate) enum On {
    Everything,
    /// Requests for this account.
    Account(String),
    /// Requests whose path begins so.
    Path(&'static str),
    /// Both of these.
    AccountPath(String, &'static str),
}

/// What is answered instead of what the version of the receiver would say.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// 201 and nothing more.
    Created,
    /// 401.
    Unauthorized,
    /// This status (403 or 404) and that the account does not exist.
    UnknownAccount(u16),
    /// 403 for want of a right.
    Forbidden,
    /// 404 for want of a path, as Anchore says it.
    NotFound,
    /// 413, as a proxy in front of Anchore says it.
    TooLarge,
    /// This status with this `Retry-After`.
    Busy(u16, Option<String>),
    /// This status, with this body as JSON.
    Json(u16, Value),
    /// This status, with this media type and text.
    Text(u16, &'static str, &'static str),
    /// 200 and a login page.
    LoginPage,
    /// This status, to that address.
    Redirect(u16, String),
    /// The right answer, after that long.
    Slow(Duration),
    /// 200 and a body that breaks off half-way with its connection.
    Cut,
}

/// What is to be sent.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) media_type: &'static str,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    pub(super) delay: Duration,
    pub(super) is_cut: bool,
}

/// Of a request, what an answer hangs on.
pub(super) struct Asked<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) account: Option<&'a str>,
    pub(super) user: Option<&'a str>,
    pub(super) password: Option<&'a str>,
    pub(super) body: &'a [u8],
}

impl Scenario {
    /// Anchore 4 before `kubernetes-inventory`: KAI's inventories alone, and no `api` in `/version`.
    pub(crate) fn inventories_only() -> Self {
        Self::of(Api::Inventories)
    }

    /// Anchore 4: both of version 1, and no `api` in `/version`.
    pub(crate) fn v1() -> Self {
        Self::of(Api::V1)
    }

    /// Anchore 5 before 5.11: version 2, without integrations.
    pub(crate) fn v2() -> Self {
        Self::of(Api::V2)
    }

    /// Anchore 5.11: version 2 with integrations.
    pub(crate) fn v2_with_integrations() -> Self {
        Self { integrations: true, ..Self::of(Api::V2) }
    }

    fn of(api: Api) -> Self {
        Self { api, integrations: false, password: None, rules: Vec::new() }
    }

    /// Answers otherwise, always.
    pub(crate) fn reply(self, on: On, reply: Reply) -> Self {
        self.reply_times(on, reply, u32::MAX)
    }

    /// Answers otherwise the first `times` times.
    pub(crate) fn reply_times(mut self, on: On, reply: Reply, times: u32) -> Self {
        self.rules.push(Rule { on, reply, times });
        self
    }

    /// Answers 401 to whoever has another password; `/version` is for everybody.
    pub(crate) fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    pub(super) fn answer(&mut self, asked: &Asked<'_>) -> Answer {
        let rule = self.rules.iter_mut().rev().find(|rule| rule.times > 0 && rule.on.covers(asked));
        let Some(rule) = rule else { return self.usual(asked) };
        rule.times -= 1;
        match rule.reply.clone() {
            Reply::Created => empty(201),
            Reply::Unauthorized => unauthorized(),
            Reply::UnknownAccount(status) => error(status, "User account not found"),
            Reply::Forbidden => error(403, "Not authorized. Requires permissions: domain=team action=syncInventory"),
            Reply::NotFound => not_found(),
            Reply::TooLarge => {
                text(413, "text/html", "<html><head><title>413 Request Entity Too Large</title></head></html>")
            }
            Reply::Busy(status, after) => {
                let headers = after.map(|after| ("retry-after", after)).into_iter().collect();
                Answer { headers, ..error(status, "the service is busy") }
            }
            Reply::Json(status, body) => json_answer(status, &body),
            Reply::Text(status, media_type, body) => text(status, media_type, body),
            Reply::LoginPage => {
                text(200, "text/html; charset=utf-8", "<!DOCTYPE html><html><head><title>Sign in</title></head></html>")
            }
            Reply::Redirect(status, to) => Answer { headers: vec![("location", to)], ..empty(status) },
            Reply::Slow(delay) => Answer { delay, ..self.usual(asked) },
            Reply::Cut => Answer { is_cut: true, ..json_answer(200, &json!({"message": "half of this arrives"})) },
        }
    }

    /// What the version of the receiver says.
    fn usual(&self, asked: &Asked<'_>) -> Answer {
        if (asked.method, asked.path) == ("GET", "/version") {
            return self.version();
        }
        if self.password.is_some() && self.password.as_deref() != asked.password {
            return unauthorized();
        }
        if asked.method != "POST" {
            return not_found();
        }
        match asked.path {
            "/v1/enterprise/inventories" if self.api != Api::V2 => empty(200),
            "/v1/enterprise/kubernetes-inventory" if self.api == Api::V1 => empty(201),
            "/v2/kubernetes-inventory" if self.api == Api::V2 => empty(201),
            "/v2/system/integrations/registration" if self.integrations => integration(asked),
            path if self.integrations && path.ends_with("/health-report") => empty(201),
            _ => not_found(),
        }
    }

    fn version(&self) -> Answer {
        let mut body = json!({"service": {"version": "4.9.5"}, "db": {"schema_version": "490"}});
        if self.api == Api::V2 {
            body["service"]["version"] = json!(if self.integrations { "5.11.0" } else { "5.4.0" });
            body["api"] = json!({"version": "2"});
        }
        json_answer(200, &body)
    }
}

impl On {
    /// Requests for this account.
    pub(crate) fn account(account: &str) -> Self {
        Self::Account(account.to_owned())
    }

    fn covers(&self, asked: &Asked<'_>) -> bool {
        match self {
            Self::Everything => true,
            Self::Account(account) => asked.account == Some(account),
            Self::Path(path) => asked.path.starts_with(path),
            Self::AccountPath(account, path) => asked.account == Some(account) && asked.path.starts_with(path),
        }
    }
}

/// The same ids give the same uuid, as in Anchore.
fn integration(asked: &Asked<'_>) -> Answer {
    let body: Value = serde_json::from_slice(asked.body).unwrap_or_default();
    json_answer(
        200,
        &json!({
            "uuid": "84993c1f-863f-41f3-9bd8-dfcc821b1c8a",
            "type": body["type"],
            "registration_id": body["registration_id"],
            "registration_instance_id": body["registration_instance_id"],
            "account_name": asked.account,
            "username": asked.user,
        }),
    )
}

fn unauthorized() -> Answer {
    error(401, "Authentication failed")
}

fn not_found() -> Answer {
    json_answer(
        404,
        &json!({"detail": "The requested URL was not found on the server.", "status": 404, "title": "Not Found"}),
    )
}

fn error(status: u16, message: &str) -> Answer {
    json_answer(status, &json!({"code": status, "error_type": "", "message": message, "detail": {}}))
}

fn empty(status: u16) -> Answer {
    text(status, "application/json", "")
}

fn json_answer(status: u16, body: &Value) -> Answer {
    Answer { body: body.to_string().into_bytes(), ..empty(status) }
}

fn text(status: u16, media_type: &'static str, body: &str) -> Answer {
    let body = body.as_bytes().to_vec();
    Answer { status, media_type, headers: Vec::new(), body, delay: Duration::ZERO, is_cut: false }
}
