//! A claim as a test that the runner knows.

use libtest_mimic::Trial;

use super::planes::external_kubeconfig;

/// What a claim needs of the cluster that it is tried on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Any cluster where the user may do everything; the claim stays in namespaces of its own.
    AnyCluster,
    /// One that may be filled, stopped or configured: a control plane that this run started.
    OwnControlPlane,
    /// The same, and mount namespaces, which Linux alone has.
    OwnControlPlaneOnLinux,
    /// A control plane of its own and minutes of waiting, which only `KAI_SOAK=1` gives it.
    OwnControlPlaneAndMinutes,
}

/// Claims may take minutes.
pub(crate) fn soaks() -> bool {
    std::env::var_os("KAI_SOAK").is_some_and(|value| value == "1")
}

/// The claim `name` (its path, of which the function's own name and its file are kept).
///
/// Where its needs are not met it is listed as ignored, with the need in its name.
pub(crate) fn claim(name: &str, needs: Needs, run: fn()) -> Trial {
    let mut parts: Vec<&str> = name.rsplit("::").take(2).collect();
    parts.reverse();
    let name = parts.join("::");
    let foreign = || external_kubeconfig().map(|_| "needs a control plane of its own, not E2E_KUBECONFIG");
    let unmet = match needs {
        Needs::AnyCluster => None,
        Needs::OwnControlPlaneOnLinux if !cfg!(target_os = "linux") => Some("needs Linux"),
        Needs::OwnControlPlaneAndMinutes if !soaks() => {
            Some("left for make soak: waits for minutes, which KAI_SOAK=1 allows")
        }
        Needs::OwnControlPlane | Needs::OwnControlPlaneOnLinux | Needs::OwnControlPlaneAndMinutes => foreign(),
    };
    let name = unmet.map_or(name.clone(), |need| format!("{name} ({need})"));
    Trial::test(name, move || {
        run();
        Ok(())
    })
    .with_ignored_flag(unmet.is_some())
}
