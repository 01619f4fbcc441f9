//! What must hold of deliveries whatever the receiver answers: a receiver that answers by a script, and paused time.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::Refusal;
use super::deliver::{Courier, Receiver};
use super::plan::Plan;
use super::pusher::{PushError, Pusher};
use super::{Answer, Body, Failure, Sender};
use crate::config::{
    AccountRoute, AnchoreApi, AnchoreHttpSettings, AnchoreSettings, AnchoreUser, LabelRoute, MetadataSettings,
    MetricsSettings, Password, PushTarget, PushWhen, RegistrationSettings,
};
use crate::feed::{SnapshotWriter, feed};
use crate::health::{Health, PushBoard, PushOutcome};
use crate::inventory::{
    ContainerKind, ContainerState, Interner, Metadata, NamespacePattern, NamespaceRecord, NamespaceSelection, Phase,
    PodGenerations, PodRecord, ReportPolicy, SpecEntry, StatusEntry, read_container,
};
use crate::metrics::{Exposition, Metrics, Serving};
use crate::snapshot::{Event, ListScope, PodIndex, RelistEnd, ServerVersion, Snapshot};

const V2: &str = "v2/kubernetes-inventory";
const V1: &str = "v1/enterprise/kubernetes-inventory";
const OLD: &str = "v1/enterprise/inventories";
const INTERVAL: Duration = Duration::from_mins(5);

/// What was sent.
#[derive(Debug, Clone)]
struct Posted {
    path: String,
    user: String,
    account: String,
    body: Value,
}

type Script = dyn Fn(&Posted) -> Result<Answer, Failure> + Send + Sync;

/// A receiver that answers as it is told, in no time.
#[derive(Clone)]
struct Scripted {
    script: Arc<Script>,
    version: Arc<dyn Fn() -> Result<Answer, Failure> + Send + Sync>,
    posts: Arc<Mutex<Vec<Posted>>>,
}

impl Scripted {
    fn new(script: impl Fn(&Posted) -> Result<Answer, Failure> + Send + Sync + 'static) -> Self {
        Self { script: Arc::new(script), version: Arc::new(|| Err(refused(404, ""))), posts: Arc::default() }
    }

    fn version(self, version: impl Fn() -> Result<Answer, Failure> + Send + Sync + 'static) -> Self {
        Self { version: Arc::new(version), ..self }
    }

    fn posts(&self) -> Vec<Posted> {
        self.posts.lock().unwrap().clone()
    }

    fn paths(&self) -> Vec<String> {
        self.posts().into_iter().map(|posted| posted.path).collect()
    }
}

impl Receiver for Scripted {
    async fn post(&self, path: &str, sender: &Sender, body: Body) -> Result<Answer, Failure> {
        let posted = Posted {
            path: path.to_owned(),
            user: sender.user.clone(),
            account: sender.account.as_deref().unwrap_or_default().to_owned(),
            body: serde_json::from_slice(&body.chunks().concat()).unwrap(),
        };
        self.posts.lock().unwrap().push(posted.clone());
        (self.script)(&posted)
    }

    async fn get(&self, _: &str, _: &Sender) -> Result<Answer, Failure> {
        (self.version)()
    }

    fn url(&self, path: &str) -> String {
        format!("https://anchore.example.com/{path}")
    }
}

#[expect(clippy::unnecessary_wraps, reason = "an answer of a script")]
fn taken() -> Result<Answer, Failure> {
    Ok(Answer { status: 201, json: None })
}

#[expect(clippy::unnecessary_wraps, reason = "an answer of a script")]
fn says(version: Value) -> Result<Answer, Failure> {
    Ok(Answer { status: 200, json: Some(version) })
}

fn refused(status: u16, message: &str) -> Failure {
    Failure::Refused(Box::new(Refusal {
        url: "https://anchore.example.com".to_owned(),
        status,
        said: format!(": {message}"),
        advice: "see the log".to_owned(),
        retry_after: None,
        is_unknown_account: message == "User account not found",
    }))
}

fn down() -> Failure {
    Failure::BrokenOff { url: String::new(), via: String::new(), reason: "reset".to_owned(), advice: "" }
}

