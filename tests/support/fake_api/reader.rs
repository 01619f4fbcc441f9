//! The other side: kai's source pointed at the fake, with everything bounded in time.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kai::cluster::{ClusterError, ClusterSource, Environment, Progress, install_crypto_provider};
use kai::config::{ClusterSettings, Impersonation, KubeconfigSource};
use kai::inventory::NamespaceSelection;
use kai::snapshot::{Event, ListScope, Object, PodIndex, Snapshot};

/// No test waits longer than this for anything.
const LIMIT: Duration = Duration::from_secs(40);

/// What one relist gave.
pub(crate) struct Read {
    pub(crate) result: Result<(), ClusterError>,
    pub(crate) events: Vec<Event>,
    pub(crate) progress: Vec<Progress>,
}

impl Read {
    /// The message of a relist that failed.
    pub(crate) fn message(&self) -> String {
        self.result.as_ref().unwrap_err().to_string()
    }

    /// What is left when a list that began again has dropped what it gave: `NAMESPACE/NAME` of pods, sorted.
    pub(crate) fn pods(&self) -> Vec<String> {
        let mut pods: Vec<String> = Vec::new();
        for event in &self.events {
            match event {
                Event::RelistBegun(ListScope::AllPods) | Event::Refused { scope: ListScope::AllPods, .. } => {
                    pods.clear();
                }
                Event::RelistBegun(ListScope::PodsOf(namespace))
                | Event::Refused { scope: ListScope::PodsOf(namespace), .. } => {
                    pods.retain(|pod| !pod.starts_with(&format!("{namespace}/")));
                }
                Event::Applied(Object::Pod(pod)) => pods.push(format!("{}/{}", pod.namespace, pod.name)),
                _ => {}
            }
        }
        pods.sort();
        pods
    }

    /// Names of namespaces that were listed, sorted, each as often as it came.
    pub(crate) fn namespaces(&self) -> Vec<String> {
        let names = self.events.iter().filter_map(|event| match event {
            Event::Applied(Object::Namespace(namespace)) => Some(namespace.name.to_string()),
            _ => None,
        });
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    /// What is left of nodes when a list that began again has dropped what it gave: their names, sorted.
    pub(crate) fn nodes(&self) -> Vec<String> {
        let mut nodes: Vec<String> = Vec::new();
        for event in &self.events {
            match event {
                Event::RelistBegun(ListScope::Nodes) => nodes.clear(),
                Event::Applied(Object::Node(node)) => nodes.push(node.name.to_string()),
                _ => {}
            }
        }
        nodes.sort();
        nodes
    }

    /// The snapshot that an index makes of it.
    pub(crate) fn snapshot(self, selection: &NamespaceSelection) -> Arc<Snapshot> {
        let mut index = PodIndex::new("fake", selection.clone());
        self.events.into_iter().for_each(|event| index.apply(event));
        index.publish().unwrap().snapshot
    }

    /// Scope and reason of each refusal.
    pub(crate) fn refusals(&self) -> Vec<(ListScope, String)> {
        let refusals = self.events.iter().filter_map(|event| match event {
            Event::Refused { scope, reason } => Some((scope.clone(), reason.to_string())),
            _ => None,
        });
        refusals.collect()
    }

    /// Whether the last thing said is that the relist ended.
    pub(crate) fn ended(&self) -> bool {
        matches!(self.events.last(), Some(Event::Observed(_)))
    }
}

/// Everything is selected.
pub(crate) fn all() -> NamespaceSelection {
    NamespaceSelection::default()
}

/// These namespaces are.
pub(crate) fn include(names: &[&str]) -> NamespaceSelection {
    NamespaceSelection::new(names.iter().map(|name| Box::from(*name)), Vec::new())
}

/// Settings for a kubeconfig: pages of two items, five seconds for a request.
pub(crate) fn settings(kubeconfig: &Path) -> ClusterSettings {
    ClusterSettings {
        source: KubeconfigSource::Path(kubeconfig.to_owned()),
        context: None,
        impersonation: Impersonation::default(),
        name: None,
        request_timeout: Duration::from_secs(5),
        page_size: 2,
        workers: 3,
    }
}

/// Connects in an environment without any variable.
pub(crate) async fn connect(settings: &ClusterSettings) -> Result<ClusterSource, ClusterError> {
    install_crypto_provider();
    tokio::time::timeout(LIMIT, ClusterSource::connect(settings, &Environment::default())).await.unwrap()
}

/// One relist, taken to its end.
pub(crate) async fn relist(source: &mut ClusterSource, selection: &NamespaceSelection) -> Read {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let progress = Mutex::new(Vec::new());
    let report = |step| progress.lock().unwrap().push(step);
    let mut events = Vec::new();
    let work = async {
        let result = source.relist(selection, &sender, &report).await;
        drop(sender);
        result
    };
    let collect = async {
        while let Some(batch) = receiver.recv().await {
            events.extend(batch);
        }
    };
    let (result, ()) = tokio::time::timeout(LIMIT, async { tokio::join!(work, collect) }).await.unwrap();
    Read { result: result.map(drop), events, progress: progress.into_inner().unwrap() }
}
