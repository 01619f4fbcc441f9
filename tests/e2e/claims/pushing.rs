//! A service that reports every second, while everything around it comes and goes.

use std::time::Duration;

use serde_json::{Value, json};

use crate::fake_anchore::scenario::Scenario;
use crate::harness::{
    Anchore, Cluster, Containers, Inventory, Service, eventually, inventory_of, pod, pushed, results,
};

super::claims! {
    OwnControlPlane: every_report_is_a_state_that_the_cluster_had,
}

const LIMIT: Duration = Duration::from_mins(2);

/// The node of the cluster, which runs what is bound to it.
const NODE: &str = "node-001";

/// What the cluster was made to be, one object at a time. No two states are equal, so that a report tells its state.
struct History(Vec<Inventory>);

impl History {
    fn now(&self) -> &Inventory {
        self.0.last().expect("there is a first state")
    }

    /// One more state: the one before, changed.
    #[track_caller]
    fn add(&mut self, change: impl FnOnce(&mut Inventory)) {
        let mut state = self.now().clone();
        change(&mut state);
        assert!(!self.0.contains(&state), "each state is new: {state:#?}");
        self.0.push(state);
    }

    /// Which state this is.
    #[track_caller]
    fn position(&self, reported: &Inventory) -> usize {
        let position = self.0.iter().position(|state| state == reported);
        position.unwrap_or_else(|| panic!("the cluster was never like that: {reported:#?}; it was {:#?}", self.0))
    }
}

/// The claim's world.
struct World<'a> {
    cluster: &'a Cluster,
    service: &'a Service,
    history: History,
}

impl World<'_> {
    fn create_namespace(&mut self, name: &str) {
        self.history.add(|state| assert!(state.namespaces.insert(name.to_owned()), "{name} was not there"));
        self.cluster.kubectl(&["create", "namespace", name]);
    }

    /// A pod counts from the moment when its status says that it runs, all of its containers at once.
    fn create_pod(&mut self, namespace: &str, name: &str, images: &[&str]) {
        self.history.add(|state| images.iter().for_each(|image| state.add_created(namespace, image)));
        let names = ["app", "log"];
        let containers: Vec<(&str, &str)> = names.into_iter().zip(images.iter().copied()).collect();
        self.cluster.create(&[pod(namespace, name, &Containers::running(&containers))]);
    }

    /// A pod that the node runs. It reports no digest.
    fn create_pod_on_node(&mut self, namespace: &str, name: &str, image: &str) {
        self.history.add(|state| state.add(namespace, image, None));
        let mut object = pod(namespace, name, &Containers::running(&[("app", image)]));
        object["spec"]["nodeName"] = json!(NODE);
        object["status"] = Value::Null;
        self.cluster.create(&[object]);
        let name = format!("pod/{name}");
        self.cluster.kubectl(&[
            "-n",
            namespace,
            "wait",
            &name,
            "--for=jsonpath={.status.phase}=Running",
            "--timeout=60s",
        ]);
    }

    fn delete_pod(&mut self, namespace: &str, name: &str, image: &str) {
        self.history.add(|state| state.remove(namespace, image));
        self.cluster.kubectl(&["-n", namespace, "delete", "pod", name]);
    }

    /// A namespace with one pod, which goes before it.
    fn delete_namespace(&mut self, name: &str, image: &str) {
        self.history.add(|state| state.remove(name, image));
        self.history.add(|state| assert!(state.namespaces.remove(name), "{name} was there"));
        self.cluster.kubectl(&["delete", "namespace", name, "--timeout=150s"]);
    }

    /// Waits until kai knows the newest state. Pods and namespaces are two lists, each true of its own moment: only when
    /// no poll is under way can a namespace change between two changes of pods without a report that joins the two.
    fn wait_until_read(&self) {
        self.service.get_until("/inventory", LIMIT, |answer| {
            Inventory::of_results(&results(&answer.body)) == *self.history.now()
        });
    }

    /// (generation, outcome) of the newest report to the account.
    fn newest_push(&self) -> (u64, String) {
        let body = self.service.get("/readyz?verbose").json();
        let push = &body["push"][0];
        (push["generation"].as_u64().unwrap_or_default(), push["outcome"].as_str().unwrap_or_default().to_owned())
    }

    /// Waits until the outcome of a report of the generation that is served, or of a newer one, is among `wanted`.
    #[track_caller]
    fn wait_for_outcome(&self, wanted: &[&str]) {
        let generation = self.service.generation();
        eventually(&format!("outcome of generation {generation}"), LIMIT, || match self.newest_push() {
            (newest, outcome) if newest >= generation && wanted.contains(&outcome.as_str()) => Ok(()),
            other => Err(format!("{other:?}; log: {}", self.service.log())),
        });
    }

    /// The API server dies. What is known stays true of its time and is not said again.
    fn kill_api_server(&self, anchore: &Anchore) {
        self.cluster.plane().end("kube-apiserver", "KILL");
        let state = |answer: &Value| answer["snapshot"]["age_seconds"].as_u64().unwrap_or_default();
        self.service.get_until("/readyz?verbose", LIMIT, |answer| {
            let body = answer.json();
            body["checks"].as_array().is_some_and(|checks| checks.iter().any(|check| check["ok"] == false))
        });
        self.wait_for_outcome(&["accepted"]);
        let told = anchore.reports().len();
        self.service.get_until("/readyz?verbose", LIMIT, |answer| state(&answer.json()) >= 4);
        assert_eq!(anchore.reports().len(), told, "there is nothing to say: {}", self.service.log());
    }

    fn start_api_server(&self) {
        self.cluster.plane().start_again("kube-apiserver");
        eventually("API server", LIMIT, || {
            let ended = self.cluster.try_kubectl(&["get", "namespaces"], "");
            if ended.status.success() { Ok(()) } else { Err(ended.stderr) }
        });
    }
}

