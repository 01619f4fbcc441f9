//! A cluster as its administrator sees it, through kubectl.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};

use super::kai::Kai;
use super::plane::{ControlPlane, program};
use super::process::{Ended, run};
use super::{Audit, eventually};

const KUBECTL_LIMIT: Duration = Duration::from_mins(3);
/// A control plane that starts, or a small machine with much to do, may be busy for a while.
const READY_LIMIT: Duration = Duration::from_mins(2);

/// A cluster where the run may do everything.
pub(crate) struct Cluster {
    /// The administrator's.
    pub(crate) kubeconfig: PathBuf,
    /// The entry of the cluster in a kubeconfig: address, and authority inline.
    pub(crate) endpoint: Value,
    kubectl: PathBuf,
    scratch: PathBuf,
    plane: Option<ControlPlane>,
}

/// A namespace of one claim; removed with it.
pub(crate) struct Namespace<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) name: String,
}

/// A service account of a namespace, without any right at first.
pub(crate) struct Account<'a> {
    pub(crate) namespace: &'a Namespace<'a>,
    pub(crate) token: String,
    pub(crate) kubeconfig: PathBuf,
    name: String,
    bindings: std::cell::RefCell<Vec<String>>,
}

impl Cluster {
    /// One that `E2E_KUBECONFIG` names.
    pub(crate) fn external(kubeconfig: &Path, scratch: PathBuf) -> Self {
        let built = program("kubectl");
        let kubectl = if built.exists() { built } else { "kubectl".into() };
        Self::new(kubeconfig.to_owned(), kubectl, scratch, None)
    }

    /// One that this run started.
    pub(crate) fn own(plane: ControlPlane, scratch: PathBuf) -> Self {
        Self::new(plane.dir.join("kubeconfig"), program("kubectl"), scratch, Some(plane))
    }

    fn new(kubeconfig: PathBuf, kubectl: PathBuf, scratch: PathBuf, plane: Option<ControlPlane>) -> Self {
        let mut cluster = Self { kubeconfig, endpoint: Value::Null, kubectl, scratch, plane };
        let view = cluster.kubectl_json(&["config", "view", "--raw", "--flatten", "--minify", "-o", "json"]);
        cluster.endpoint = view["clusters"][0]["cluster"].clone();
        eventually("namespace default", READY_LIMIT, || {
            let ended = cluster.try_kubectl(&["get", "namespace", "default"], "");
            if ended.status.success() { Ok(()) } else { Err(ended.stderr) }
        });
        cluster
    }

    pub(crate) fn stop(&self) {
        if let Some(plane) = &self.plane {
            plane.stop();
        }
    }

    /// The control plane that this run started.
    pub(crate) fn plane(&self) -> &ControlPlane {
        self.plane.as_ref().expect("the claim is only tried on a control plane of its own")
    }

    /// Requests that the API server has seen.
    pub(crate) fn audit(&self) -> Audit {
        Audit::of(&self.plane().dir.join("audit.jsonl"))
    }

    /// Waits until the API server answers, as one that was away does after a while.
    #[track_caller]
    pub(crate) fn await_server(&self) {
        eventually("API server", READY_LIMIT, || {
            let ended = self.try_kubectl(&["get", "namespaces"], "");
            if ended.status.success() { Ok(()) } else { Err(ended.stderr) }
        });
    }

    /// Runs kubectl as the administrator; `input` is its standard input.
    pub(crate) fn try_kubectl(&self, arguments: &[&str], input: &str) -> Ended {
        let mut command = Command::new(&self.kubectl);
        command.env_remove("KUBECONFIG").env("HOME", &self.scratch);
        command.arg("--kubeconfig").arg(&self.kubeconfig).args(arguments);
        run(command, input, KUBECTL_LIMIT)
    }

    /// What kubectl prints; panics when it fails.
    #[track_caller]
    pub(crate) fn kubectl(&self, arguments: &[&str]) -> String {
        let ended = self.try_kubectl(arguments, "");
        assert!(ended.status.success(), "kubectl {arguments:?}: {}", ended.stderr);
        ended.stdout
    }

