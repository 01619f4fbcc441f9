//! kai against a real Kubernetes control plane: `make e2e`.
//!
//! Fakes agree with whoever wrote them; here an API server, etcd, the controllers and pretended nodes (kwok) answer. (The
//! receiver of reports alone is a fake; a validator holds what it gets to the real one's description.) They are
//! started on free loopback ports by `tests/control-plane/hold.sh` and end with this process, whatever ends it. With
//! `E2E_KUBECONFIG=FILE` the claims that need no control plane of their own run on that cluster instead, in namespaces
//! that they remove; the ambient KUBECONFIG is never used. The rest is then listed as ignored. So are those that wait for
//! minutes, unless `KAI_SOAK=1` is set.
//!
//! Each test is a claim in `claims/`; `harness/` has what they are made with. A failed run keeps its logs and says where.

#[path = "../support/anchore_schema.rs"]
mod anchore_schema;
#[path = "../support/certificates.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod certificates;
mod claims;
#[path = "../support/fake_anchore/mod.rs"]
#[expect(dead_code, reason = "shared with tests that use more of it")]
mod fake_anchore;
#[path = "../../benches/load/fill.rs"]
mod fill;
mod harness;
#[expect(dead_code, reason = "dumps are written by another program that shares this file")]
#[path = "../../benches/realistic/mod.rs"]
mod realistic;

use std::process::ExitCode;

use libtest_mimic::Arguments;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Most of the time is spent waiting for polls, rollouts and time-outs.
    arguments.test_threads.get_or_insert(4);
    let conclusion = libtest_mimic::run(&arguments, claims::all());
    harness::stop(conclusion.has_failed());
    conclusion.exit_code()
}
