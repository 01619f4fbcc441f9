//! Variables and flags as layers over the file.

use super::keys::{
    self, DEV, KEYS, KUBECONFIG_CLUSTER, KUBECONFIG_PATH, Kind, LISTEN_DEFAULT_VARIABLE, LOG_LEVEL, MODE,
    NAMESPACE_EXCLUDE, NAMESPACE_INCLUDE, OUTPUT, POLLING_INTERVAL, QUIET, SERVER_LISTEN, VERBOSE_INVENTORY_REPORTS,
};
use super::layer::Layer;
use super::problem::{Origin, Problems};
use super::sources::{Environment, Flags};
use super::suggest;
use super::value::{Item, Refused, Setting, Value, read_scalar, split};
use super::yaml::{self, Shape};
use crate::inventory::excerpt;

/// The settings of `KAI_` variables.
pub(super) fn read_variables(environment: &Environment, problems: &mut Problems) -> Layer {
    let mut layer = Layer::default();
    for key in KEYS {
        let name = keys::variable(key.path);
        let Some(text) = environment.variable(&name) else { continue };
        let origin = Origin::Variable(name);
        match read_variable(key.kind, text, &origin) {
            Ok(Some(value)) => {
                layer.settings.insert(key.path, Setting::new(value, origin));
            }
            Ok(None) => {}
            Err(reason) => problems.add_once(&origin, key.path, reason),
        }
    }
    layer.resolve_aliases(problems);
    warn_about_unknown(environment, problems);
    layer
}

/// The listen address that the container image brings along: weaker than the file.
pub(super) fn read_image_default(environment: &Environment) -> Layer {
    let mut layer = Layer::default();
    if let Some(text) = environment.variable(LISTEN_DEFAULT_VARIABLE) {
        let origin = Origin::Variable(LISTEN_DEFAULT_VARIABLE.to_owned());
        layer.settings.insert(SERVER_LISTEN.path, Setting::new(Value::Text(text.to_owned()), origin));
    }
    layer
}

/// A list may be a YAML flow list too, for entries with a comma in them.
fn read_variable(kind: Kind, text: &str, origin: &Origin) -> Result<Option<Value>, String> {
    let trimmed = text.trim();
    if kind != Kind::List || !(trimmed.starts_with('[') && trimmed.ends_with(']')) {
        return read_scalar(kind, text, origin).map_err(|refused| refused.to_string());
    }
    let refused = |reason: &str| format!("\"{}\" is not a YAML list ({reason}); write [a, b] or a,b", excerpt(text));
    let node = yaml::parse(trimmed).map_err(|error| refused(&error.reason))?;
    let Shape::List(nodes) = node.shape else { return Err(refused("it reads as something else")) };
    let items: Result<Vec<Item>, String> = nodes
        .into_iter()
        .map(|node| match node.shape {
            Shape::Text(text) => Ok(Item { text, origin: origin.clone() }),
            Shape::Null => Ok(Item { text: String::new(), origin: origin.clone() }),
            Shape::List(_) | Shape::Map(_) => Err(refused("an entry is not text")),
        })
        .collect();
    items.map(Value::List).map(Some)
}

/// A misspelt variable would silently do nothing.
fn warn_about_unknown(environment: &Environment, problems: &mut Problems) {
    let known: Vec<String> = KEYS.iter().map(|key| keys::variable(key.path)).collect();
    for name in environment.variables.keys().filter(|name| name.starts_with("KAI_")) {
        // Kubernetes sets these in every pod beside a Service called kai.
        let of_a_service = name.starts_with("KAI_SERVICE_") || name.starts_with("KAI_PORT");
        if of_a_service || name == LISTEN_DEFAULT_VARIABLE || known.contains(name) {
            continue;
        }
        let origin = Origin::Variable(name.clone());
        if name.starts_with(&format!("{}_", keys::variable(DEV))) {
            problems.warn(&origin, format!("kai has no section {DEV} any more; it is ignored, remove it"));
        } else {
            problems.warn(&origin, format!("names no key; {}", suggest::for_variable(name)));
        }
    }
}

