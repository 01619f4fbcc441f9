//! All sources laid over one another: what counts for each key, and where it came from.

use std::time::Duration;

use super::keys::{self, KEYS, Key, List, REGISTRATION_ENABLED, Row, Secret, Text};
use super::layer::{Layer, Route};
use super::pem::{self, Meaning};
use super::postgres_url;
use super::problem::Origin;
use super::sources::Environment;
use super::url;
use super::value::{Item, Setting, Value};
use super::words::Word;

/// What `kai config` shows in place of a secret.
const REDACTED: &str = "[REDACTED]";

/// The value that counts for each key of the table.
#[derive(Debug)]
pub(super) struct Effective {
    /// In the order of [`KEYS`].
    settings: Vec<Setting>,
    routes: Vec<Route>,
}

impl Effective {
    /// Fills defaults in and expands `$NAME` in the credentials of the file.
    pub(super) fn of(layer: Layer, environment: &Environment) -> Self {
        let Layer { mut settings, mut routes } = layer;
        let mut settings: Vec<_> = KEYS
            .iter()
            .map(|row| {
                let mut setting = settings.remove(row.path).unwrap_or_else(|| Setting::default_of(row));
                if row.expands {
                    expand(&mut setting, environment);
                }
                setting
            })
            .collect();
        imply_registration(&mut settings);
        for credential in routes.iter_mut().flat_map(|route| [&mut route.user, &mut route.password]).flatten() {
            expand(credential, environment);
        }
        Self { settings, routes }
    }

    /// What counts for each key under its own name.
    pub(super) fn settings(&self) -> impl Iterator<Item = (&'static Row, &Setting)> {
        KEYS.iter().zip(&self.settings).filter(|(row, _)| row.alias_of.is_none())
    }

    pub(super) fn routes(&self) -> &[Route] {
        &self.routes
    }

    pub(super) fn get<T: Copy>(&self, key: Key<T>) -> &Setting {
        &self.settings[key.position]
    }

    /// Where the value of a key came from.
    pub(super) fn origin<T: Copy>(&self, key: Key<T>) -> &Origin {
        &self.get(key).origin
    }

    /// Where to point when a key has no value: its own place if it was written at all, else the place of the key that
    /// asks for it.
    pub(super) fn origin_or<T: Copy, A: Copy>(&self, key: Key<T>, asking: Key<A>) -> &Origin {
        self.get(key).origin_or(self.origin(asking))
    }

    /// A text; `None` when it is empty.
    pub(super) fn text(&self, key: Key<Text>) -> Option<&str> {
        self.get(key).text()
    }

    pub(super) fn word<W: Word>(&self, key: Key<W>) -> W {
        self.value_of_word(key).unwrap_or(key.default)
    }

    /// A word that has no default.
    pub(super) fn word_if_set<W: Word>(&self, key: Key<Option<W>>) -> Option<W> {
        self.value_of_word(key)
    }

    fn value_of_word<T: Copy, W: Word>(&self, key: Key<T>) -> Option<W> {
        match self.get(key).value {
            Value::Word(position, _) => W::VALUES.get(position).copied(),
            _ => None,
        }
    }

    pub(super) fn switch(&self, key: Key<bool>) -> bool {
        match self.get(key).value {
            Value::Switch(switch) => switch,
            _ => key.default,
        }
    }

    /// A number; 0 stands for one below 0.
    pub(super) fn number<T: Copy>(&self, key: Key<T>) -> u64 {
        match self.get(key).value {
            Value::Number(number) => u64::try_from(number).unwrap_or(0),
            _ => 0,
        }
    }

    /// A number that the table's bounds keep within `u32`.
    pub(super) fn small_number(&self, key: Key<u32>) -> u32 {
        u32::try_from(self.number(key)).unwrap_or(u32::MAX)
    }

    pub(super) fn seconds(&self, key: Key<Duration>) -> Duration {
        Duration::from_secs(self.number(key))
    }

    pub(super) fn items(&self, key: Key<List>) -> &[Item] {
        self.get(key).items()
    }

    /// Why a key has no value, and where to write one.
    pub(super) fn missing<T: Copy>(&self, key: Key<T>) -> String {
        let way = format!(" or by the variable {}", keys::variable(key.path));
        missing(Some(self.get(key)), &way)
    }

    /// Forgets every secret, so that what is kept for `kai config` cannot show one.
    pub(super) fn redact(&mut self) {
        let of_keys = KEYS.iter().zip(&mut self.settings).map(|(row, setting)| (row.secret, setting));
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
        Secret::UrlPassword => postgres_url::without_password(text, REDACTED),
    }
}

/// Done here and not where the section is built, so that `kai config` shows what counts, and where it came from.
fn imply_registration(settings: &mut [Setting]) {
    let rows = KEYS.iter().zip(&*settings);
    let mut section = rows.filter(|(row, _)| row.path.starts_with("anchore-registration."));
    let written = section.find(|(_, setting)| setting.text().is_some()).map(|(_, setting)| setting.origin.clone());
    let enabled = &mut settings[REGISTRATION_ENABLED.position];
    if let Some(origin) = written.filter(|_| enabled.origin == Origin::Default) {
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

/// Why a credential is empty, and where to write it; `way`: another place than the file.
pub(super) fn missing(setting: Option<&Setting>, way: &str) -> String {
    match setting.and_then(|setting| setting.expanded_from.as_deref()) {
        Some(name) => format!("the variable {name} that it names is not set or is empty; set it"),
        None => format!("is not set; set it in the file{way}"),
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