    /// The JSON that kubectl prints.
    #[track_caller]
    pub(crate) fn kubectl_json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.kubectl(arguments)).expect("kubectl prints JSON")
    }

    /// Creates objects, and gives those that have a `status` that status, as a controller or a kubelet would.
    #[track_caller]
    pub(crate) fn create(&self, objects: &[Value]) {
        let list = json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string();
        let created = self.try_kubectl(&["create", "-f", "-"], &list);
        assert!(created.status.success(), "kubectl create: {}", created.stderr);
        for object in objects.iter().filter(|object| !object["status"].is_null()) {
            let meta = &object["metadata"];
            let (namespace, name) =
                (meta["namespace"].as_str().expect("namespaced"), meta["name"].as_str().expect("named"));
            self.patch_status(namespace, name, &object["status"]);
        }
    }

    /// Merges `status` into that of a pod.
    #[track_caller]
    pub(crate) fn patch_status(&self, namespace: &str, name: &str, status: &Value) {
        let patch = json!({"status": status}).to_string();
        self.kubectl(&["-n", namespace, "patch", "pod", name, "--subresource=status", "--type=merge", "-p", &patch]);
    }

    /// A namespace of its own for a claim; `purpose` is a word for it.
    pub(crate) fn namespace(&self, purpose: &str) -> Namespace<'_> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("e2e-{}-{number}-{purpose}", std::process::id());
        self.kubectl(&["create", "namespace", &name]);
        Namespace { cluster: self, name }
    }

    /// kai with the administrator's rights.
    pub(crate) fn kai(&self) -> Kai {
        Kai::new(&self.kubeconfig)
    }

    /// Writes a kubeconfig of one context, called `e2e`; `user` is the entry of the user, `endpoint` that of the cluster.
    pub(crate) fn write_kubeconfig(&self, name: &str, endpoint: &Value, user: &Value) -> PathBuf {
        let path = self.scratch.join(format!("{name}.kubeconfig"));
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "e2e",
            "clusters": [{"name": "e2e", "cluster": endpoint}],
            "users": [{"name": "e2e", "user": user}],
            "contexts": [{"name": "e2e", "context": {"cluster": "e2e", "user": "e2e"}}],
        });
        fs::write(&path, config.to_string()).expect("the kubeconfig can be written");
        path
    }

    /// A new folder of a claim's own.
    pub(crate) fn scratch(&self, name: &str) -> PathBuf {
        let path = self.scratch.join(name);
        fs::create_dir_all(&path).expect("a folder can be made");
        path
    }

    /// Fills the cluster with made pods; the error is the server's answer.
    pub(crate) fn fill(&self, pods: u64, namespaces: u64) -> Result<(), String> {
        kai::cluster::install_crypto_provider();
        let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
        runtime.block_on(async {
            let client = client(&self.kubeconfig).await?;
            crate::fill::fill(client, crate::realistic::Cluster { pods, namespaces }, 16, |_| ()).await
        })
    }
}

/// A client as a program has it, for what is too much for kubectl.
pub(super) async fn client(kubeconfig: &Path) -> Result<kube::Client, String> {
    let kubeconfig = Kubeconfig::read_from(kubeconfig).map_err(|error| error.to_string())?;
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .map_err(|error| error.to_string())?;
    kube::Client::try_from(config).map_err(|error| error.to_string())
}

