//! The claims. A function that is missing in its file's list is dead code, which the compiler reports.

mod completion;
mod containers;
mod credentials;
mod in_cluster;
mod namespaces;
mod outages;
mod payload;
mod push_rights;
mod pushing;
mod reading;
mod rights;
mod routing;
mod workloads;

use libtest_mimic::Trial;

/// Builds a file's list of claims: `claims! { AnyCluster: one, two; OwnControlPlane: three }`.
macro_rules! claims {
    ($($needs:ident: $($name:ident),+ $(,)?);+ $(;)?) => {
        pub(super) fn all() -> Vec<libtest_mimic::Trial> {
            vec![$($(crate::harness::claim(
                concat!(module_path!(), "::", stringify!($name)),
                crate::harness::Needs::$needs,
                $name,
            )),+),+]
        }
    };
}
use claims;

/// Every claim, in the order of the files.
pub(crate) fn all() -> Vec<Trial> {
    let files = [
        pushing::all(),
        payload::all(),
        push_rights::all(),
        routing::all(),
        reading::all(),
        rights::all(),
        containers::all(),
        workloads::all(),
        namespaces::all(),
        credentials::all(),
        in_cluster::all(),
        outages::all(),
        completion::all(),
    ];
    files.into_iter().flatten().collect()
}
