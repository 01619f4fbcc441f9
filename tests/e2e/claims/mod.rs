//! The claims. A function that is missing in its file's list is dead code, which the compiler reports.

mod asking;
mod chart;
mod completion;
mod containers;
mod credentials;
mod history;
mod in_cluster;
mod namespaces;
mod outages;
mod payload;
mod push_rights;
mod pushing;
mod reading;
mod rights;
mod routing;
mod watch_faults;
mod watching;
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

/// Every claim. Those that wait longest come first, so that nothing is left to wait for at the end. Those of `outages` and
/// `watch_faults` take turns: they are spread among the others, so that a thread does not wait for its turn.
pub(crate) fn all() -> Vec<Trial> {
    let files = [
        workloads::all(),
        pushing::all(),
        in_cluster::all(),
        credentials::all(),
        routing::all(),
        push_rights::all(),
        payload::all(),
        reading::all(),
        rights::all(),
        containers::all(),
        namespaces::all(),
        completion::all(),
        asking::all(),
        history::all(),
        chart::all(),
        watching::all(),
    ];
    let mut claims: Vec<Trial> = files.into_iter().flatten().collect();
    let in_turn: Vec<Trial> = outages::all().into_iter().chain(watch_faults::all()).collect();
    let apart = claims.len() / in_turn.len() + 1;
    for (turn, claim) in in_turn.into_iter().enumerate() {
        claims.insert(turn * apart, claim);
    }
    claims
}