fn every_report_is_a_state_that_the_cluster_had() {
    let cluster = pushed();
    let namespace = cluster.namespace("home");
    let account = namespace.account("kai");
    account.let_list("pods,namespaces,nodes");
    let mut anchore = Anchore::start(Scenario::v2());
    let history = History(vec![first_state(cluster)]);
    let kai = account.kai().pushing_to(&anchore).args(&["--cluster-name", "coming-and-going"]);
    let service = kai.env("KAI_KUBERNETES_REQUEST_TIMEOUT_SECONDS", "3").serve().ready();
    let mut world = World { cluster, service: &service, history };
    anchore.wait_for_inventory(world.history.now());

    world.create_namespace("alpha");
    anchore.wait_for_inventory(world.history.now());
    world.create_pod("alpha", "web", &["registry.example.com:5000/web:1"]);
    world.create_pod_on_node("alpha", "agent", "agent:2");
    world.create_pod("alpha", "both", &["both:3", "both-log:3"]);
    world.delete_pod("alpha", "web", "registry.example.com:5000/web:1");
    anchore.wait_for_inventory(world.history.now());
    world.create_namespace("beta");
    anchore.wait_for_inventory(world.history.now());
    world.create_pod_on_node("beta", "db", "db:4");
    anchore.wait_for_inventory(world.history.now());

    world.kill_api_server(&anchore);
    world.start_api_server();
    world.create_pod("alpha", "after", &["after:5"]);
    anchore.wait_for_inventory(world.history.now());

    anchore.go_down();
    let told = anchore.reports().len();
    // The controller takes some seconds for it, in which every report fails.
    world.delete_namespace("beta", "db:4");
    world.wait_until_read();
    world.create_pod("alpha", "late", &["late:6"]);
    world.wait_until_read();
    world.wait_for_outcome(&["waiting", "failed"]);
    anchore.come_up();
    let first = inventory_of(&anchore.wait_for(told + 1)[told]);
    assert_eq!(first, *world.history.now(), "the newest state takes the place of all that could not be told");

    world.delete_pod("alpha", "agent", "agent:2");
    anchore.wait_for_inventory(world.history.now());
    assert_eq!(*world.history.now(), Inventory::of_cluster(cluster), "the history is that of the cluster");
    assert_told_in_order(&world, &anchore);
}

/// The namespaces that an API server makes itself come one by one.
fn first_state(cluster: &Cluster) -> Inventory {
    eventually("namespace of the system", LIMIT, || {
        let state = Inventory::of_cluster(cluster);
        let own = ["default", "kube-node-lease", "kube-public", "kube-system"];
        let missing = own.iter().find(|name| !state.namespaces.contains(**name));
        missing.map_or(Ok(state), |missing| Err(format!("there is no {missing}")))
    })
}

fn assert_told_in_order(world: &World<'_>, anchore: &Anchore) {
    // Read first: what arrives later belongs to later generations.
    let reports = anchore.reports();
    let mut before = (String::new(), 0);
    for report in &reports {
        assert_eq!((report.path.as_str(), report.account.as_deref()), ("/v2/kubernetes-inventory", Some("admin")));
        let body = report.json();
        let timestamp = body["timestamp"].as_str().expect("a time").to_owned();
        let now = (timestamp, world.history.position(&inventory_of(report)));
        assert!(before.0 <= now.0 && before.1 <= now.1, "{now:?} was told after {before:?}");
        before = now;
    }
    let newest = reports.last().expect("a report").json();
    assert_eq!(
        newest["nodes"][0]["name"], NODE,
        "nodes, which a server that starts may refuse at first, are there again"
    );
    // Each poll is pushed once at most, but for one that the receiver's death broke off.
    let polls = world.service.polls();
    assert!(reports.len() <= polls + 1, "{} reports of {polls} polls", reports.len());
}
