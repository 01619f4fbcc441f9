//! A cluster as a source of events: what the rest of kai sees of this module.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};

use futures::future::{BoxFuture, FutureExt as _, ready};
use futures::stream::{self, StreamExt as _};
use tokio::sync::mpsc::{self, Sender};

use super::Endpoint;
use super::ends::Relisted;
use super::environment::Environment;
use super::error::ClusterError;
use super::list::{Lists, path};
use super::many::{missing_right_to_all, too_many, unwatchable};
use super::namespace::{Found, UidReader, get_namespace};
use super::page::PageReader;
use super::progress::{Progress, Tally};
use super::relist::relist;
use super::request::Connection;
use super::retry::RetryPolicy;
use super::watch::{Live, WatchEnd, Watchers};
use crate::config::ClusterSettings;
use crate::decode::Records;
use crate::inventory::{Detail, NamespaceSelection, is_dns_label, panic_text};
use crate::metrics::Metrics;
use crate::snapshot::{Event, ListScope, Object};
use crate::warned::Warned;

/// One cluster, connected. Nothing of it runs on its own: dropping a future of it ends what it did.
pub struct ClusterSource {
    connection: Connection,
    page_size: u32,
    workers: usize,
    wants_nodes: bool,
    wants_namespaces: bool,
    is_watched: bool,
    records: Mutex<Records>,
    warned: Warned,
}

impl ClusterSource {
    /// Reads the settings, the files that they name and the credentials, and makes a client of them. Sends nothing to
    /// the API server; a credential plugin is run.
    ///
    /// # Errors
    /// What is wrong with the description of the connection ([`ClusterError::is_configuration`]), or the plugin's
    /// failure.
    pub async fn connect(settings: &ClusterSettings, environment: &Environment) -> Result<Self, ClusterError> {
        let connection = Connection::open(settings, environment).await?;
        let (page_size, workers) = (settings.page_size.max(1), settings.workers.max(1));
        Ok(Self {
            connection,
            page_size,
            workers,
            wants_nodes: false,
            wants_namespaces: false,
            is_watched: false,
            records: Mutex::default(),
            warned: Warned::default(),
        })
    }

    /// Keeps that much of what is read from now on, and asks for what that needs: the list of nodes, and each namespace
    /// that is included by name.
    #[must_use]
    pub fn with_detail(self, detail: Detail) -> Self {
        let (wants_nodes, wants_namespaces) = (detail.nodes.is_some(), detail.namespace_objects);
        Self { wants_nodes, wants_namespaces, records: Mutex::new(Records::new(detail)), ..self }
    }

    /// Lists so that everything can be watched from there: where very many namespaces are included, that is the whole
    /// cluster, if it may be.
    #[must_use]
    pub fn watched(self, is_watched: bool) -> Self {
        Self { is_watched, ..self }
    }

    /// Says nothing again that an earlier connection to this cluster has warned of.
    #[must_use]
    pub fn with_warned(self, warned: Warned) -> Self {
        Self { warned, ..self }
    }

    /// Records there what is asked for from now on.
    #[must_use]
    pub fn with_metrics(mut self, metrics: Metrics) -> Self {
        self.connection.metrics = metrics;
        self
    }

    /// The name that the kubeconfig's context gives the cluster; a service account and inline settings give none.
    #[must_use]
    pub fn cluster_name(&self) -> Option<&str> {
        self.connection.cluster_name()
    }

    /// URL of the API server.
    #[must_use]
    pub fn address(&self) -> &str {
        self.connection.endpoint().address()
    }

