//! All sources laid over one another: what counts for each key, and where it came from.

use std::time::Duration;

use super::keys::{self, KEYS, Key, REGISTRATION_ENABLED, Secret};
use super::layer::{Layer, Route};
use super::pem::{self, Meaning};
use super::problem::Origin;
use super::sources::Environment;
use super::url;
use super::value::{Item, Setting, Value};

/// What `kai config` shows in place of a secret.
const REDACTED: &str = "[REDACTED]";

/// The value that counts for each key of the table.
#[derive(Debug)]
pub(super) struct Effective {
    settings: Vec<(&'static Key, Setting)>,
    routes: Vec<Route>,
}

impl Effective {
    /// Fills defaults in and expands `$NAME` in the credentials of the file.
    pub(super) fn of(layer: Layer, environment: &Environment) -> Self {
        let Layer { mut settings, mut routes } = layer;
        let mut settings: Vec<_> = KEYS
            .iter()
            .filter(|key| key.alias_of.is_none())
            .map(|key| {
                let mut setting = settings.remove(key.path).unwrap_or_else(|| Setting::default_of(key));
                if key.expands {
                    expand(&mut setting, environment);
                }
                (key, setting)
            })
            .collect();
        imply_registration(&mut settings);
        for credential in routes.iter_mut().flat_map(|route| [&mut route.user, &mut route.password]).flatten() {
            expand(credential, environment);
        }
        Self { settings, routes }
    }

    pub(super) fn settings(&self) -> &[(&'static Key, Setting)] {
        &self.settings
    }

    pub(super) fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The setting of a key of the table.
    ///
    /// # Panics
    /// When the table has no such key, which is a mistake in the code that the first test finds.
    pub(super) fn get(&self, path: &str) -> &Setting {
        let found = self.settings.iter().find(|(key, _)| key.path == path);
        &found.unwrap_or_else(|| panic!("`{path}` is not in the table of keys")).1
    }

    /// Where the value of a key came from.
    pub(super) fn origin(&self, path: &str) -> &Origin {
        &self.get(path).origin
    }

    /// Where to point when a key has no value: its own place if it was written at all, else the place of the key that
    /// asks for it.
    pub(super) fn origin_or(&self, path: &str, asking: &str) -> &Origin {
        match self.origin(path) {
            Origin::Default => self.origin(asking),
            own => own,
        }
    }

    /// A text; `None` when it is empty.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.get(path).text()
    }

    /// A word, which may be empty.
    pub(super) fn word(&self, path: &str) -> &str {
        self.text(path).unwrap_or_default()
    }

    pub(super) fn switch(&self, path: &str) -> bool {
        matches!(self.get(path).value, Value::Switch(true))
    }

    /// A number; 0 stands for one below 0.
    pub(super) fn number(&self, path: &str) -> u64 {
        match self.get(path).value {
            Value::Number(number) => u64::try_from(number).unwrap_or(0),
            _ => 0,
        }
    }

    /// A number that the table's bounds keep within `u32`.
    pub(super) fn small_number(&self, path: &str) -> u32 {
        u32::try_from(self.number(path)).unwrap_or(u32::MAX)
    }

    pub(super) fn seconds(&self, path: &str) -> Duration {
        Duration::from_secs(self.number(path))
    }

    pub(super) fn items(&self, path: &str) -> &[Item] {
        self.get(path).items()
    }

    /// Forgets every secret, so that what is kept for `kai config` cannot show one.
    pub(super) fn redact(&mut self) {
        let of_keys = self.settings.iter_mut().map(|(key, setting)| (key.secret, setting));
        let of_routes = self.routes.iter_mut().filter_map(|route| Some((Secret::Whole, route.password.as_mut()?)));
        for (secret, setting) in of_keys.chain(of_routes) {
            if let Some(shown) = setting.text().and_then(|text| redacted(secret, text)) {
                setting.value = Value::Text(shown);
            }
        }
    }
}

/// What is shown of a value; `None`: the value itself.
fn redacted(secret: Secret, text: &str) -> Option<String> {
    match secret {
        Secret::No => None,
        Secret::Whole => Some(REDACTED.to_owned()),
        Secret::UnlessPath => (pem::meaning(text) != Ok(Meaning::Path)).then(|| REDACTED.to_owned()),
        Secret::UserInfo => url::without_user(text, REDACTED),
    }
}

/// Done here and not where the section is built, so that `kai config` shows what counts, and where it came from.
fn imply_registration(settings: &mut [(&'static Key, Setting)]) {
    let section = |key: &Key| key.path.starts_with("anchore-registration.");
    let written = settings.iter().find(|(key, setting)| section(key) && setting.text().is_some());
    let Some(origin) = written.map(|(_, setting)| setting.origin.clone()) else { return };
    let enabled = settings.iter_mut().find(|(key, _)| key.path == REGISTRATION_ENABLED);
    if let Some((_, enabled)) = enabled.filter(|(_, enabled)| enabled.origin == Origin::Default) {
        *enabled = Setting::new(Value::Switch(true), origin);
    }
}

/// Only the file's values: a variable is already outside the file, and a password in one may well start with `$`.
fn expand(setting: &mut Setting, environment: &Environment) {
    if !matches!(setting.origin, Origin::File { .. }) {
        return;
    }
    let Some(name) = setting.text().and_then(variable_reference).map(str::to_owned) else { return };
    setting.value = Value::Text(environment.variable(&name).unwrap_or_default().to_owned());
    setting.expanded_from = Some(name);
}

/// The `NAME` of a text that is `$NAME` or `${NAME}` as a whole.
fn variable_reference(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('$')?;
    let name = match rest.strip_prefix('{') {
        Some(braced) => braced.strip_suffix('}')?,
        None => rest,
    };
    let starts_well = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    (starts_well && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')).then_some(name)
}

/// Why a credential is empty, and where to write it.
pub(super) fn missing(setting: Option<&Setting>, path: &str) -> String {
    let variable = match keys::find(path) {
        Some(key) => format!(" or by the variable {}", keys::variable(key.path)),
        None => String::new(),
    };
    match setting.and_then(|setting| setting.expanded_from.as_deref()) {
        Some(name) => format!("the variable {name} that it names is not set or is empty; set it"),
        None => format!("is not set; set it in the file{variable}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("$NAME", Some("NAME"))]
    #[case("${NAME_2}", Some("NAME_2"))]
    #[case("$_x", Some("_x"))]
    #[case("NAME", None)]
    #[case("$1", None)]
    #[case("$", None)]
    #[case("${}", None)]
    #[case("${NAME", None)]
    #[case("$NAME}", None)]
    #[case("a$NAME", None)]
    #[case("$NAME ", None)]
    #[case("$NAME$OTHER", None)]
    fn only_a_whole_value_names_a_variable(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(variable_reference(text), expected);
    }
}
