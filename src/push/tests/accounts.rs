//! Which account a namespace reaches, whatever the receiver answers.

use super::*;

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
        let plan = Plan::of(&Latest::from(&snapshot), &settings);
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
    let plan = Plan::of(&Latest::from(&snapshot), &settings(routes));
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
    let plan = Plan::of(&Latest::from(&Cluster::new().read(&[("shop", label)], Vec::new())), &settings);
    assert_eq!(plan.routing.shares.first().map(|share| &*share.account), expected);
    assert_eq!(plan.routing.unclear().count(), 0, "left out on purpose is no error");
}

#[test]
fn a_namespace_whose_labels_are_hidden_goes_nowhere() {
    let mut settings = settings(&[("b", &["ops"])]);
    settings.route_by_label =
        Some(LabelRoute { key: "team".to_owned(), default_account: None, ignore_missing_label: false });
    let pods = ["shop", "ops"].map(|namespace| Event::from(pod(&format!("{namespace}/web"), "nginx:1")));
    let plan = Plan::of(&Latest::from(&Cluster::new().read(&[], pods.into())), &settings);
    let unclear: Vec<&str> = plan.routing.unclear().map(|(namespace, _)| &**namespace).collect();
    assert_eq!(unclear, ["shop"], "a route by name needs no label");
}

#[rstest]
#[case::substring(&[("a", &["prod"][..])], "nonprod", Some(&["a"][..]))]
#[case::the_same(&[("a", &["prod"][..])], "prod", None)]
#[case::expressions_are_alike(&[("a", &["^pr"][..])], "prod", None)]
#[case::twice(&[("a", &["prod"][..]), ("b", &["pro.*"])], "prod", Some(&["a", "b"][..]))]
#[case::nowhere(&[("a", &["prod"][..])], "other", None)]
fn what_k8s_inventory_would_have_routed_otherwise_is_listed(
    #[case] routes: &[(&str, &[&str])],
    #[case] namespace: &str,
    #[case] expected: Option<&[&str]>,
) {
    let plan = Plan::of(&Latest::from(&Cluster::new().read(&[(namespace, None)], Vec::new())), &settings(routes));
    let found = plan.routing.decisions[0].k8s_inventory.as_ref();
    assert_eq!(
        found.map(|accounts| accounts.iter().map(|account| &**account).collect()),
        expected.map(<[&str]>::to_vec)
    );
}