impl<'a> Namespace<'a> {
    /// A new service account in it. kai with its kubeconfig has its rights alone: none.
    pub(crate) fn account(&'a self, name: &str) -> Account<'a> {
        self.cluster.kubectl(&["-n", &self.name, "create", "serviceaccount", name]);
        let token = self.token(name, &[]);
        let user = json!({"token": token});
        let file = format!("{}-{name}", self.name);
        let kubeconfig = self.cluster.write_kubeconfig(&file, &self.cluster.endpoint, &user);
        Account { namespace: self, token, kubeconfig, name: name.to_owned(), bindings: std::cell::RefCell::default() }
    }

    /// A token of the account `name`, with more arguments of `kubectl create token`.
    pub(crate) fn token(&self, name: &str, arguments: &[&str]) -> String {
        let arguments = [&["-n", &self.name, "create", "token", name], arguments].concat();
        self.cluster.kubectl(&arguments).trim().to_owned()
    }

    /// A token of the account `name` that ends with the new secret `secret`: the only way to end one before its time.
    pub(crate) fn bound_token(&self, name: &str, secret: &str) -> String {
        self.cluster.kubectl(&["-n", &self.name, "create", "secret", "generic", secret]);
        self.token(name, &["--bound-object-kind=Secret", &format!("--bound-object-name={secret}")])
    }

    /// Ends `token`, which is bound to `secret`, and waits until the API server does not take it any more: it believes one
    /// for ten seconds after it was last right.
    pub(crate) fn end_token(&self, token: &str, secret: &str) {
        self.cluster.kubectl(&["-n", &self.name, "delete", "secret", secret]);
        let user = json!({"token": token});
        let stale = self.cluster.write_kubeconfig(&format!("{}-old", self.name), &self.cluster.endpoint, &user);
        eventually("end of the token", READY_LIMIT, || {
            let code = Kai::new(&stale).run().code();
            if code == 1 { Ok(()) } else { Err(format!("kai with it ends with {code}")) }
        });
    }

    /// Lets `account` list pods in this namespace.
    pub(crate) fn let_list_pods(&self, account: &Account<'_>) {
        let user = format!("--serviceaccount={}:{}", account.namespace.name, account.name);
        self.cluster.kubectl(&["-n", &self.name, "create", "role", "pods", "--verb=list", "--resource=pods"]);
        self.cluster.kubectl(&["-n", &self.name, "create", "rolebinding", "pods", "--role=pods", &user]);
    }

    /// Lets `account` ask for this namespace itself, and waits until the server knows it.
    pub(crate) fn let_get_namespace(&self, account: &Account<'_>) {
        let user = account.user();
        let flag = format!("--serviceaccount={}:{}", account.namespace.name, account.name);
        self.cluster.kubectl(&["-n", &self.name, "create", "role", "itself", "--verb=get", "--resource=namespaces"]);
        self.cluster.kubectl(&["-n", &self.name, "create", "rolebinding", "itself", "--role=itself", &flag]);
        eventually("right to get the namespace", READY_LIMIT, || {
            let question = ["-n", &self.name, "auth", "can-i", "get", "namespaces", "--as", &user];
            let ended = self.cluster.try_kubectl(&question, "");
            if ended.status.success() { Ok(()) } else { Err(ended.stdout) }
        });
    }

    /// A pod of one running container `app`, with the digest that its image's name hashes to, more or less.
    #[track_caller]
    pub(crate) fn create_pod(&self, name: &str, image: &str) {
        self.cluster.create(&[super::pod(&self.name, name, &super::Containers::running(&[("app", image)]))]);
    }
}

impl Drop for Namespace<'_> {
    fn drop(&mut self) {
        drop(self.cluster.try_kubectl(&["delete", "namespace", &self.name, "--wait=false", "--ignore-not-found"], ""));
    }
}

impl Account<'_> {
    /// How the API server calls it.
    pub(crate) fn user(&self) -> String {
        format!("system:serviceaccount:{}:{}", self.namespace.name, self.name)
    }

    /// Lets it list these resources (`pods,namespaces`) in the whole cluster.
    pub(crate) fn let_list(&self, resources: &str) {
        self.let_do("list", resources);
    }

    /// Lets it do that (`list`) to these resources in the whole cluster.
    pub(crate) fn let_do(&self, verbs: &str, resources: &str) {
        let cluster = self.namespace.cluster;
        let name = format!("{}-{}-{}", self.namespace.name, self.name, self.bindings.borrow().len());
        let user = format!("--serviceaccount={}:{}", self.namespace.name, self.name);
        cluster.kubectl(&[
            "create",
            "clusterrole",
            &name,
            &format!("--verb={verbs}"),
            &format!("--resource={resources}"),
        ]);
        self.bindings.borrow_mut().push(name.clone());
        cluster.kubectl(&["create", "clusterrolebinding", &name, &format!("--clusterrole={name}"), &user]);
    }

    /// Takes away what it was let do last, and waits until the server knows; `verb` is one to ask about, to pods.
    pub(crate) fn take_back(&self, verb: &str) {
        let (cluster, user) = (self.namespace.cluster, self.user());
        let last = self.bindings.borrow_mut().pop().expect("it may do something");
        cluster.kubectl(&["delete", "clusterrolebinding,clusterrole", &last]);
        eventually("end of the right", READY_LIMIT, || {
            let ended = cluster.try_kubectl(&["auth", "can-i", verb, "pods", "-A", "--as", &user], "");
            if ended.stdout.trim() == "no" { Ok(()) } else { Err(ended.stdout + &ended.stderr) }
        });
    }

    /// kai with its rights.
    pub(crate) fn kai(&self) -> Kai {
        Kai::new(&self.kubeconfig)
    }
}

impl Drop for Account<'_> {
    fn drop(&mut self) {
        for name in self.bindings.borrow().iter() {
            let cluster = self.namespace.cluster;
            drop(cluster.try_kubectl(&["delete", "clusterrolebinding,clusterrole", name, "--ignore-not-found"], ""));
        }
    }
}
