//! Kubeconfig files: found, read, merged, and one context of them taken.

use std::path::{Path, PathBuf};

use kube::config::{AuthInfo, Cluster, Kubeconfig};

use super::fault::{KubeconfigError, known, unreadable};
use crate::cluster::Environment;
use crate::inventory::excerpt;
use crate::remote::os_reason;

/// The files of a connection, merged: the first that names a thing wins.
#[derive(Debug)]
pub(super) struct Files {
    paths: Vec<PathBuf>,
    merged: Kubeconfig,
}

/// One context, looked up.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) context: String,
    pub(super) cluster_name: String,
    pub(super) cluster: Cluster,
    pub(super) user_name: Option<String>,
    pub(super) user: AuthInfo,
}

impl Files {
    /// The file that the user named.
    pub(super) fn read(path: &Path) -> Result<Self, KubeconfigError> {
        Ok(Self { merged: read_file(path)?, paths: vec![path.to_owned()] })
    }

    /// `KUBECONFIG`, else `~/.kube/config`. As for kubectl, a file that is not there is passed over; `Err` holds the
    /// places when none is, or none says anything.
    pub(super) fn search(environment: &Environment) -> Result<Result<Self, String>, KubeconfigError> {
        let places: Vec<PathBuf> = match &environment.kubeconfig {
            Some(list) => std::env::split_paths(list).filter(|path| !path.as_os_str().is_empty()).collect(),
            None => environment.home.iter().map(|home| home.join(".kube").join("config")).collect(),
        };
        let mut found = Self { paths: Vec::new(), merged: Kubeconfig::default() };
        for path in &places {
            match read_file(path) {
                Ok(next) => {
                    found.merged = found.merged.merge(next).map_err(|error| malformed(path, &error))?;
                    found.paths.push(path.clone());
                }
                Err(KubeconfigError::Missing { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let is_empty = found.merged.contexts.is_empty() && found.merged.clusters.is_empty();
        if is_empty { Ok(Err(searched(&places, environment))) } else { Ok(Ok(found)) }
    }

    /// `kubeconfig A`, or `kubeconfigs A, B`.
    pub(super) fn describe(&self) -> String {
        let paths = join(&self.paths);
        if self.paths.len() == 1 { format!("kubeconfig {paths}") } else { format!("kubeconfigs {paths}") }
    }

    /// Looks up the context of that name, or the current one.
    pub(super) fn choose(&self, context: Option<&str>) -> Result<Chosen, KubeconfigError> {
        let files = self.describe();
        let contexts = || self.merged.contexts.iter().map(|named| named.name.as_str());
        let name = context
            .or(self.merged.current_context.as_deref())
            .filter(|name| !name.is_empty())
            .ok_or_else(|| KubeconfigError::NoCurrentContext { files: files.clone(), known: known(contexts()) })?;
        let shown = || excerpt(name).to_string();
        let context = self
            .merged
            .contexts
            .iter()
            .find(|named| named.name == name)
            .and_then(|named| named.context.clone())
            .ok_or_else(|| KubeconfigError::UnknownContext {
                context: shown(),
                files: files.clone(),
                suggestion: suggestion(name, contexts()),
                known: known(contexts()),
            })?;
        let cluster = self
            .merged
            .clusters
            .iter()
            .find(|named| named.name == context.cluster)
            .and_then(|named| named.cluster.clone())
            .ok_or_else(|| KubeconfigError::Cluster {
                cluster: excerpt(&context.cluster).to_string(),
                context: shown(),
                files: files.clone(),
                problem: format!(
                    "is not there; clusters: {}",
                    known(self.merged.clusters.iter().map(|named| named.name.as_str()))
                ),
            })?;
        let user = context.user.as_deref().and_then(|user| {
            let found = self.merged.auth_infos.iter().find(|named| named.name == user);
            found.and_then(|named| named.auth_info.clone())
        });
        if let (None, Some(missing)) = (&user, &context.user) {
            // kubectl goes on without credentials, and some clusters let anyone read.
            tracing::warn!(
                "user \"{}\" of context \"{}\" is not in {files}: no credentials are sent",
                excerpt(missing),
                shown()
            );
        }
        Ok(Chosen {
            context: name.to_owned(),
            cluster_name: context.cluster,
            cluster,
            user_name: context.user,
            user: user.unwrap_or_default(),
        })
    }
}

fn read_file(path: &Path) -> Result<Kubeconfig, KubeconfigError> {
    Kubeconfig::read_from(path).map_err(|error| match error {
        kube::config::KubeconfigError::ReadConfig(error, _) => unreadable(path, &error),
        error => malformed(path, &error),
    })
}

/// The parser's messages draw the lines around the problem, and those may hold a token: only the place is taken.
fn malformed(path: &Path, error: &kube::config::KubeconfigError) -> KubeconfigError {
    let (position, reason) = match error {
        kube::config::KubeconfigError::Parse(error) => {
            let place = error.location();
            let position = place.map(|place| format!(":{}:{}", place.line(), place.column())).unwrap_or_default();
            let text = error.without_snippet().to_string();
            (position, without_values(text.lines().next().unwrap_or_default()))
        }
        error => (String::new(), error.to_string()),
    };
    KubeconfigError::Malformed { path: path.to_owned(), position, reason: excerpt(&reason).to_string() }
}

/// Leaves out what stands between double quotes: serde quotes the value that it did not want.
fn without_values(message: &str) -> String {
    let parts: Vec<&str> = message.split('"').collect();
    if parts.len() < 3 {
        return message.to_owned();
    }
    let kept: Vec<&str> = parts.iter().step_by(2).copied().collect();
    kept.join("…")
}

fn suggestion<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    known
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().min(name.len()) / 3)
        .min()
        .map(|(_, candidate)| format!(" (did you mean \"{}\"?)", excerpt(candidate)))
        .unwrap_or_default()
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

/// Reads a file that a setting names.
pub(super) fn read_setting(setting: &str, path: &Path) -> Result<Vec<u8>, KubeconfigError> {
    std::fs::read(path).map_err(|error| KubeconfigError::Credential {
        setting: setting.to_owned(),
        reason: format!("{} cannot be read: {}", path.display(), os_reason(&error)),
    })
}
