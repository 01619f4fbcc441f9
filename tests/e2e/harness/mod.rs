//! What the claims are made with: control planes, a cluster seen through kubectl, kai as a process, a receiver for its
//! reports, and waiting.

mod anchore;
mod audit;
mod churn;
mod cluster;
mod etcd;
mod expected;
mod http;
mod inventory;
mod kai;
mod liar;
mod objects;
mod plane;
mod planes;
mod process;
mod proxy;
mod trial;

pub(crate) use anchore::{Anchore, inventory_of};
pub(crate) use audit::Audit;
pub(crate) use cluster::{Account, Cluster, Namespace};
pub(crate) use etcd::compact;
pub(crate) use expected::{expected_results, has_namespace, images_of, results};
pub(crate) use http::Answer;
pub(crate) use inventory::Inventory;
pub(crate) use kai::{Kai, Service};
pub(crate) use liar::Liar;
pub(crate) use objects::{Containers, digest, pod};
pub(crate) use plane::program;
pub(crate) use planes::{READERS, filled, filled_alone, outage, pushed, shared, stop};
pub(crate) use process::{eventually, run};
pub(crate) use proxy::Proxy;
pub(crate) use trial::{Needs, claim, soaks};
