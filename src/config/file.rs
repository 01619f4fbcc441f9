//! The file's tree held against the table of keys: what is known becomes a setting, all else a problem with its line.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::keys::{self, ACCOUNT_ROUTES, DEV, Kind, NAMESPACE_EXCLUDE, NAMESPACE_INCLUDE, NAMESPACES, ROUTE_KEYS};
use super::layer::{Layer, Route};
use super::problem::{Origin, Problems};
use super::suggest;
use super::value::{Allowed, Item, Setting, Value, read_scalar};
use super::yaml::{self, Node, Shape};
use crate::inventory::excerpt;

/// Reads the settings of a file's text. `name` is the file as messages show it.
pub(super) fn read(name: &str, text: &str, problems: &mut Problems) -> Layer {
    let mut reader = Reader { name: name.into(), layer: Layer::default(), problems };
    match yaml::parse(text) {
        Ok(Node { shape: Shape::Null, .. }) => {}
        Ok(Node { shape: Shape::Map(entries), .. }) => reader.section("", entries),
        Ok(node) => {
            let text = format!("the file is {}; write keys with values, such as `output: json`", article(&node.shape));
            reader.problems.add_at(&reader.origin(node.line), text);
        }
        Err(error) => {
            let text = if error.has_more_documents {
                "the file has more than one YAML document; write all settings in one, without a line `---` between them"
                    .to_owned()
            } else {
                format!("not YAML: {}", excerpt(&error.reason))
            };
            reader.problems.add_at(&reader.origin(error.line), text);
        }
    }
    let Reader { mut layer, problems, .. } = reader;
    layer.resolve_aliases(problems);
    layer
}

struct Reader<'a> {
    name: Arc<str>,
    layer: Layer,
    problems: &'a mut Problems,
}

