//! `kai push` against receivers of every kind: the exit status, what the user reads, and what arrived.
//!
//! The table is run at once: what is tried three times takes seconds.

use futures::{StreamExt as _, stream};
use serde_json::json;

use super::arrived;
use super::process::{DUMP, Kai, LOG};
use super::settings::settings;
use crate::fake_anchore::scenario::{On, Reply, Scenario};
use crate::fake_anchore::server::FakeAnchore;

/// So many cases are under way at once.
const AT_ONCE: usize = 8;

const V2: &str = "POST /v2/kubernetes-inventory admin ann";
const V1: &str = "POST /v1/enterprise/kubernetes-inventory admin ann";
const INVENTORIES: &str = "POST /v1/enterprise/inventories admin ann";
const VERSION: &str = "GET /version admin ann";

/// KAI's form lists each image of a namespace once.
const PUSHED_IMAGES: &[&str] =
    &["inventory pushed account=admin generation=1 namespaces=12 containers=49", "path=\"v1/enterprise/inventories\""];

/// The namespace `shop` belongs to the account `team`, with a user of its own.
const ROUTE: &str = "account-routes: {team: {user: bob, password: hunter2-route, namespaces: [shop]}}";
const TEAM: &str = "POST /v2/kubernetes-inventory team bob";

/// One receiver, and what a push to it comes to.
struct Case {
    name: &'static str,
    scenario: Scenario,
    is_down: bool,
    /// Behind the URL of the receiver.
    path: &'static str,
    http: &'static str,
    more: &'static str,
    status: i32,
    /// All of it is on standard error.
    said: &'static [&'static str],
    /// None of it is.
    not_said: &'static [&'static str],
    arrived: &'static [&'static str],
}

/// A push that succeeds, unless it is changed.
fn case(name: &'static str, scenario: Scenario) -> Case {
    Case {
        name,
        scenario,
        is_down: false,
        path: "",
        http: "timeout-seconds: 30",
        more: "",
        status: 0,
        said: &["inventory pushed account=admin generation=1 namespaces=12 containers=61 payloads=1"],
        not_said: &[" WARN ", " ERROR ", "error:"],
        arrived: &[V2],
    }
}

