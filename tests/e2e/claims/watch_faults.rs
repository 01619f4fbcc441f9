//! What goes wrong under an open watch, and that kai says nothing false meanwhile and finds its way back alone.

use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use serde_json::json;

use super::watching::{BACK, at_once, images, watching};
use crate::harness::{Answer, Kai, Liar, Proxy, Service, eventually, images_of, outage, results, shared, soaks};

super::claims! {
    OwnControlPlane: a_stopped_etcd_under_the_watch_costs_age_and_nothing_else,
        a_token_rotated_under_the_watch_is_taken_up,
        the_verb_watch_taken_away_under_the_watch_means_polling_until_it_is_given_again,
        random_changes_with_faults_in_between_end_in_what_a_fresh_list_says;
    OwnControlPlaneAndMinutes: a_watch_that_nothing_comes_through_is_opened_again,
        a_pod_that_the_watch_withheld_is_found_by_a_list,
}

/// From one look at an answer to the next.
const LOOK: Duration = Duration::from_millis(100);

/// The answer is there, and has this image.
fn has(image: &str) -> impl Fn(&Answer) -> bool + Sync {
    move |answer| answer.status == 200 && answer.body.contains(image)
}

/// Seconds since the inventory was last known to be true.
fn age(service: &Service) -> u64 {
    let age = service.get("/readyz?verbose").json()["snapshot"]["age_seconds"].as_u64();
    age.expect("a snapshot has an age")
}

fn a_stopped_etcd_under_the_watch_costs_age_and_nothing_else() {
    let (_turn, cluster) = outage();
    let namespace = cluster.namespace("etcdless");
    namespace.create_pod("before", "before:1");
    let service = watching(cluster.kai().env("KAI_COLLECTION_METHOD", "watch"));
    let path = images(&namespace);
    // A stream that has brought something has a bookmark each minute, also from a server without its store.
    namespace.create_pod("brought", "brought:1");
    service.get_until(&path, BACK, has("brought:1"));
    let away_for = Duration::from_secs(if soaks() { 75 } else { 10 });
    service.meanwhile(&path, has("before:1"), || {
        cluster.plane().end("etcd", "KILL");
        let begun = Instant::now();
        while begun.elapsed() < away_for {
            let away = begun.elapsed().as_secs();
            assert!(age(&service) >= away, "the age is the true one after {away} s: {}", service.log());
            sleep(LOOK);
        }
        cluster.plane().start_again("etcd");
        cluster.await_server();
        let back = Instant::now();
        namespace.create_pod("after", "after:1");
        service.get_until(&path, BACK, has("after:1"));
        drop(writeln!(std::io::stdout(), "a pod after etcd is back: {:?}", back.elapsed()));
    });
    service.get_until("/readyz?verbose", BACK, |answer| answer.body.contains("the cluster is watched"));
}

fn a_token_rotated_under_the_watch_is_taken_up() {
    let cluster = shared();
    let namespace = cluster.namespace("rotated");
    namespace.create_pod("before", "before:1");
    let account = namespace.account("kai");
    account.let_do("list,watch", "pods,namespaces");
    let proxy = Proxy::before(cluster);
    let file = cluster.scratch(&namespace.name).join("token");
    let write = |token: &str| {
        std::fs::write(&file, token).expect("the token can be written");
        ["file", "inline"].map(|place| {
            let user = if place == "file" { json!({"tokenFile": file}) } else { json!({"token": token}) };
            cluster.write_kubeconfig(&format!("{}-{place}", namespace.name), &proxy.endpoint(cluster), &user)
        })
    };
    let old = namespace.bound_token("kai", "old");
    let services = write(&old).map(|kubeconfig| watching(Kai::new(&kubeconfig)));
    let [of_file, inline] = &services;
    let path = images(&namespace);
    of_file.meanwhile(&path, has("before:1"), || {
        inline.meanwhile(&path, has("before:1"), || {
            write(&namespace.bound_token("kai", "new"));
            namespace.end_token(&old, "old");
            namespace.create_pod("between", "between:1");
            for service in &services {
                at_once(service, &path, "a pod while the old token is over", has("between:1"));
            }
            proxy.cut();
            namespace.create_pod("after", "after:1");
            for service in &services {
                service.get_until(&path, BACK, has("after:1"));
            }
        });
    });
    namespace.create_pod("later", "later:1");
    for service in &services {
        service.get_until("/readyz?verbose", BACK, |answer| answer.body.contains("the cluster is watched"));
        at_once(service, &path, "a pod after the rotation", has("later:1"));
        assert!(!service.log().contains("poll failed"), "nobody had to wait for it: {}", service.log());
    }
}