impl Reader<'_> {
    fn origin(&self, line: u64) -> Origin {
        Origin::File { name: Arc::clone(&self.name), line }
    }

    /// The entries of the section `path` (`""`: the file itself).
    fn section(&mut self, path: &str, entries: Vec<(yaml::Key, Node)>) {
        for (name, key, value) in self.distinct(path, entries, str::to_lowercase) {
            let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
            if let Some(known) = keys::find(&path) {
                let Some(setting) = self.setting(known.path, known.kind, value) else { continue };
                // KAI takes `log.level: info` for `level` in the section `log`, so a key can repeat in two forms.
                if let Some(first) = self.layer.settings.get(known.path) {
                    let text = format!("is set twice, here and at {}; keep one", first.origin);
                    self.problems.add(&self.origin(key.line), known.path, text);
                } else {
                    self.layer.settings.insert(known.path, setting);
                }
            } else if path == ACCOUNT_ROUTES {
                self.routes(value);
            } else if path == DEV {
                let text = format!("{DEV}: kai has no such section any more; it is ignored, remove it");
                self.problems.warn(&self.origin(key.line), text);
            } else if keys::is_section(&path) {
                match value.shape {
                    Shape::Null => {}
                    Shape::Map(entries) => self.section(&path, entries),
                    // The text is not shown: a password may have slipped one level up.
                    shape => {
                        let known = keys::children(&path).join(", ");
                        let text = format!("is a section, not {}; its keys are {known}", article(&shape));
                        self.problems.add(&self.origin(value.line), &path, text);
                    }
                }
            } else {
                let section = path.rsplit_once('.').map_or("", |(section, _)| section);
                let advice = suggest::for_key(section, &key.text);
                let written = if section.is_empty() { key.text } else { format!("{section}.{}", key.text) };
                let text = format!("unknown key `{}`; {advice}", excerpt(&written));
                self.problems.add_at(&self.origin(key.line), text);
            }
        }
    }

    /// The entries with their names folded by `fold`; a repeated one is a problem and left out.
    fn distinct(
        &mut self,
        section: &str,
        entries: Vec<(yaml::Key, Node)>,
        fold: fn(&str) -> String,
    ) -> Vec<(String, yaml::Key, Node)> {
        let mut first_lines = BTreeMap::new();
        let mut distinct = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let name = fold(&key.text);
            if let Some(first) = first_lines.get(&name) {
                let path = if section.is_empty() { name } else { format!("{section}.{name}") };
                let text = format!("is set twice, here and in line {first}; keep one");
                self.problems.add(&self.origin(key.line), &path, text);
            } else {
                first_lines.insert(name.clone(), key.line);
                distinct.push((name, key, value));
            }
        }
        distinct
    }

    /// The value of a key; `None` when it is not set or was refused.
    fn setting(&mut self, path: &str, kind: Kind, node: Node) -> Option<Setting> {
        let origin = self.origin(node.line);
        let value = match node.shape {
            Shape::Null => return None,
            Shape::Text(text) => match read_scalar(kind, &text, &origin) {
                Ok(value) => value?,
                Err(refused) => {
                    self.problems.add(&origin, path, refused);
                    return None;
                }
            },
            Shape::List(items) if kind == Kind::List => Value::List(self.items(path, items)),
            Shape::Map(_) if path == NAMESPACES.path => {
                let text = format!(
                    "is a map, an older form of KAI; write its lists include and exclude under `namespace-selectors`, as \
                     {NAMESPACE_INCLUDE} and {NAMESPACE_EXCLUDE}, or a list of names here"
                );
                self.problems.add(&origin, path, text);
                return None;
            }
            shape => {
                self.problems.add(&origin, path, format!("{} is not valid; write {}", article(&shape), Allowed(kind)));
                return None;
            }
        };
        Some(Setting::new(value, origin))
    }

    fn items(&mut self, path: &str, nodes: Vec<Node>) -> Vec<Item> {
        let mut items = Vec::with_capacity(nodes.len());
        for node in nodes {
            let origin = self.origin(node.line);
            match node.shape {
                Shape::Text(text) => items.push(Item { text, origin }),
                // An empty entry is refused by the key's own rules.
                Shape::Null => items.push(Item { text: String::new(), origin }),
                shape => {
                    let text = format!("{} is not a valid entry; write text", article(&shape));
                    self.problems.add(&origin, path, text);
                }
            }
        }
        items
    }

    /// `account-routes`: accounts with the names that the user gave them.
    fn routes(&mut self, node: Node) {
        let entries = match node.shape {
            Shape::Null => return,
            Shape::Map(entries) => entries,
            shape => {
                let text =
                    format!("{} is not valid; write accounts, each with {}", article(&shape), ROUTE_KEYS.join(", "));
                self.problems.add(&self.origin(node.line), ACCOUNT_ROUTES, text);
                return;
            }
        };
        for (account, key, value) in self.distinct(ACCOUNT_ROUTES, entries, str::to_owned) {
            let origin = self.origin(key.line);
            let path = format!("{ACCOUNT_ROUTES}.{account}");
            let mut route = Route { account, origin, user: None, password: None, namespaces: None };
            match value.shape {
                Shape::Null => {}
                Shape::Map(entries) => self.route(&path, entries, &mut route),
                shape => {
                    let text = format!("{} is not valid; its keys are {}", article(&shape), ROUTE_KEYS.join(", "));
                    self.problems.add(&self.origin(value.line), &path, text);
                }
            }
            self.layer.routes.push(route);
        }
    }

    fn route(&mut self, path: &str, entries: Vec<(yaml::Key, Node)>, route: &mut Route) {
        for (name, key, value) in self.distinct(path, entries, str::to_lowercase) {
            let here = format!("{path}.{name}");
            match name.as_str() {
                "user" => route.user = self.setting(&here, Kind::Text, value),
                "password" => route.password = self.setting(&here, Kind::Text, value),
                "namespaces" => route.namespaces = self.setting(&here, Kind::List, value),
                _ => {
                    let advice = suggest::for_route_key(path, &key.text);
                    let text = format!("unknown key `{}`; {advice}", excerpt(&format!("{path}.{}", key.text)));
                    self.problems.add_at(&self.origin(key.line), text);
                }
            }
        }
    }
}

fn article(shape: &Shape) -> &'static str {
    match shape {
        Shape::Null => "nothing",
        Shape::Text(_) => "a text",
        Shape::List(_) => "a list",
        Shape::Map(_) => "a map",
    }
}
