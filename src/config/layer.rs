//! One source's settings by key, and how a stronger source covers a weaker one.

use std::collections::BTreeMap;

use super::keys::KEYS;
use super::problem::{Origin, Problems};
use super::value::{Setting, Value};

/// What one source, or all of them together, set.
#[derive(Debug, Default)]
pub(super) struct Layer {
    pub(super) settings: BTreeMap<&'static str, Setting>,
    /// From the file only, in its order.
    pub(super) routes: Vec<Route>,
}

/// `account-routes.<account>`
#[derive(Debug)]
pub(super) struct Route {
    /// As written: case counts.
    pub(super) account: String,
    pub(super) origin: Origin,
    pub(super) user: Option<Setting>,
    pub(super) password: Option<Setting>,
    pub(super) namespaces: Option<Setting>,
}

impl Layer {
    /// Moves what was set under an older name to the key's own name. Done in each source by itself, so that a variable
    /// of either name covers either name in the file.
    pub(super) fn resolve_aliases(&mut self, problems: &mut Problems) {
        for key in KEYS {
            let Some(name) = key.alias_of else { continue };
            let Some(given) = self.settings.remove(key.path) else { continue };
            match self.settings.get(name) {
                Some(other) if says_something(other) && says_something(&given) && other.value != given.value => {
                    let text = format!("is another name of {name}, which {} sets otherwise; keep one", other.origin);
                    problems.add(&given.origin, key.path, text);
                }
                Some(other) if says_something(other) => {}
                _ => {
                    self.settings.insert(name, given);
                }
            }
        }
    }

    /// Lays a stronger source over this one.
    pub(super) fn cover_with(&mut self, stronger: Self) {
        self.settings.extend(stronger.settings);
        self.routes.extend(stronger.routes);
    }
}

fn says_something(setting: &Setting) -> bool {
    !matches!(&setting.value, Value::List(items) if items.is_empty())
}