/// The settings of flags. `below` is what the weaker sources say, for what cannot go together with a flag.
pub(super) fn read_flags(flags: &Flags, below: &Layer, problems: &mut Problems) -> Layer {
    // Destructured, so that a new flag cannot be forgotten here.
    let Flags {
        config: _,
        kubeconfig,
        context,
        impersonation,
        cluster_name,
        namespaces,
        exclude,
        output,
        quiet,
        verbose,
        mode,
        polling_interval_seconds,
        verbose_inventory_reports,
        listen,
        input,
    } = flags;
    let mut layer = Layer::default();
    let kubeconfig_text = kubeconfig.as_ref().map(|path| path.to_string_lossy().into_owned());
    let valued = [
        (KUBECONFIG_PATH.position, "--kubeconfig", &kubeconfig_text),
        (KUBECONFIG_CLUSTER.position, "--cluster-name", cluster_name),
        (OUTPUT.position, "--output", output),
        (MODE.position, "--mode", mode),
        (POLLING_INTERVAL.position, "--polling-interval-seconds", polling_interval_seconds),
        (SERVER_LISTEN.position, "--listen", listen),
    ];
    for (position, flag, text) in valued {
        let Some(text) = text else { continue };
        let (key, origin) = (&KEYS[position], Origin::Flag(flag));
        match read_scalar(key.kind, text, &origin) {
            Ok(Some(value)) => {
                layer.settings.insert(key.path, Setting::new(value, origin));
            }
            Ok(None) => problems.add(&origin, key.path, Refused::new(key.kind, text)),
            Err(refused) => problems.add(&origin, key.path, refused),
        }
    }
    for (key, flag, given) in [
        (QUIET, "--quiet", *quiet),
        (VERBOSE_INVENTORY_REPORTS, "--verbose-inventory-reports", *verbose_inventory_reports),
    ] {
        if given {
            layer.settings.insert(key.path, Setting::new(Value::Switch(true), Origin::Flag(flag)));
        }
    }
    for (key, flag, given) in
        [(NAMESPACE_INCLUDE, "--namespaces", namespaces), (NAMESPACE_EXCLUDE, "--exclude", exclude)]
    {
        if !given.is_empty() {
            let origin = Origin::Flag(flag);
            let items = given.iter().flat_map(|text| split(text, &origin)).collect();
            layer.settings.insert(key.path, Setting::new(Value::List(items), origin));
        }
    }
    if *verbose > 0 {
        read_verbosity(*verbose, *quiet, below, &mut layer, problems);
    }
    if *input {
        let given = [
            ("--kubeconfig", kubeconfig.is_some()),
            ("--context", context.is_some()),
            ("--as", impersonation.user.is_some()),
            ("--as-group", !impersonation.groups.is_empty()),
            ("--as-uid", impersonation.uid.is_some()),
        ];
        for (flag, _) in given.iter().filter(|(_, given)| *given) {
            let text =
                format!("reads a saved dump and asks no cluster, so {flag} has no meaning; leave one of them out");
            problems.add_at(&Origin::Flag("--input"), text);
        }
    }
    layer
}

fn read_verbosity(verbose: u8, quiet: bool, below: &Layer, layer: &mut Layer, problems: &mut Problems) {
    let origin = Origin::Flag("-v");
    if let Some(level) = below.settings.get(LOG_LEVEL.path) {
        let text = format!("cannot be given while {} sets log.level; leave one of them out", level.origin);
        problems.add_at(&origin, text);
    }
    if quiet {
        problems.add_at(&origin, "cannot be given together with -q; leave one of them out");
    }
    let level = if verbose == 1 { "debug" } else { "trace" };
    if let Ok(Some(value)) = read_scalar(KEYS[LOG_LEVEL.position].kind, level, &origin) {
        layer.settings.insert(LOG_LEVEL.path, Setting::new(value, origin));
    }
}