fn the_verb_watch_taken_away_under_the_watch_means_polling_until_it_is_given_again() {
    let cluster = shared();
    let namespace = cluster.namespace("forbidden");
    namespace.create_pod("before", "before:1");
    let account = namespace.account("kai");
    account.let_do("list", "pods,namespaces");
    account.let_do("watch", "pods,namespaces");
    let proxy = Proxy::before(cluster);
    let user = json!({"token": account.token});
    let service = watching(Kai::new(&cluster.write_kubeconfig(&namespace.name, &proxy.endpoint(cluster), &user)));
    let path = images(&namespace);
    service.meanwhile(&path, has("before:1"), || {
        account.take_back("watch");
        // A stream that is open stays so: the server asks for rights at its beginning.
        proxy.cut();
        let polling = service.get_until("/readyz?verbose", BACK, |answer| answer.body.contains("is polled"));
        assert!(polling.status == 200 && polling.body.contains("missing right: watch"), "{polling:?}");
        namespace.create_pod("polled", "polled:1");
        service.get_until(&path, BACK, has("polled:1"));
        account.let_do("watch", "pods,namespaces");
        service.get_until("/readyz?verbose", BACK, |answer| answer.body.contains("the cluster is watched"));
        namespace.create_pod("after", "after:1");
        at_once(&service, &path, "a pod once it may be watched again", has("after:1"));
    });
    let warnings = service.log().lines().filter(|line| line.contains("add the verb watch")).count();
    assert_eq!(warnings, 1, "{}", service.log());
}

fn random_changes_with_faults_in_between_end_in_what_a_fresh_list_says() {
    let (_turn, cluster) = outage();
    let namespaces = ["one", "two", "three", "four", "five"].map(|purpose| cluster.namespace(purpose));
    let names = namespaces.each_ref().map(|namespace| namespace.name.as_str());
    let changes = if soaks() { 2000 } else { 300 };
    let proxy = Proxy::before(cluster);
    let service = watching(proxy.kai(cluster).env("KAI_COLLECTION_METHOD", "watch"));
    let kill = || {
        cluster.plane().end("kube-apiserver", "KILL");
        cluster.plane().start_again("kube-apiserver");
    };
    let faults: [&dyn Fn(); 4] = [&|| proxy.cut(), &kill, &|| proxy.cut(), &kill];
    let (done, begun) = (AtomicUsize::new(0), Instant::now());
    service.meanwhile("/inventory", has("results"), || {
        scope(|scope| {
            let writing = scope.spawn(|| cluster.churn(&names, changes, 2026, &done));
            for (number, fault) in (1..).zip(faults) {
                eventually("changes", BACK, || {
                    let made = done.load(Ordering::SeqCst);
                    let is_time = made >= number * changes / 5 || writing.is_finished();
                    if is_time { Ok(()) } else { Err(format!("{made} were made")) }
                });
                fault();
            }
            writing.join().expect("writing ends").expect("every change is made");
        });
    });
    let fresh = results(&cluster.kai().run().ended_with(0).stdout);
    names.iter().for_each(|name| assert!(!images_of(&fresh, name).is_empty(), "pods are left in {name}: {fresh:#}"));
    eventually("inventory as a fresh list has it", BACK, || {
        let watched = results(&service.get("/inventory").body);
        if watched == fresh { Ok(()) } else { Err(format!("{watched:#}\nand not {fresh:#}\nlog: {}", service.log())) }
    });
    let took = begun.elapsed();
    let (made, lists) = (done.load(Ordering::SeqCst), service.polls());
    let metrics = service.get("/metrics").body;
    let restarts: Vec<&str> =
        metrics.lines().filter_map(|line| line.strip_prefix("kai_watch_restarts_total")).collect();
    let left = if soaks() { "" } else { " (2,000 are left for make soak: KAI_SOAK=1)" };
    drop(writeln!(
        std::io::stdout(),
        "{made} changes{left}, {} faults, {lists} lists in {took:?}; {restarts:?}",
        faults.len()
    ));
    assert!(made >= changes && lists <= 1 + faults.len(), "{made} changes, {lists} lists: {}", service.log());
}