fn user(name: &str) -> AnchoreUser {
    AnchoreUser { user: name.to_owned(), password: Password::Text("secret".to_owned().into()) }
}

/// Routes by account, each with a user of its own.
fn settings(routes: &[(&str, &[&str])]) -> AnchoreSettings {
    let routes = routes.iter().map(|(account, entries)| {
        let namespaces = entries.iter().map(|entry| NamespacePattern::parse(entry).unwrap()).collect();
        ((*account).to_owned(), AccountRoute { credentials: Some(user(&format!("{account}-user"))), namespaces })
    });
    AnchoreSettings {
        push: Some(PushTarget { url: "https://anchore.example.com".to_owned(), credentials: user("me") }),
        account: "admin".to_owned(),
        api: AnchoreApi::Auto,
        push_when: PushWhen::Interval,
        push_incomplete: false,
        http: AnchoreHttpSettings {
            insecure: false,
            timeout: Duration::from_secs(10),
            compress: false,
            ca_certificate: None,
            client: None,
            proxy: None,
        },
        registration: RegistrationSettings::default(),
        health_report_interval: Duration::from_mins(1),
        account_routes: routes.collect(),
        route_by_label: None,
        namespaces_per_report: None,
        payload_threshold_bytes: None,
        metadata: MetadataSettings::default(),
    }
}

/// A cluster that can be read again and again.
struct Cluster(PodIndex);

impl Cluster {
    fn new() -> Self {
        Self(PodIndex::new("prod", NamespaceSelection::default()))
    }

    /// Namespaces with the value of their label `team`, each with a pod whose image is called as the namespace.
    fn read(&mut self, namespaces: &[(&str, Option<&str>)], more: Vec<Event>) -> Arc<Snapshot> {
        let mut interner = Interner::default();
        self.0.apply(Event::RelistBegun);
        for (name, team) in namespaces {
            let labels = team.map(|team| (Arc::from("team"), Arc::from(team))).into_iter().collect();
            let metadata = Metadata { labels, ..Metadata::default() };
            self.0.apply(Event::Namespace(NamespaceRecord { metadata, ..NamespaceRecord::named(*name) }));
            self.0.apply(Event::Pod(pod(name, &mut interner)));
        }
        for event in more {
            self.0.apply(event);
        }
        let end = RelistEnd {
            observed_at: jiff::Timestamp::now(),
            server_version: ServerVersion::default(),
            cut_short: None,
        };
        self.0.apply(Event::RelistEnded(end)).unwrap()
    }
}

fn pod(namespace: &str, interner: &mut Interner) -> PodRecord {
    let image = format!("{namespace}:1");
    let spec = SpecEntry { name: "app", kind: ContainerKind::Container, image: &image };
    let status = StatusEntry { image: "", image_id: "", state: ContainerState::Running, reason: "", container_id: "" };
    PodRecord {
        namespace: namespace.into(),
        name: "web".into(),
        uid: None,
        phase: Phase::Running,
        node: None,
        owner: None,
        containers: [read_container(spec, status, PodGenerations::default(), interner)].into(),
        stray_statuses: [].into(),
        metadata: None,
    }
}

fn pusher(receiver: &Scripted, settings: AnchoreSettings, board: &PushBoard) -> Pusher<Scripted> {
    let policy = ReportPolicy::default();
    let courier =
        Courier::new(receiver.clone(), user("me"), Arc::new(settings), policy, board.clone(), Metrics::default());
    Pusher::to(courier, INTERVAL)
}

async fn push(receiver: &Scripted, settings: AnchoreSettings, snapshot: &Arc<Snapshot>) -> Result<(), PushError> {
    pusher(receiver, settings, &PushBoard::default()).push_once(snapshot).await
}

/// The namespaces that a body tells of, in either form.
fn namespaces_in(body: &Value) -> BTreeSet<String> {
    let of = |list: &str, name: &str| -> BTreeSet<String> {
        let items = body[list].as_array().into_iter().flatten();
        items.map(|item| item[name].as_str().unwrap().to_owned()).collect()
    };
    &of("results", "namespace") | &of("namespaces", "name")
}