    /// The API server and who named it, for a message.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        self.connection.endpoint()
    }

    /// Reads the whole cluster once: `RelistBegun`, each list, `RelistEnded`, a page's events at a time. It waits while
    /// `events` is full. Credentials that ran out are renewed and the relist is begun again, once. The deadline of
    /// the whole is the caller's.
    ///
    /// # Errors
    /// The relist was cut short and ended nothing: what came of it is to be dropped.
    pub async fn relist(
        &mut self,
        selection: &NamespaceSelection,
        events: &Sender<Vec<Event>>,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Relisted, ClusterError> {
        let work = AssertUnwindSafe(self.relist_renewed(selection, events, progress)).catch_unwind();
        // What a panic leaves half done is dropped with the relist; locks are taken over as they are.
        work.await.unwrap_or_else(|panic| Err(ClusterError::Panicked(panic_text(&*panic))))
    }

    async fn relist_renewed(
        &mut self,
        selection: &NamespaceSelection,
        events: &Sender<Vec<Event>>,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Relisted, ClusterError> {
        self.records.get_mut().unwrap_or_else(PoisonError::into_inner).sweep();
        self.connection.refresh().await?;
        match self.relist_once(selection, events, progress).await {
            Err(error) if error.is_unauthorized() && self.connection.is_renewable() => {
                tracing::info!("{error}: fetching them again");
                self.connection.renew().await?;
                self.relist_once(selection, events, progress).await
            }
            result => result,
        }
    }

    async fn relist_once(
        &self,
        selection: &NamespaceSelection,
        events: &Sender<Vec<Event>>,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<Relisted, ClusterError> {
        let lists = self.lists(selection, events, progress);
        relist(&lists, selection, self.workers).await
    }

    /// Watches what the relist read, and sends what changes, until it has to be read again, or may not be watched. Dropping
    /// the future closes every stream.
    pub(crate) async fn watch(&self, watchers: &mut Watchers, relisted: &Relisted, live: &Sender<Live>) -> WatchEnd {
        let work = AssertUnwindSafe(watchers.follow(&self.connection, &self.records, relisted, live)).catch_unwind();
        work.await.unwrap_or_else(|panic| WatchEnd::Failed(ClusterError::Panicked(panic_text(&*panic))))
    }

    /// Lists everything once more, beside a watch.
    pub(crate) async fn list(
        &self,
        selection: &NamespaceSelection,
        events: &Sender<Vec<Event>>,
    ) -> Result<(), ClusterError> {
        let work = AssertUnwindSafe(self.relist_once(selection, events, &|_| {})).catch_unwind();
        work.await.unwrap_or_else(|panic| Err(ClusterError::Panicked(panic_text(&*panic)))).map(drop)
    }

    /// Refuses namespaces that are too many to be watched one by one, where not all pods may be listed. An API server that
    /// does not answer has refused nothing.
    pub(crate) async fn check_watch(&self, selection: &NamespaceSelection) -> Result<(), ClusterError> {
        let Some(names) = too_many(selection) else { return Ok(()) };
        let (events, _received) = mpsc::channel(1);
        let lists = self.lists(selection, &events, &|_| {});
        match missing_right_to_all(&lists, RetryPolicy::Never).await {
            Ok(Some(missing)) => Err(ClusterError::TooManyToWatch(unwatchable(names, &missing))),
            Ok(None) => Ok(()),
            Err(error) => {
                tracing::debug!("whether all pods may be listed is not known: {error}");
                Ok(())
            }
        }
    }

    /// Asks for each included namespace by its name. Gives what became of those of which there is an answer: a watch of
    /// their pods tells nothing of them.
    pub(crate) async fn ask_included(&self, selection: &NamespaceSelection) -> Vec<Event> {
        let (events, _received) = mpsc::channel(1);
        let lists = self.lists(selection, &events, &|_| {});
        let included = selection.included().unwrap_or_default().into_iter().filter(|name| is_dns_label(name));
        // Named as boxes: the compiler does not see that a stream of the bare futures may move between threads.
        let asked: Vec<BoxFuture<'_, Option<Event>>> = included.map(|name| ask_one(&lists, name).boxed()).collect();
        stream::iter(asked).buffer_unordered(self.workers).filter_map(ready).collect().await
    }

    fn lists<'a>(
        &'a self,
        selection: &NamespaceSelection,
        events: &'a Sender<Vec<Event>>,
        progress: &'a (dyn Fn(Progress) + Sync),
    ) -> Lists<'a> {
        let is_single = selection.included().is_none();
        Lists {
            connection: &self.connection,
            records: &self.records,
            events,
            tally: Tally { read: AtomicU64::new(0), report: progress, is_single },
            warned: &self.warned,
            wants_nodes: self.wants_nodes,
            wants_namespaces: self.wants_namespaces,
            are_watched: self.is_watched,
            page_size: self.page_size,
            relisted: Mutex::default(),
        }
    }

    /// The uid of the namespace kube-system, which every cluster has, and which tells it from others.
    ///
    /// # Errors
    /// As for a relist; a missing right too.
    pub async fn uid(&self) -> Result<String, ClusterError> {
        let path = format!("{}/kube-system", path(&ListScope::Namespaces));
        let uid = self.connection.get(&path, RetryPolicy::WhileItHelps, &UidReader).await;
        uid.map_err(|failed| self.connection.error(&path, failed))
    }

    /// Names of at most `limit` namespaces, asked for once: for completion at a prompt, where an error is no answer.
    ///
    /// # Errors
    /// As for a relist; a missing right too.
    pub async fn namespaces(&self, limit: u32) -> Result<Vec<String>, ClusterError> {
        let path = format!("{}?limit={limit}", path(&ListScope::Namespaces));
        let reader = PageReader {
            scope: &ListScope::Namespaces,
            records: &self.records,
            metrics: &self.connection.metrics,
            next: None,
        };
        let page = self.connection.get(&path, RetryPolicy::Never, &reader).await;
        let page = page.map_err(|failed| self.connection.error(&path, failed))?;
        let names = page.events.into_iter().filter_map(|event| match event {
            Event::Applied(Object::Namespace(namespace)) => Some(namespace.name.to_string()),
            _ => None,
        });
        Ok(names.take(limit as usize).collect())
    }
}

/// What is to be known of an included namespace; nothing where there is no answer.
async fn ask_one(lists: &Lists<'_>, name: &str) -> Option<Event> {
    let asked = AssertUnwindSafe(get_namespace(lists, name)).catch_unwind();
    match asked.await.unwrap_or_else(|panic| Err(ClusterError::Panicked(panic_text(&*panic)))) {
        Ok(Found::There(record)) => record.map(Event::from),
        Ok(Found::Unknown) => Some(Event::NamespaceUnknown(name.into())),
        Ok(Found::Hidden(_)) => None,
        Err(error) => {
            tracing::debug!("{error}");
            None
        }
    }
}

impl std::fmt::Debug for ClusterSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClusterSource").field("endpoint", self.connection.endpoint()).finish_non_exhaustive()
    }
}