/// A push that fails, after one try.
fn failure(name: &'static str, scenario: Scenario, said: &'static [&'static str]) -> Case {
    let not_said = &["inventory pushed", "next try in"];
    Case { status: 1, said, not_said, ..case(name, scenario) }
}

/// A push that fails, after three tries.
fn three_tries(name: &'static str, scenario: Scenario, said: &'static [&'static str]) -> Case {
    Case { not_said: &["inventory pushed"], arrived: &[V2, V2, V2], ..failure(name, scenario, said) }
}

fn versions() -> Vec<Case> {
    vec![
        case("version 2", Scenario::v2()),
        Case {
            said: &["/v2/kubernetes-inventory is not there (404): trying http://127.0.0.1:", "inventory pushed"],
            arrived: &[VERSION, V1, V2],
            ..case("version 1", Scenario::v1())
        },
        Case {
            said: PUSHED_IMAGES,
            arrived: &[VERSION, INVENTORIES, V1, V2],
            ..case("inventories only", Scenario::inventories_only())
        },
        Case { path: "/", ..case("a slash at the end of the URL", Scenario::v2()) },
        Case {
            status: 1,
            said: &["answers 404", "check anchore.url and anchore.api"],
            not_said: &["next try in", "inventory pushed"],
            more: "  api: kubernetes-inventory-v2",
            ..case("a version that is named and not there", Scenario::v1())
        },
        Case {
            more: "  api: inventories",
            said: PUSHED_IMAGES,
            arrived: &[INVENTORIES],
            ..case("a version that is named", Scenario::inventories_only())
        },
        failure(
            "another server",
            Scenario::v1().reply(On::Everything, Reply::NotFound),
            &["/v1/enterprise/inventories answers 404", "neither of Anchore Enterprise 5 nor of 4: check anchore.url"],
        )
        .with_arrived(&[VERSION, INVENTORIES, V1, V2]),
        failure(
            "version 2 with its path hidden",
            Scenario::v2().reply(On::Path("/v2/"), Reply::NotFound),
            &["/version has version 2 of the API", "check the path in anchore.url"],
        )
        .with_arrived(&[VERSION, V2]),
    ]
}

fn refusals() -> Vec<Case> {
    let everything = |reply| Scenario::v2().reply(On::Everything, reply);
    vec![
        failure("401", everything(Reply::Unauthorized), &["answers 401", "check anchore.user and anchore.password"]),
        failure(
            "403",
            everything(Reply::Forbidden),
            &["answers 403: Not authorized", "give the user \"ann\" the right to do that in the account \"admin\""],
        ),
        failure(
            "403 unknown account",
            everything(Reply::UnknownAccount(403)),
            &["answers 403: User account not found", "check the account in anchore.account, account-routes"],
        ),
        failure(
            "404 unknown account",
            everything(Reply::UnknownAccount(404)),
            &["answers 404: User account not found", "check the account in anchore.account, account-routes"],
        ),
        failure(
            "413",
            everything(Reply::TooLarge),
            &["answers 413 with", "bytes were sent: set inventory-report-limits.payload-threshold-bytes to less"],
        ),
        failure(
            "400",
            everything(Reply::Json(400, json!({"detail": "'pods' is a required property", "title": "Bad Request"}))),
            &["answers 400: 'pods' is a required property", "check the receiver's log"],
        ),
        failure("a login page", everything(Reply::LoginPage), &["is not Anchore Enterprise: it answers 200 with a"]),
        failure(
            "a redirect to another host",
            everything(Reply::Redirect(307, "https://anchore.invalid/v2/kubernetes-inventory".to_owned())),
            &[
                "redirects (307) to https://anchore.invalid/",
                "write https://anchore.invalid there if that is the receiver",
            ],
        ),
    ]
}

fn troubles() -> Vec<Case> {
    let everything = |reply| Scenario::v2().reply(On::Everything, reply);
    let once = |reply| Scenario::v2().reply_times(On::Everything, reply, 1);
    let recovers = |case: Case, said: &'static [&'static str]| Case {
        said,
        not_said: &[" ERROR ", "error:"],
        arrived: &[V2, V2],
        ..case
    };
    let slow = std::time::Duration::from_secs(30);
    vec![
        Case {
            is_down: true,
            ..three_tries(
                "down",
                Scenario::v2(),
                &["cannot reach http://127.0.0.1:", "connection refused", "next try in"],
            )
        }
        .with_arrived(&[]),
        Case {
            http: "timeout-seconds: 3",
            ..three_tries(
                "slow",
                everything(Reply::Slow(slow)),
                &[
                    "no complete answer from",
                    "within 3s",
                    "raise anchore.http.timeout-seconds",
                    "given up after several tries",
                ],
            )
        },
        recovers(
            case("busy once", once(Reply::Busy(429, Some("1".to_owned())))),
            &["answers 429: the service is busy", "next try in 1.0 s", "inventory pushed"],
        ),
        recovers(
            case("500 once", once(Reply::Busy(500, None))),
            &["answers 500: the service is busy", "next try in", "inventory pushed"],
        ),
        three_tries("500", everything(Reply::Busy(500, None)), &["answers 500", "given up after several tries"]),
        three_tries(
            "an answer that breaks off",
            everything(Reply::Cut),
            &["broke off", "given up after several tries"],
        ),
        failure(
            "busy for hours",
            everything(Reply::Busy(503, Some("7200".to_owned()))),
            &["answers 503", "not tried again, since a single run waits no longer than a minute"],
        )
        .with_arrived(&[V2]),
    ]
}

/// Two accounts: what goes wrong with the one never moves its data, but for the one answer that says it does not exist.
fn routes() -> Vec<Case> {
    let team = |reply| Scenario::v2().reply(On::account("team"), reply);
    let routed = |case: Case| Case { more: ROUTE, ..case };
    let failed =
        |name, reply, said| routed(failure(name, team(reply), said)).with_not_said(&[]).with_arrived(&[V2, TEAM]);
    let rerouted = |name, status| {
        let case = routed(case(name, team(Reply::UnknownAccount(status))));
        let said = &["User account not found", "go to the account admin (anchore.account) instead", "rerouted=true"];
        Case { said, not_said: &[" ERROR ", "error:"], arrived: &[V2, V2, TEAM], ..case }
    };
    vec![
        Case {
            said: &["pushed account=admin generation=1 namespaces=11", "pushed account=team generation=1 namespaces=1"],
            arrived: &[V2, TEAM],
            ..routed(case("a route", Scenario::v2()))
        },
        rerouted("a route to an account that 403 does not know", 403),
        rerouted("a route to an account that 404 does not know", 404),
        failed("a route with a wrong password", Reply::Unauthorized, &["error: the inventory of 1 of 2 accounts"]),
        failed("a route without the right", Reply::Forbidden, &["give the user \"bob\" the right", "1 of 2 accounts"]),
    ]
}

impl Case {
    fn with_arrived(self, arrived: &'static [&'static str]) -> Self {
        Self { arrived, ..self }
    }

    fn with_not_said(self, not_said: &'static [&'static str]) -> Self {
        Self { not_said, ..self }
    }

    fn receiver(&self) -> FakeAnchore {
        if self.is_down { FakeAnchore::down(self.scenario.clone()) } else { FakeAnchore::start(self.scenario.clone()) }
    }

    /// As a user has it, and with all that can be logged, where secrets might be.
    async fn check(self) {
        let (plain, loud) = (self.receiver(), self.receiver());
        let of = |anchore: &FakeAnchore, more: &str| {
            let url = format!("{}{}", anchore.url(), self.path);
            Kai::new(&settings(&url, self.http, &format!("{}\n{more}", self.more)))
        };
        let (kai, loud_kai) =
            (of(&plain, ""), of(&loud, &format!("log: {{level: trace, file: {LOG}, structured: true}}")));
        let arguments = ["push", "--input", DUMP];
        let (ended, loud_ended) = tokio::join!(kai.run(&arguments), loud_kai.run(&arguments));

        let Self { name, status, said, not_said, arrived, .. } = self;
        assert_eq!((ended.status, ended.stdout.as_str()), (status, ""), "{name}: {}", ended.stderr);
        for text in said {
            assert!(ended.stderr.contains(text), "{name}: not said: {text}\n{}", ended.stderr);
        }
        for text in not_said {
            assert!(!ended.stderr.contains(text), "{name}: said: {text}\n{}", ended.stderr);
        }
        assert_eq!(arrived::lines(&plain), arrived, "{name}: {}", ended.stderr);
        assert_eq!((loud_ended.status, arrived::lines(&loud)), (status, arrived::lines(&plain)), "{name}");
        assert!(loud_ended.log.contains("\"level\":\"DEBUG\""), "{name}: {}", loud_ended.log);
        let end = if status == 0 { "" } else { "error: " };
        assert!(loud_ended.stderr.starts_with(end) && loud_ended.stderr.is_empty() == (status == 0), "{name}");
    }
}

#[tokio::test]
async fn each_receiver_ends_in_the_status_the_words_and_the_requests_that_belong_to_it() {
    let cases = troubles().into_iter().chain(versions()).chain(refusals()).chain(routes());
    stream::iter(cases).for_each_concurrent(AT_ONCE, Case::check).await;
}
