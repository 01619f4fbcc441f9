//! Kubeconfig files: found, read, merged, and one context of them taken.

use std::path::{Path, PathBuf};

use super::document::{Entry, read_documents};
use super::fault::{KubeconfigError, known};
use crate::cluster::environment::Environment;
use crate::config::nearest;
use crate::inventory::excerpt;

/// The files of a connection, merged: the first that names a thing wins.
#[derive(Debug, Default)]
pub(super) struct Files {
    paths: Vec<PathBuf>,
    current_context: Option<String>,
    contexts: Vec<(String, Entry)>,
    clusters: Vec<(String, Entry)>,
    users: Vec<(String, Entry)>,
}

#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) context: String,
    pub(super) cluster_name: String,
    pub(super) cluster: Entry,
    pub(super) user_name: Option<String>,
    pub(super) user: Entry,
}

impl Files {
    /// The file that the user named.
    pub(super) fn read(path: &Path) -> Result<Self, KubeconfigError> {
        let mut files = Self::default();
        files.add(path)?;
        Ok(files)
    }

    fn add(&mut self, path: &Path) -> Result<(), KubeconfigError> {
        for document in read_documents(path)? {
            // Empty means unset here too: the next file's counts.
            self.current_context = self.current_context.take().or(document.text("current-context")?);
            add_new(&mut self.contexts, document.named("contexts", "context")?);
            add_new(&mut self.clusters, document.named("clusters", "cluster")?);
            add_new(&mut self.users, document.named("users", "user")?);
        }
        self.paths.push(path.to_owned());
        Ok(())
    }

    /// `KUBECONFIG`, else `~/.kube/config`. As for kubectl, a file that is not there is passed over; `Err` holds the
    /// places when none is, or none has anything.
    pub(super) fn search(environment: &Environment) -> Result<Result<Self, String>, KubeconfigError> {
        let places: Vec<PathBuf> = match &environment.kubeconfig {
            Some(list) => std::env::split_paths(list).filter(|path| !path.as_os_str().is_empty()).collect(),
            None => environment.home.iter().map(|home| home.join(".kube").join("config")).collect(),
        };
        let mut found = Self::default();
        for path in &places {
            match found.add(path) {
                Ok(()) | Err(KubeconfigError::Missing { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let is_empty = found.contexts.is_empty() && found.clusters.is_empty();
        if is_empty { Ok(Err(searched(&places, environment))) } else { Ok(Ok(found)) }
    }

    /// `kubeconfig A`, or `kubeconfigs A, B`.
    pub(super) fn describe(&self) -> String {
        let paths = join(&self.paths);
        if self.paths.len() == 1 { format!("kubeconfig {paths}") } else { format!("kubeconfigs {paths}") }
    }

    pub(super) fn into_contexts(self) -> Vec<String> {
        self.contexts.into_iter().map(|(name, _)| name).collect()
    }

    /// Looks up the context of that name, or the current one.
    pub(super) fn choose(&self, context: Option<&str>) -> Result<Chosen, KubeconfigError> {
        let files = self.describe();
        let name = context
            .or(self.current_context.as_deref())
            .filter(|name| !name.is_empty())
            .ok_or_else(|| KubeconfigError::NoCurrentContext { files: files.clone(), known: names(&self.contexts) })?;
        let context = find(&self.contexts, name).ok_or_else(|| KubeconfigError::UnknownContext {
            context: excerpt(name).to_string(),
            files: files.clone(),
            suggestion: suggestion(name, self.contexts.iter().map(|(name, _)| name.as_str())),
            known: names(&self.contexts),
        })?;
        let Some(cluster_name) = context.text("cluster")? else {
            let problem = format!("is not set; name a cluster there (clusters: {})", names(&self.clusters));
            return Err(context.fault("cluster", problem));
        };
        let cluster = find(&self.clusters, &cluster_name).ok_or_else(|| KubeconfigError::Cluster {
            cluster: excerpt(&cluster_name).to_string(),
            context: excerpt(name).to_string(),
            files: files.clone(),
            problem: format!("is not there; clusters: {}", names(&self.clusters)),
        })?;
        let user_name = context.text("user")?;
        let user = user_name.as_deref().and_then(|user| find(&self.users, user));
        if let (None, Some(missing)) = (&user, &user_name) {
            // kubectl goes on without credentials, and some clusters let anyone read.
            tracing::warn!(
                "user \"{}\" of context \"{}\" is not in {files}: no credentials are sent",
                excerpt(missing),
                excerpt(name)
            );
        }
        Ok(Chosen {
            context: name.to_owned(),
            cluster_name,
            cluster: cluster.clone(),
            user_name,
            user: user.cloned().unwrap_or_default(),
        })
    }
}

fn add_new(known: &mut Vec<(String, Entry)>, next: Vec<(String, Entry)>) {
    for (name, entry) in next {
        if find(known, &name).is_none() {
            known.push((name, entry));
        }
    }
}

fn find<'a>(entries: &'a [(String, Entry)], name: &str) -> Option<&'a Entry> {
    entries.iter().find(|(known, _)| known == name).map(|(_, entry)| entry)
}

fn names(entries: &[(String, Entry)]) -> String {
    known(entries.iter().map(|(name, _)| name.as_str()).filter(|name| !name.is_empty()))
}

fn suggestion<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    nearest(name, known).map(|near| format!(" (did you mean \"{}\"?)", excerpt(near))).unwrap_or_default()
}

fn searched(places: &[PathBuf], environment: &Environment) -> String {
    match (places.is_empty(), environment.kubeconfig.is_some()) {
        (true, _) => "~/.kube/config (HOME is not set)".to_owned(),
        (false, true) => format!("{} (KUBECONFIG)", join(places)),
        (false, false) => join(places),
    }
}

fn join(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}