fn names(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

const ANSWERS: [(u16, &str); 9] = [
    (201, ""),
    (400, "bad"),
    (401, "no"),
    (403, "User account not found"),
    (403, "not permitted"),
    (404, "User account not found"),
    (404, "no such path"),
    (413, "too large"),
    (500, "later"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_namespace_reaches_an_account_that_is_not_its_own(
        answers in prop::collection::vec(0..ANSWERS.len(), 12),
        patterns in prop::collection::vec(prop::sample::select(vec!["shop", "^sh", "pay", "p.y", "^k", "ops"]), 6),
        teams in prop::collection::vec(prop::sample::select(vec![None, Some("a"), Some("b"), Some("d")]), 5),
        by_label in any::<bool>(),
        ignore_missing_label in any::<bool>(),
        limit in prop::sample::select(vec![None, Some(1), Some(2)]),
    ) {
        let names = ["shop", "shopping", "pay", "kube", "ops"];
        let namespaces: Vec<(&str, Option<&str>)> = names.into_iter().zip(teams).collect();
        let mut settings = settings(&[("a", &patterns[..2]), ("b", &patterns[2..4]), ("c", &patterns[4..])]);
        settings.namespaces_per_report = limit;
        if by_label {
            let default_account = Some("d".to_owned());
            settings.route_by_label = Some(LabelRoute { key: "team".to_owned(), default_account, ignore_missing_label });
        }
        let snapshot = Cluster::new().read(&namespaces, Vec::new());
        let plan = Plan::of(&snapshot, &settings);
        let receiver = Scripted::new(move |posted| {
            // By account and interface, so that each keeps its answer.
            let account = posted.account.bytes().next().unwrap_or(b'a') as usize;
            let (status, message) = ANSWERS[answers[(account + posted.path.len()) % answers.len()]];
            if status == 201 { taken() } else { Err(refused(status, message)) }
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        // Whether it went well is of no interest here.
        let _outcome = runtime.block_on(push(&receiver, settings.clone(), &snapshot));
        let posts = receiver.posts();
        for posted in &posts {
            prop_assert_eq!(&posted.user, &settings.credentials(&posted.account).unwrap().user);
            for namespace in namespaces_in(&posted.body) {
                let decision = plan.routing.decisions.iter().find(|decision| *decision.namespace == *namespace).unwrap();
                let Ok(route) = &decision.route else {
                    return Err(TestCaseError::fail(format!("{namespace} has no account and was sent to {}", posted.account)));
                };
                let is_own = *route.account == *posted.account;
                let was_unknown = posted.account == "admin" && posts.iter().any(|before| {
                    *before.account == *route.account
                        && (receiver.script)(before).is_err_and(|failure| failure.is_unknown_account())
                });
                prop_assert!(is_own || was_unknown, "{} of {} was sent to {}", namespace, route.account, posted.account);
            }
        }
    }
}

#[rstest]
#[case::exact_beats_expression(&[("a", &["shop"][..]), ("b", &["^sh"])], "shop", Ok("a"))]
#[case::expression(&[("a", &["shop"][..]), ("b", &["^sh"])], "shopping", Ok("b"))]
#[case::an_exact_name_is_no_part(&[("a", &["shop"][..])], "shopping", Ok("admin"))]
#[case::two_expressions(&[("a", &["^sh"][..]), ("b", &["op$"])], "shop", Err("account-routes.a (expression ^sh) and account-routes.b (expression op$)"))]
#[case::two_expressions_of_one_account(&[("a", &["^sh", "op$"][..])], "shop", Ok("a"))]
fn an_account_is_found_by_rank(
    #[case] routes: &[(&str, &[&str])],
    #[case] namespace: &str,
    #[case] expected: Result<&str, &str>,
) {
    let snapshot = Cluster::new().read(&[(namespace, None)], Vec::new());
    let plan = Plan::of(&snapshot, &settings(routes));
    match expected {
        Ok(account) => {
            assert_eq!(plan.routing.decisions[0].route.as_ref().map(|route| &*route.account), Ok(account));
            assert_eq!(&*plan.routing.shares[0].account, account);
        }
        Err(rules) => {
            let unclear: Vec<_> = plan.routing.unclear().collect();
            assert!(unclear[0].1.starts_with(rules), "{unclear:?}");
            assert!(plan.routing.shares.is_empty());
        }
    }
}

#[rstest]
#[case::label(Some("a"), None, false, Some("a"))]
#[case::empty_label(Some(""), Some("d"), false, Some("d"))]
#[case::no_label(None, Some("d"), false, Some("d"))]
#[case::no_label_and_no_default(None, None, false, Some("admin"))]
#[case::left_out(None, Some("d"), true, None)]
fn a_label_names_the_account(
    #[case] label: Option<&str>,
    #[case] default: Option<&str>,
    #[case] ignore_missing_label: bool,
    #[case] expected: Option<&str>,
) {
    let mut settings = settings(&[]);
    let default_account = default.map(str::to_owned);
    settings.route_by_label = Some(LabelRoute { key: "team".to_owned(), default_account, ignore_missing_label });
    let plan = Plan::of(&Cluster::new().read(&[("shop", label)], Vec::new()), &settings);
    assert_eq!(plan.routing.shares.first().map(|share| &*share.account), expected);
    assert_eq!(plan.routing.unclear().count(), 0, "left out on purpose is no error");
}

#[test]
fn a_namespace_whose_labels_are_hidden_goes_nowhere() {
    let mut settings = settings(&[("b", &["ops"])]);
    settings.route_by_label =
        Some(LabelRoute { key: "team".to_owned(), default_account: None, ignore_missing_label: false });
    let mut interner = Interner::default();
    let pods = ["shop", "ops"].map(|namespace| Event::Pod(pod(namespace, &mut interner)));
    let plan = Plan::of(&Cluster::new().read(&[], pods.into()), &settings);
    let unclear: Vec<&str> = plan.routing.unclear().map(|(namespace, _)| &**namespace).collect();
    assert_eq!(unclear, ["shop"], "a route by name needs no label");
}

#[rstest]
#[case::substring(&[("a", &["prod"][..])], "nonprod", Some(&["a"][..]))]
#[case::the_same(&[("a", &["prod"][..])], "prod", None)]
#[case::expressions_are_alike(&[("a", &["^pr"][..])], "prod", None)]
#[case::twice(&[("a", &["prod"][..]), ("b", &["pro.*"])], "prod", Some(&["a", "b"][..]))]
#[case::nowhere(&[("a", &["prod"][..])], "other", None)]
fn what_the_successor_would_have_routed_otherwise_is_told(
    #[case] routes: &[(&str, &[&str])],
    #[case] namespace: &str,
    #[case] expected: Option<&[&str]>,
) {
    let plan = Plan::of(&Cluster::new().read(&[(namespace, None)], Vec::new()), &settings(routes));
    let found = plan.routing.decisions[0].successor.as_ref();
    assert_eq!(
        found.map(|accounts| accounts.iter().map(|account| &**account).collect()),
        expected.map(<[&str]>::to_vec)
    );
}

#[rstest]
#[case::newest(&[V2], None, &[V2], true)]
#[case::anchore_4(&[V1, OLD], Some(json!({"service": {"version": "4.9.0"}})), &[V2, V1], true)]
#[case::before_4(&[OLD], Some(json!({"service": {"version": "4.0.0"}})), &[V2, V1, OLD], true)]
#[case::version_2_is_believed(&[V1, OLD], Some(json!({"api": {"version": "2"}})), &[V2], false)]
#[case::version_says_nothing(&[OLD], None, &[V2, V1, OLD], true)]
#[case::none_of_them(&[], None, &[V2, V1, OLD], false)]
#[tokio::test(start_paused = true)]
async fn the_interface_that_is_there_is_found(
    #[case] there: &'static [&'static str],
    #[case] version: Option<Value>,
    #[case] expected: &[&str],
    #[case] is_delivered: bool,
) {
    let receiver =
        Scripted::new(
            |posted| {
                if there.contains(&posted.path.as_str()) { taken() } else { Err(refused(404, "no such path")) }
            },
        );
    let receiver = receiver.version(move || version.clone().map_or_else(|| Err(refused(403, "")), says));
    let snapshot = Cluster::new().read(&[("shop", None)], Vec::new());
    assert_eq!(push(&receiver, settings(&[]), &snapshot).await.is_ok(), is_delivered);
    assert_eq!(receiver.paths(), expected);
}

#[tokio::test(start_paused = true)]
async fn what_worked_is_used_until_it_is_gone() {
    let there = Arc::new(Mutex::new(OLD));
    let now = Arc::clone(&there);
    let receiver =
        Scripted::new(move |posted| if posted.path == *now.lock().unwrap() { taken() } else { Err(refused(404, "")) });
    let pusher = pusher(&receiver, settings(&[]), &PushBoard::default());
    let snapshot = Cluster::new().read(&[("shop", None)], Vec::new());
    pusher.push_once(&snapshot).await.unwrap();
    pusher.push_once(&snapshot).await.unwrap();
    assert_eq!(receiver.paths(), [V2, V1, OLD, OLD]);
    *there.lock().unwrap() = V2;
    pusher.push_once(&snapshot).await.unwrap();
    assert_eq!(receiver.paths()[4..], [OLD, V2]);
}

#[tokio::test(start_paused = true)]
async fn an_account_that_does_not_exist_steps_down_no_interface() {
    let receiver =
        Scripted::new(
            |posted| {
                if posted.account == "a" { Err(refused(404, "User account not found")) } else { taken() }
            },
        );
    let snapshot = Cluster::new().read(&[("shop", None)], Vec::new());
    let board = PushBoard::default();
    pusher(&receiver, settings(&[("a", &["shop"])]), &board).push_once(&snapshot).await.unwrap();
    let sent: Vec<_> = receiver.posts().into_iter().map(|post| (post.path, post.account, post.user)).collect();
    let expected = [(V2, "a", "a-user"), (V2, "admin", "me")];
    assert_eq!(sent, expected.map(|(path, account, user)| (path.to_owned(), account.to_owned(), user.to_owned())));
    assert_eq!(board.accounts()[0].last.outcome, PushOutcome::Rerouted);
}

#[rstest]
#[case::unauthorized(401, "no", 1)]
#[case::forbidden(403, "not permitted", 1)]
#[case::bad_request(400, "bad", 1)]
#[case::too_large(413, "too large", 1)]
#[case::request_timeout(408, "slow", 3)]
#[case::too_many(429, "slow down", 3)]
#[case::broken(500, "later", 3)]
#[tokio::test(start_paused = true)]
async fn only_what_may_pass_is_sent_again(#[case] status: u16, #[case] message: &'static str, #[case] tries: usize) {
    let receiver = Scripted::new(move |_| Err(refused(status, message)));
    let snapshot = Cluster::new().read(&[("shop", None)], Vec::new());
    let error = push(&receiver, settings(&[]), &snapshot).await.unwrap_err();
    assert!(matches!(error, PushError::Failed { failed: 1, accounts: 1 }), "{error}");
    assert_eq!(receiver.posts().len(), tries);
    assert!(receiver.posts().iter().all(|posted| posted.account == "admin"));
}

#[tokio::test(start_paused = true)]
async fn a_route_that_fails_holds_up_no_other() {
    let receiver = Scripted::new(|posted| if posted.account == "a" { Err(down()) } else { taken() });
    let snapshot = Cluster::new().read(&[("shop", None), ("pay", None), ("ops", None)], Vec::new());
    let error = push(&receiver, settings(&[("a", &["shop"]), ("b", &["pay"])]), &snapshot).await.unwrap_err();
    assert!(matches!(error, PushError::Failed { failed: 1, accounts: 3 }), "{error}");
    let delivered = |account: &str| receiver.posts().iter().filter(|posted| posted.account == account).count();
    assert_eq!((delivered("a"), delivered("b"), delivered("admin")), (3, 1, 1));
}

fn incomplete() -> Vec<Event> {
    vec![
        Event::Refused { scope: ListScope::PodsOf("secret".into()), reason: "missing right: list pods".into() },
        Event::Namespace(NamespaceRecord::named("empty")),
    ]
}

#[tokio::test(start_paused = true)]
async fn an_incomplete_inventory_is_withheld_and_says_what_is_missing() {
    let receiver = Scripted::new(|_| taken());
    let board = PushBoard::default();
    let snapshot = Cluster::new().read(&[("shop", None)], incomplete());
    let error = pusher(&receiver, settings(&[]), &board).push_once(&snapshot).await.unwrap_err();
    assert!(receiver.posts().is_empty());
    assert!(error.to_string().contains("namespace secret: missing right: list pods"), "{error}");
    let [push] = board.accounts().try_into().unwrap();
    assert_eq!((push.last.outcome, push.account.as_deref()), (PushOutcome::Withheld, Some("admin")));
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_is_left_out_and_never_sent_as_empty() {
    let receiver = Scripted::new(|_| taken());
    let settings = || AnchoreSettings { push_incomplete: true, ..settings(&[]) };
    let snapshot = Cluster::new().read(&[("shop", None)], incomplete());
    push(&receiver, settings(), &snapshot).await.unwrap();
    assert_eq!(namespaces_in(&receiver.posts()[0].body), names(&["empty", "shop"]));
    // Somewhere an item could not be read: what looks empty may be its place.
    let skipped = crate::snapshot::SkippedItem {
        scope: ListScope::AllPods,
        namespace: None,
        item: "item 7".into(),
        problem: "broken".into(),
    };
    let more = incomplete().into_iter().chain([Event::Skipped(skipped)]).collect();
    push(&receiver, settings(), &Cluster::new().read(&[("shop", None)], more)).await.unwrap();
    assert_eq!(namespaces_in(&receiver.posts()[1].body), names(&["shop"]));
}

/// A pusher, and what is told of its pushes.
fn counted(receiver: &Scripted, settings: AnchoreSettings) -> (Pusher<Scripted>, impl Fn() -> String + use<>) {
    let (board, metrics, policy) = (PushBoard::default(), Metrics::default(), ReportPolicy::default());
    let health = Health::new(feed().1, None, INTERVAL, board.clone());
    let exposition = Exposition::new(metrics.clone(), health, &policy, &MetricsSettings::default());
    let courier = Courier::new(receiver.clone(), user("me"), Arc::new(settings), policy, board, metrics);
    (Pusher::to(courier, INTERVAL), move || exposition.text(Serving::default()).unwrap())
}

#[tokio::test(start_paused = true)]
async fn every_attempt_is_counted_for_the_account_whose_report_it_is() {
    let answers = Mutex::new(vec![Err(refused(404, "User account not found")), Err(down()), Err(refused(500, ""))]);
    let receiver = Scripted::new(move |_| answers.lock().unwrap().pop().unwrap_or_else(taken));
    let (pusher, text) = counted(&receiver, settings(&[("a", &["shop"])]));
    pusher.push_once(&Cluster::new().read(&[("shop", None)], Vec::new())).await.unwrap();
    let text = text();
    for outcome in ["server_error", "broken_off", "unknown_account", "accepted"] {
        let line = format!("kai_push_attempts_total{{account=\"a\",outcome=\"{outcome}\"}} 1\n");
        assert!(text.contains(&line), "{line}{text}");
    }
    assert!(text.contains("kai_push_last_outcome{account=\"a\",outcome=\"rerouted\"} 1\n"), "{text}");
    assert!(text.contains("kai_push_duration_seconds_count 1\n"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn what_is_withheld_is_counted_and_an_account_without_namespaces_is_told_no_more() {
    let (pusher, text) = counted(&Scripted::new(|_| taken()), settings(&[("a", &["shop"])]));
    let mut cluster = Cluster::new();
    let refused = Event::Refused { scope: ListScope::PodsOf("hidden".into()), reason: "no right".into() };
    let incomplete = cluster.read(&[("shop", None)], vec![refused]);
    pusher.push_once(&incomplete).await.unwrap_err();
    assert!(text().contains("kai_push_withheld_total{account=\"a\"} 1\n"), "{}", text());

    let (writer, reader) = feed();
    let stop = CancellationToken::new();
    let task = tokio::spawn(pusher.run(reader, stop.clone()));
    for (namespace, is_told) in [("shop", true), ("other", false)] {
        writer.publish(cluster.read(&[(namespace, None)], Vec::new()));
        tokio::time::sleep(2 * INTERVAL).await;
        assert_eq!(text().contains("account=\"a\""), is_told, "{}", text());
    }
    stop.cancel();
    task.await.unwrap().unwrap();
}

/// The service at work, and the cluster that it reports.
struct Service {
    cluster: Cluster,
    writer: SnapshotWriter,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<Result<(), String>>,
}

impl Service {
    fn start(receiver: &Scripted, settings: AnchoreSettings) -> Self {
        let (writer, reader) = feed();
        let stop = CancellationToken::new();
        let pusher = pusher(receiver, settings, &PushBoard::default());
        let task = tokio::spawn(pusher.run(reader, stop.clone()));
        Self { cluster: Cluster::new(), writer, stop, task }
    }

    /// Publishes a snapshot and lets so much time pass.
    async fn poll(&mut self, namespaces: &[&str], pause: Duration) {
        let namespaces: Vec<_> = namespaces.iter().map(|name| (*name, None)).collect();
        let snapshot = self.cluster.read(&namespaces, Vec::new());
        self.writer.publish(snapshot);
        tokio::time::sleep(pause).await;
    }

    async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn each_snapshot_is_sent_once_after_a_first_wait_within_the_interval() {
    let receiver = Scripted::new(|_| taken());
    let mut service = Service::start(&receiver, settings(&[]));
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert!(receiver.posts().is_empty(), "nothing was read yet");
    for namespaces in [&["a"][..], &["a", "b"], &["b"]] {
        service.poll(namespaces, INTERVAL).await;
    }
    // No poll: the same is not sent again.
    tokio::time::sleep(3 * INTERVAL).await;
    let sent: Vec<_> = receiver.posts().iter().map(|posted| namespaces_in(&posted.body)).collect();
    assert_eq!(sent, [names(&["a"]), names(&["a", "b"]), names(&["b"])]);
    service.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_was_down_gets_the_newest_alone() {
    let is_up = Arc::new(Mutex::new(false));
    let now = Arc::clone(&is_up);
    let receiver = Scripted::new(move |_| if *now.lock().unwrap() { taken() } else { Err(down()) });
    let mut service = Service::start(&receiver, settings(&[]));
    for namespaces in [&["a"][..], &["a", "b"], &["b", "c"]] {
        service.poll(namespaces, INTERVAL).await;
    }
    let before = receiver.posts().len();
    assert!((6..40).contains(&before), "tried again with growing waits: {before}");
    *is_up.lock().unwrap() = true;
    tokio::time::sleep(INTERVAL).await;
    let sent: Vec<_> = receiver.posts()[before..].iter().map(|posted| namespaces_in(&posted.body)).collect();
    assert_eq!(sent, [names(&["b", "c"])]);
    service.end().await;
}

#[tokio::test(start_paused = true)]
async fn on_change_only_what_changed_is_sent_and_at_once() {
    let receiver = Scripted::new(|_| taken());
    let mut service =
        Service::start(&receiver, AnchoreSettings { push_when: PushWhen::Change, ..settings(&[("a", &["shop"])]) });
    service.poll(&["ops", "shop"], INTERVAL).await;
    assert_eq!(receiver.posts().len(), 2);
    service.poll(&["ops", "shop"], INTERVAL).await;
    assert_eq!(receiver.posts().len(), 2, "nothing has changed");
    service.poll(&["ops", "pay", "shop"], Duration::from_millis(1)).await;
    let posts = receiver.posts();
    assert_eq!(posts[2..].iter().map(|posted| posted.account.as_str()).collect::<Vec<_>>(), ["admin"]);
    assert_eq!(namespaces_in(&posts[2].body), names(&["ops", "pay"]));
    service.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_no_further_try() {
    let receiver = Scripted::new(|_| Err(down()));
    let mut service = Service::start(&receiver, settings(&[]));
    service.poll(&["a"], INTERVAL).await;
    let (begun, before) = (tokio::time::Instant::now(), receiver.posts().len());
    service.end().await;
    assert!(begun.elapsed() < Duration::from_millis(10), "{:?}", begun.elapsed());
    assert_eq!(receiver.posts().len(), before);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_without_a_name_is_not_pushed() {
    let receiver = Scripted::new(|_| taken());
    let mut nameless = Cluster(PodIndex::new("", NamespaceSelection::default()));
    let error = push(&receiver, settings(&[]), &nameless.read(&[("a", None)], Vec::new())).await.unwrap_err();
    assert!(error.to_string().contains("--cluster-name"), "{error}");
    assert!(receiver.posts().is_empty());
}
