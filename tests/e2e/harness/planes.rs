//! The control planes of a run. Each is started when a claim first needs it and serves all that do not disturb each other.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::cluster::Cluster;
use super::plane::{ControlPlane, Options};

/// How many pods and namespaces [`filled`] has: more pods than a page, an odd last one, and namespaces without any.
pub(crate) const PODS: u64 = 603;
pub(crate) const NAMESPACES: u64 = 200;

/// The namespace of [`filled`] for accounts of claims: one that they made themselves would change what others read.
pub(crate) const READERS: &str = "readers";

static SHARED: OnceLock<Result<Cluster, String>> = OnceLock::new();
static FILLED: OnceLock<Result<Cluster, String>> = OnceLock::new();
static OUTAGE: OnceLock<Result<Cluster, String>> = OnceLock::new();
static PUSHED: OnceLock<Result<Cluster, String>> = OnceLock::new();
static OUTAGE_TURN: Mutex<()> = Mutex::new(());
static FILLED_TURN: RwLock<()> = RwLock::new(());

/// The kubeconfig of a cluster that exists, when the user names one.
pub(crate) fn external_kubeconfig() -> Option<PathBuf> {
    std::env::var_os("E2E_KUBECONFIG").filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Where this run keeps its data and logs.
pub(crate) fn run_dir() -> PathBuf {
    static DIR: OnceLock<PathBuf> = OnceLock::new();
    DIR.get_or_init(|| {
        let base = std::env::var_os("E2E_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
        let dir = base.join(format!("kai-e2e-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
        dir
    })
    .clone()
}

/// A cluster with controllers, a scheduler and three pretended nodes, where claims live side by side in namespaces of their
/// own; or the one of `E2E_KUBECONFIG`.
pub(crate) fn shared() -> &'static Cluster {
    get(&SHARED, "shared", Options { nodes: 3, api_server_flags: "", audit: false }, |_| Ok(()))
}

/// A cluster of made pods that nobody changes, with an audit log; or the one of `E2E_KUBECONFIG`, not filled.
pub(crate) fn filled() -> (RwLockReadGuard<'static, ()>, &'static Cluster) {
    (FILLED_TURN.read().unwrap_or_else(PoisonError::into_inner), get_filled())
}

/// The same while no other claim reads it.
pub(crate) fn filled_alone() -> (RwLockWriteGuard<'static, ()>, &'static Cluster) {
    (FILLED_TURN.write().unwrap_or_else(PoisonError::into_inner), get_filled())
}

fn get_filled() -> &'static Cluster {
    // Without snapshots of its cache the server reads later pages from etcd, so that a compaction makes tokens expire.
    let flags = "--feature-gates=ListFromCacheSnapshot=false";
    let options = Options { nodes: 0, api_server_flags: flags, audit: true };
    get(&FILLED, "filled", options, |cluster| {
        cluster.kubectl(&["create", "namespace", READERS]);
        cluster.fill(PODS, NAMESPACES)
    })
}

/// A cluster whose parts may be stopped, for one claim at a time.
pub(crate) fn outage() -> (MutexGuard<'static, ()>, &'static Cluster) {
    let turn = OUTAGE_TURN.lock().unwrap_or_else(PoisonError::into_inner);
    (turn, get(&OUTAGE, "outage", Options { nodes: 0, api_server_flags: "", audit: false }, |_| Ok(())))
}

/// A cluster with controllers and a node, for the one claim that tells all that ever was in it, and kills its API server.
pub(crate) fn pushed() -> &'static Cluster {
    get(&PUSHED, "pushed", Options { nodes: 1, api_server_flags: "", audit: false }, |_| Ok(()))
}

/// Stops every control plane. The folder of a failed run stays.
pub(crate) fn stop(has_failed: bool) {
    for slot in [&SHARED, &FILLED, &OUTAGE, &PUSHED] {
        if let Some(Ok(cluster)) = slot.get() {
            cluster.stop();
        }
    }
    let dir = run_dir();
    if has_failed {
        let _unread = writeln!(std::io::stderr(), "e2e: logs and data of the failed run are in {}", dir.display());
    } else {
        drop(fs::remove_dir_all(dir));
    }
}

fn get(
    slot: &'static OnceLock<Result<Cluster, String>>,
    name: &str,
    options: Options,
    prepare: impl FnOnce(&Cluster) -> Result<(), String>,
) -> &'static Cluster {
    let made = slot.get_or_init(|| {
        let scratch = run_dir();
        if let Some(kubeconfig) = external_kubeconfig() {
            return Ok(Cluster::external(&kubeconfig, scratch));
        }
        let plane = ControlPlane::start(&scratch.join(name), options)?;
        let cluster = Cluster::own(plane, scratch);
        match prepare(&cluster) {
            Ok(()) => Ok(cluster),
            Err(reason) => {
                cluster.stop();
                Err(format!("the control plane {name} cannot be filled: {reason}"))
            }
        }
    });
    made.as_ref().unwrap_or_else(|reason| panic!("{reason}"))
}
