//! What is sent again, what is withheld, and who waits for whom.

use super::*;

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
    vec![testing::refused(pods_of("secret"), "missing right: list pods"), namespace("empty")]
}

#[tokio::test(start_paused = true)]
async fn an_incomplete_inventory_is_withheld_and_names_what_is_missing() {
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
    let skipped = testing::skipped(None, "item 7");
    let more = incomplete().into_iter().chain([skipped]).collect();
    push(&receiver, settings(), &Cluster::new().read(&[("shop", None)], more)).await.unwrap();
    assert_eq!(namespaces_in(&receiver.posts()[1].body), names(&["shop"]));
}

/// A pusher, and the metrics of its pushes.
fn counted(receiver: &Scripted, settings: AnchoreSettings) -> (Pusher<Scripted>, impl Fn() -> String + use<>) {
    let (board, metrics, policy) = (PushBoard::default(), Metrics::default(), ReportPolicy::default());
    let health = Health::new(feed().1, None, INTERVAL, board.clone());
    let exposition = Exposition::new(metrics.clone(), health, &policy, &MetricsSettings::default());
    let delivery = Delivery::new(receiver.clone(), user("me"), Arc::new(settings), policy, board, metrics);
    (Pusher::to(delivery, INTERVAL), move || exposition.text(Serving::default()).unwrap())
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
async fn what_is_withheld_is_counted_and_an_account_without_namespaces_is_dropped() {
    let (pusher, text) = counted(&Scripted::new(|_| taken()), settings(&[("a", &["shop"])]));
    let mut cluster = Cluster::new();
    let refused = testing::refused(pods_of("hidden"), "no right");
    let incomplete = cluster.read(&[("shop", None)], vec![refused]);
    pusher.push_once(&incomplete).await.unwrap_err();
    assert!(text().contains("kai_push_withheld_total{account=\"a\"} 1\n"), "{}", text());

    let (writer, reader) = feed();
    let stop = CancellationToken::new();
    let task = tokio::spawn(pusher.run(reader, stop.clone()));
    for (namespace, is_listed) in [("shop", true), ("other", false)] {
        writer.publish(cluster.read(&[(namespace, None)], Vec::new()));
        tokio::time::sleep(2 * INTERVAL).await;
        assert_eq!(text().contains("account=\"a\""), is_listed, "{}", text());
    }
    stop.cancel();
    task.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_cluster_without_a_name_is_not_pushed() {
    let receiver = Scripted::new(|_| taken());
    let mut nameless = Cluster(PodIndex::new("", NamespaceSelection::default()));
    let error = push(&receiver, settings(&[]), &nameless.read(&[("a", None)], Vec::new())).await.unwrap_err();
    assert!(error.to_string().contains("--cluster-name"), "{error}");
    assert!(receiver.posts().is_empty());
}
