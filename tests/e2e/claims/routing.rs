//! Which account a namespace of a real cluster is reported to.

use crate::fake_anchore::scenario::Scenario;
use crate::fake_anchore::server::Received;
use crate::harness::{Anchore, eventually, inventory_of, shared};

super::claims! {
    AnyCluster: a_namespace_goes_to_the_account_of_its_label_and_follows_it,
}

const LABEL: &str = "anchore.example.com/account";

/// The reports to `account` that have this namespace.
fn reports_of(anchore: &Anchore, account: &str, namespace: &str) -> Vec<Received> {
    let is_it = |report: &Received| {
        report.account.as_deref() == Some(account) && inventory_of(report).namespaces.contains(namespace)
    };
    anchore.reports().into_iter().filter(is_it).collect()
}

#[track_caller]
fn wait_for(anchore: &Anchore, account: &str, namespace: &str, count: usize) -> Vec<Received> {
    eventually(&format!("{count} reports of {namespace} to {account}"), std::time::Duration::from_mins(1), || {
        let reports = reports_of(anchore, account, namespace);
        if reports.len() >= count { Ok(reports) } else { Err(format!("{:?}", accounts(anchore))) }
    })
}

/// Which account was told of which namespaces.
fn accounts(anchore: &Anchore) -> Vec<(Option<String>, Vec<String>)> {
    let told = |report: Received| {
        let namespaces = inventory_of(&report).namespaces.into_iter().collect();
        (report.account, namespaces)
    };
    anchore.reports().into_iter().map(told).collect()
}

fn time_of(report: &Received) -> String {
    report.json()["timestamp"].as_str().expect("a time").to_owned()
}

fn a_namespace_goes_to_the_account_of_its_label_and_follows_it() {
    let cluster = shared();
    let (moved, steady, bare) = (cluster.namespace("moved"), cluster.namespace("steady"), cluster.namespace("bare"));
    let label = |name: &str, account: &str| {
        cluster.kubectl(&["label", "--overwrite", "namespace", name, &format!("{LABEL}={account}")]);
    };
    label(&moved.name, "team-a");
    label(&steady.name, "team-b");
    for namespace in [&moved, &steady, &bare] {
        namespace.create_pod("web", "web:1");
    }
    let anchore = Anchore::start(Scenario::v2());
    let names = [&*moved.name, &*steady.name, &*bare.name];
    let kai = cluster.kai().pushing_to(&anchore).args(&["-n", &names.join(",")]);
    let _service = kai.env("KAI_ACCOUNT_ROUTE_BY_NAMESPACE_LABEL_KEY", LABEL).serve().ready();
    wait_for(&anchore, "team-a", &moved.name, 2);
    wait_for(&anchore, "team-b", &steady.name, 2);
    wait_for(&anchore, "admin", &bare.name, 2);
    let early = reports_of(&anchore, "team-b", &moved.name);
    assert!(early.is_empty(), "nothing is told to the other account: {:?}", accounts(&anchore));

    label(&moved.name, "team-b");
    let late = wait_for(&anchore, "team-b", &moved.name, 3);
    // Each account has a worker of its own, so that only the time of the snapshot tells which report is newer.
    let first = late.iter().map(time_of).min();
    let last = reports_of(&anchore, "team-a", &moved.name).iter().map(time_of).max();
    assert!(last <= first, "told to team-a at {last:?} and to team-b from {first:?} on");
    for (account, namespaces) in accounts(&anchore) {
        let account = account.as_deref().expect("an account");
        let its_own: &[&str] = match account {
            "team-a" => &[&moved.name],
            "team-b" => &[&moved.name, &steady.name],
            _ => &[&bare.name],
        };
        assert!(namespaces.iter().all(|name| its_own.contains(&&**name)), "{account} was told of {namespaces:?}");
    }
}
