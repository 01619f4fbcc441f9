//! The sections of the settings, each built from the values that count. A section that finds a problem adds it and
//! returns something in its place: settings with a problem are never handed out.

mod anchore;
mod anchore_http;
mod cluster;
mod general;
mod history;
mod inline;
mod routing;
mod selection;
mod server;
mod server_tls;

pub use cluster::NO_CLUSTER_NAME;

use super::effective::Effective;
use super::keys::{MODE, OUTPUT, QUIET, VERBOSE_INVENTORY_REPORTS};
use super::problem::Problems;
use super::settings::Settings;
use super::sources::{Environment, Flags};

#[derive(Debug, Clone, Copy)]
pub(super) struct Given<'a> {
    pub(super) values: &'a Effective,
    pub(super) flags: &'a Flags,
    pub(super) environment: &'a Environment,
}

pub(super) fn build(given: Given<'_>, problems: &mut Problems) -> Settings {
    let values = given.values;
    let anchore = anchore::build(given, problems);
    let cluster = cluster::build(given, anchore.push.is_some(), problems);
    Settings {
        output: values.word(OUTPUT),
        quiet: values.switch(QUIET),
        log: general::log(given),
        mode: values.word(MODE),
        verbose_inventory_reports: values.switch(VERBOSE_INVENTORY_REPORTS),
        cluster,
        selection: selection::build(values, problems),
        report: general::report(values, problems),
        collection: general::collection(values),
        server: server::build(given, problems),
        history: history::build(given, problems),
        metrics: general::metrics(values),
        anchore,
    }
}
