//! What can be wrong with the description of a connection, before anything is sent.

use std::path::{Path, PathBuf};

use crate::inventory::join_names;
use crate::remote::{ProxyError, os_reason};

/// The description of the connection cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KubeconfigError {
    /// A file that the user named is not there.
    #[error("kubeconfig {0} does not exist; check --kubeconfig or kubeconfig.path", .path.display())]
    Missing {
        /// As the user wrote it.
        path: PathBuf,
    },
    #[error(
        "no kubeconfig found at {searched}, and not in a cluster ({in_cluster}); name one with --kubeconfig, \
         kubeconfig.path or the variable KUBECONFIG"
    )]
    NothingFound {
        /// Where it was looked for.
        searched: String,
        /// Why this is no pod.
        in_cluster: String,
    },
    /// The mode of a file keeps kai out.
    #[error("kubeconfig {0} cannot be read: permission denied{access}; {advice}", .path.display(), advice = MODE_ADVICE)]
    PermissionDenied {
        path: PathBuf,
        /// ` (mode 0600, owner uid 1000; kai runs as uid 65532)`, as far as it is known.
        access: String,
    },
    /// A file cannot be read for another reason.
    #[error("kubeconfig {0} cannot be read: {reason}; check --kubeconfig, kubeconfig.path or KUBECONFIG", .path.display())]
    Unreadable { path: PathBuf, reason: String },
    /// A file is no kubeconfig.
    #[error("kubeconfig {0}{position} is malformed: {reason}; `kubectl config view` shows how it should look", .path.display())]
    Malformed {
        path: PathBuf,
        /// `:12:3`, or nothing.
        position: String,
        reason: String,
    },
    /// A field of an entry is not what it must be.
    #[error("{setting} {problem}")]
    Field {
        /// `token of user "ann" in kubeconfig FILE`.
        setting: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    #[error(
        "{files} has no current-context; choose one with --context or `kubectl config use-context` (contexts: {known})"
    )]
    NoCurrentContext {
        /// `kubeconfig A`, or several.
        files: String,
        /// The contexts that there are.
        known: String,
    },
    /// The chosen context is not there.
    #[error("context \"{context}\" is not in {files}{suggestion}; contexts: {known}")]
    UnknownContext {
        context: String,
        /// `kubeconfig A`, or several.
        files: String,
        /// `; did you mean "dev"?`, or nothing.
        suggestion: String,
        /// The contexts that there are.
        known: String,
    },
    /// A context was chosen, and there is no kubeconfig.
    #[error(
        "--context {context} needs a kubeconfig, and {found}; leave --context out, or name the file with --kubeconfig"
    )]
    ContextWithoutKubeconfig { context: String, found: String },
    /// The cluster of the context is not there or has too little.
    #[error("cluster \"{cluster}\" of context \"{context}\" in {files} {problem}")]
    Cluster {
        cluster: String,
        /// The context that names it.
        context: String,
        /// `kubeconfig A`, or several.
        files: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// The address of the server is no URL.
    #[error("{setting}{shown} {problem}")]
    Server {
        setting: String,
        /// ` is "…", which`, or nothing when it may hold a password.
        shown: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// A certificate, key or token cannot be used.
    #[error("{setting} cannot be used: {reason}")]
    Credential { setting: String, reason: String },
    /// The proxy cannot be used. Its value is not shown: it may hold a password.
    #[error("{0}")]
    Proxy(String),
    /// The service account was asked for outside a pod.
    #[error(
        "not in a cluster: {reason}; kubeconfig.path is `use-in-cluster`, which works only in a pod that has a service \
         account token mounted"
    )]
    NotInCluster { reason: String },
}

/// Why no client could be made.
#[derive(Debug)]
pub(in crate::cluster) enum ConnectError {
    /// The description of the connection.
    Description(KubeconfigError),
    Plugin {
        command: String,
        setting: String,
        /// What went wrong, and what to do.
        problem: String,
    },
}

impl From<KubeconfigError> for ConnectError {
    fn from(error: KubeconfigError) -> Self {
        Self::Description(error)
    }
}

impl From<ProxyError> for KubeconfigError {
    fn from(error: ProxyError) -> Self {
        Self::Proxy(error.to_string())
    }
}

const MODE_ADVICE: &str = "make it readable for that user (in a container, mount a copy with mode 0644 or run the \
                           container as the owner's user)";

/// Names for a message: sorted, shown like every foreign value, and not too many.
pub(super) fn known<'a>(names: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 20;
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    let text = join_names(&names, SHOWN);
    if text.is_empty() { "none".to_owned() } else { text }
}

/// What an error of the system means for a kubeconfig.
pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> KubeconfigError {
    let path = path.to_owned();
    match error.kind() {
        std::io::ErrorKind::NotFound => KubeconfigError::Missing { path },
        std::io::ErrorKind::PermissionDenied => KubeconfigError::PermissionDenied { access: access(&path), path },
        _ => KubeconfigError::Unreadable { path, reason: os_reason(error) },
    }
}

#[cfg(unix)]
fn access(path: &Path) -> String {
    use std::os::unix::fs::MetadataExt as _;
    let Ok(file) = std::fs::metadata(path) else {
        return " (its folder is closed)".to_owned();
    };
    // Linux has there who the process is; elsewhere that half is left out.
    let own = std::fs::metadata("/proc/self").map(|own| format!("; kai runs as uid {}", own.uid())).unwrap_or_default();
    format!(" (mode {:04o}, owner uid {}{own})", file.mode() & 0o7777, file.uid())
}

#[cfg(not(unix))]
fn access(_: &Path) -> String {
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Error, ErrorKind};

    #[test]
    fn a_closed_file_is_named_with_its_mode_and_owner() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let message = unreadable(file.path(), &Error::from(ErrorKind::PermissionDenied)).to_string();
        assert!(message.contains(&file.path().display().to_string()), "{message}");
        assert!(message.contains("permission denied (mode 0600, owner uid "), "{message}");
        assert!(message.contains("mount a copy with mode 0644"), "{message}");
    }

    #[test]
    fn long_lists_of_names_are_cut() {
        let names: Vec<String> = (0..25).map(|i| format!("c{i:02}")).collect();
        let text = known(names.iter().map(String::as_str));
        assert!(text.starts_with("c00, c01") && text.ends_with("c19 and 5 more"), "{text}");
        assert_eq!(known(std::iter::empty()), "none");
    }
}
