//! A cluster as a source of events: what the rest of kai sees of this module.

use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc::Sender;

use super::Endpoint;
use super::connection::{FreshClient, Recipe};
use super::environment::Environment;
use super::error::ClusterError;
use super::list::{Lists, Tally, path};
use super::page::{PageReader, lock};
use super::relist::relist;
use super::request::Requests;
use super::retry::Patience;
use crate::config::ClusterSettings;
use crate::decode::Records;
use crate::inventory::{Detail, NamespaceSelection};
use crate::metrics::Metrics;
use crate::snapshot::{Event, ListScope};
use crate::warned::Warned;

/// Credentials that end sooner than this are renewed before a relist begins.
const RENEW_BEFORE: SignedDuration = SignedDuration::from_secs(60);

/// One cluster, connected. Nothing of it runs on its own: dropping a future of it ends what it did.
pub struct ClusterSource {
    recipe: Recipe,
    requests: Requests,
    expires: Option<Timestamp>,
    page_size: u32,
    workers: usize,
    records: Mutex<Records>,
    warned: Warned,
}

/// How far a relist is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Pods read so far.
    pub pods: u64,
    /// Pods that there will be, as far as the server says.
    pub total: Option<u64>,
}

impl ClusterSource {
    /// Reads the settings, the files that they name and the credentials, and makes a client of them. Sends nothing to
    /// the API server; a credential plugin is run.
    ///
    /// # Errors
    /// What is wrong with the description of the connection ([`ClusterError::is_configuration`]), or the plugin's
    /// failure.
    pub async fn connect(settings: &ClusterSettings, environment: &Environment) -> Result<Self, ClusterError> {
        let recipe = Recipe::read(settings, environment)?;
        let timeout = settings.request_timeout;
        let FreshClient { client, expires } = recipe.client(timeout).await?;
        let requests = Requests { client, endpoint: recipe.endpoint.clone(), timeout, metrics: Metrics::default() };
        let (page_size, workers) = (settings.page_size.max(1), settings.workers.max(1));
        let (records, warned) = (Mutex::default(), Warned::default());
        Ok(Self { recipe, requests, expires, page_size, workers, records, warned })
    }

    /// Keeps that much of what is read from now on, and asks for what that needs: the list of nodes, and each namespace
    /// that is included by name.
    #[must_use]
    pub fn with_detail(self, detail: Detail) -> Self {
        Self { records: Mutex::new(Records::new(detail)), ..self }
    }

    /// Says nothing again that an earlier connection to this cluster has warned of.
    #[must_use]
    pub fn with_warned(self, warned: Warned) -> Self {
        Self { warned, ..self }
    }

    /// Records there what is asked for from now on.
    #[must_use]
    pub fn with_metrics(mut self, metrics: Metrics) -> Self {
        self.requests.metrics = metrics;
        self
    }

    /// The name that the kubeconfig's context gives the cluster; a service account and inline settings give none.
    #[must_use]
    pub fn cluster_name(&self) -> Option<&str> {
        self.recipe.cluster_name.as_deref()
    }

    /// URL of the API server.
    #[must_use]
    pub fn address(&self) -> &str {
        self.requests.endpoint.address()
    }

    /// The API server and who named it, for a message.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.requests.endpoint
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
    ) -> Result<(), ClusterError> {
        self.records.get_mut().unwrap_or_else(PoisonError::into_inner).sweep();
        if self.expires.is_some_and(|expires| Timestamp::now() + RENEW_BEFORE >= expires) {
            self.renew().await?;
        }
        match self.relist_once(selection, events, progress).await {
            Err(error) if error.is_unauthorized() && self.recipe.is_renewable() => {
                tracing::info!("{error}: fetching them anew");
                self.renew().await?;
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
    ) -> Result<(), ClusterError> {
        let is_single = selection.included().is_none();
        let (wants_nodes, wants_namespaces) = {
            let records = lock(&self.records);
            (records.detail().nodes.is_some(), records.detail().wants_namespaces())
        };
        let lists = Lists {
            requests: &self.requests,
            records: &self.records,
            events,
            tally: Tally { read: AtomicU64::new(0), report: progress, is_single },
            warned: &self.warned,
            wants_nodes,
            wants_namespaces,
            page_size: self.page_size,
        };
        relist(&lists, selection, self.workers).await
    }

    async fn renew(&mut self) -> Result<(), ClusterError> {
        let FreshClient { client, expires } = self.recipe.client(self.requests.timeout).await?;
        self.requests.client = client;
        self.expires = expires;
        Ok(())
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
            metrics: &self.requests.metrics,
            next: None,
        };
        let page = self.requests.get(&path, Patience::Hasty, &reader).await;
        let page = page.map_err(|failed| self.requests.error(&path, failed))?;
        let names = page.events.into_iter().filter_map(|event| match event {
            Event::Namespace(namespace) => Some(namespace.name.to_string()),
            _ => None,
        });
        Ok(names.take(limit as usize).collect())
    }
}

impl std::fmt::Debug for ClusterSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClusterSource").field("endpoint", &self.requests.endpoint).finish_non_exhaustive()
    }
}