fn a_watch_that_nothing_comes_through_is_opened_again() {
    let (_turn, cluster) = outage();
    let namespace = cluster.namespace("silent");
    let proxy = Proxy::before(cluster);
    let service = watching(proxy.kai(cluster).env("KAI_COLLECTION_METHOD", "watch"));
    let path = images(&namespace);
    // A stream has bookmarks, one a minute, once it has brought something: then silence is known for what it is.
    namespace.create_pod("before", "before:1");
    cluster.kubectl(&["label", "namespace", &namespace.name, "seen=yes"]);
    service.get_until("/metrics", BACK, |answer| {
        let bookmarks =
            answer.body.lines().find_map(|line| line.strip_prefix("kai_watch_events_total{type=\"bookmark\"} "));
        bookmarks.and_then(|count| count.parse::<u64>().ok()) >= Some(2)
    });
    proxy.freeze();
    let (frozen, came) = (Instant::now(), proxy.came());
    namespace.create_pod("after", "after:1");
    while proxy.came() == came {
        let seconds = frozen.elapsed().as_secs();
        let (answer, age) = (service.get(&path), age(&service));
        let is_true = has("before:1")(&answer) && !answer.body.contains("after:1") && age >= seconds;
        assert!(is_true || proxy.came() > came, "after {seconds} s, at an age of {age} s: {answer:?}");
        assert!(seconds < 160, "it is taken for dead by now: {}", service.log());
        sleep(LOOK);
    }
    drop(writeln!(std::io::stdout(), "opened again after {:?}", frozen.elapsed()));
    service.get_until(&path, BACK, has("after:1"));
    service.get_until("/readyz?verbose", BACK, |answer| answer.body.contains("the cluster is watched"));
    assert_eq!(service.polls(), 1, "it goes on from where it was: {}", service.log());
}

fn a_pod_that_the_watch_withheld_is_found_by_a_list() {
    let cluster = shared();
    let namespace = cluster.namespace("lies");
    let liar = Liar::withholding("withheld-pod", cluster);
    let kai = liar.kai(cluster).env("KAI_COLLECTION_METHOD", "watch");
    let service = watching(kai.env("KAI_COLLECTION_VERIFY_INTERVAL_SECONDS", "20"));
    let path = images(&namespace);
    namespace.create_pod("withheld-pod", "withheld:1");
    namespace.create_pod("seen", "seen:1");
    at_once(&service, &path, "a pod beside the one that is withheld", has("seen:1"));
    assert!(!service.get(&path).body.contains("withheld:1"), "the lie is told: {}", service.log());
    service.get_until(&path, BACK, has("withheld:1"));
    let log = service.log();
    let said = log.lines().find(|line| line.contains("the watch has missed changes")).unwrap_or_default();
    assert!(said.contains(&format!("{}/withheld-pod", namespace.name)), "{log}");
    let metrics = service.get("/metrics").body;
    assert!(metrics.contains("kai_audit_differences_total 1\n"), "{metrics}");
    assert_eq!(service.polls(), 1, "{log}");
}
