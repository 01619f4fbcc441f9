//! Which module may speak of which, and which outside crates are one module's alone. The reasons stand beside it in
//! `docs/ARCHITECTURE.md`.

/// A module at the top of the crate.
pub(crate) struct Module {
    pub(crate) name: &'static str,
    /// Modules that it may name besides itself.
    pub(crate) imports: Imports,
    /// Outside crates that it may name.
    pub(crate) outside: Outside,
}

pub(crate) enum Imports {
    Only(&'static [&'static str]),
    /// What it wires or what a user asks for may be anywhere.
    EverythingBut(&'static [&'static str]),
}

pub(crate) enum Outside {
    /// Pure: no async, no clock, no I/O. Nothing but these.
    Only(&'static [&'static str]),
    /// Any that [`ALONE`] does not keep for others.
    NotKept,
}

use Imports::{EverythingBut, Only};
use Outside::NotKept;

pub(crate) const MODULES: &[Module] = &[
    Module { name: "inventory", imports: Only(&[]), outside: Outside::Only(&["regex", "serde", "thiserror"]) },
    Module { name: "snapshot", imports: Only(&["inventory"]), outside: Outside::Only(&["foldhash", "jiff", "sha2"]) },
    Module {
        name: "views",
        imports: Only(&["snapshot", "inventory"]),
        // The bodies of a push are JSON, joined by ids that are made from names: all of it without I/O.
        outside: Outside::Only(&[
            "csv",
            "foldhash",
            "jiff",
            "percent_encoding",
            "serde",
            "serde_json",
            "utoipa",
            "uuid",
        ]),
    },
    Module { name: "decode", imports: Only(&["inventory", "snapshot"]), outside: NotKept },
    // The formats of reports are one table, in `views`.
    Module { name: "config", imports: Only(&["inventory", "pem", "views"]), outside: NotKept },
    // Foreign texts in its messages are cut and escaped by `inventory`.
    Module { name: "remote", imports: Only(&["inventory"]), outside: NotKept },
    Module {
        name: "cluster",
        imports: Only(&["decode", "inventory", "snapshot", "config", "metrics", "pem", "remote", "warned"]),
        outside: NotKept,
    },
    Module { name: "dump", imports: Only(&["decode", "files", "inventory", "snapshot"]), outside: NotKept },
    Module {
        name: "collector",
        imports: Only(&[
            "cluster",
            "dump",
            "snapshot",
            "inventory",
            "feed",
            "history",
            "config",
            "metrics",
            "health",
            "warned",
        ]),
        outside: NotKept,
    },
    Module {
        name: "history",
        // A database's authority is PEM.
        imports: Only(&["config", "health", "inventory", "metrics", "pem", "snapshot"]),
        outside: NotKept,
    },
    Module { name: "feed", imports: Only(&["snapshot"]), outside: NotKept },
    Module { name: "warned", imports: Only(&[]), outside: NotKept },
    Module { name: "files", imports: Only(&[]), outside: NotKept },
    Module { name: "pem", imports: Only(&[]), outside: NotKept },
    Module {
        name: "http",
        imports: Only(&[
            "feed",
            "files",
            "history",
            "views",
            "snapshot",
            "inventory",
            "health",
            "metrics",
            "config",
            "pem",
        ]),
        outside: NotKept,
    },
    Module {
        name: "push",
        imports: Only(&[
            "feed",
            "files",
            "views",
            "snapshot",
            "inventory",
            "metrics",
            "health",
            "config",
            "pem",
            "remote",
            "warned",
        ]),
        outside: NotKept,
    },
    Module { name: "output", imports: Only(&["views"]), outside: NotKept },
    // What health says of foreign texts is cut and escaped by `inventory`.
    Module { name: "health", imports: Only(&["feed", "snapshot", "config", "inventory"]), outside: NotKept },
    // What it tells of foreign names is cut and escaped by `inventory`.
    Module { name: "metrics", imports: Only(&["snapshot", "config", "health", "inventory"]), outside: NotKept },
    Module { name: "telemetry", imports: Only(&["feed", "snapshot", "config"]), outside: NotKept },
    Module { name: "shutdown", imports: Only(&["feed", "snapshot", "config"]), outside: NotKept },
    // Invented clusters, for tests and benches alone.
    Module { name: "testing", imports: Only(&["inventory", "snapshot"]), outside: Outside::Only(&["jiff"]) },
    Module { name: "serve", imports: EverythingBut(&["once", "cli"]), outside: NotKept },
    Module { name: "once", imports: EverythingBut(&["serve", "cli"]), outside: NotKept },
    Module { name: "cli", imports: EverythingBut(&[]), outside: NotKept },
    // The binary's own file.
    Module { name: "main", imports: Only(&["cli"]), outside: NotKept },
];

/// Outside crates that only these modules may name: what they stand for ends there.
pub(crate) const ALONE: &[(&str, &[&str])] = &[
    ("kube", &["cluster"]),
    ("prost", &["decode"]),
    ("k8s_openapi", &["cluster"]),
    ("axum", &["http"]),
    ("axum_server", &["http"]),
    ("tokio_rustls", &["http"]),
    ("moka", &["http"]),
    // The probe asks a running kai; it has nothing to do with a push.
    ("reqwest", &["push", "cli"]),
    // A credential plugin may print YAML, and answers are printed as YAML.
    ("serde_saphyr", &["config", "decode", "cluster", "cli"]),
    ("prometheus_client", &["metrics"]),
    ("rusqlite", &["history"]),
    ("tokio_postgres", &["history"]),
    ("tokio_postgres_rustls", &["history"]),
    ("console", &["output"]),
    ("indicatif", &["output"]),
    ("clap", &["cli"]),
    ("clap_complete", &["cli"]),
];
