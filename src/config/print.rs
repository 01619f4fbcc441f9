//! The settings that count as YAML, each line with a comment on where its value came from. kai takes it as a file again,
//! secrets aside.

use std::fmt::Write as _;
use std::path::Path;

use super::effective::Effective;
use super::keys::ACCOUNT_ROUTES;
use super::value::{Item, Setting, Value};
use super::yaml::scalar;
use crate::inventory::excerpt;

/// The whole text. Secrets must be redacted before.
pub(super) fn to_yaml(values: &Effective, file: Option<&Path>) -> String {
    let mut text = match file {
        Some(path) => format!("# Read from {}\n", excerpt(&path.to_string_lossy())),
        None => "# No configuration file was found\n".to_owned(),
    };
    let mut open: Vec<&str> = Vec::new();
    for (row, setting) in values.settings() {
        let mut sections: Vec<&str> = row.path.split('.').collect();
        let Some(name) = sections.pop() else { continue };
        let shared = open.iter().zip(&sections).take_while(|(a, b)| a == b).count();
        for (depth, section) in sections.iter().enumerate().skip(shared) {
            line(&mut text, depth, &format!("{section}:"), None);
        }
        line(&mut text, sections.len(), &format!("{name}: {}", written(setting)), Some(setting));
        open = sections;
    }
    if values.routes().is_empty() {
        text.push_str(ACCOUNT_ROUTES);
        text.push_str(": {} # default\n");
        return text;
    }
    line(&mut text, 0, &format!("{ACCOUNT_ROUTES}:"), None);
    for route in values.routes() {
        line(&mut text, 1, &format!("{}:", scalar(&route.account)), None);
        let mut empty = true;
        for (name, setting) in [("user", &route.user), ("password", &route.password), ("namespaces", &route.namespaces)]
        {
            if let Some(setting) = setting {
                line(&mut text, 2, &format!("{name}: {}", written(setting)), Some(setting));
                empty = false;
            }
        }
        if empty {
            // A key without a value would still be right, but reads like a mistake.
            line(&mut text, 2, "namespaces: []", None);
        }
    }
    text
}

fn line(text: &mut String, depth: usize, content: &str, setting: Option<&Setting>) {
    let indent = depth * 2;
    let comment = match setting {
        Some(Setting { origin, expanded_from: Some(name), .. }) => format!(" # {origin}, from ${}", excerpt(name)),
        Some(Setting { origin, .. }) => format!(" # {origin}"),
        None => String::new(),
    };
    // Writing to a String cannot fail.
    let _ = writeln!(text, "{:indent$}{content}{comment}", "");
}

fn written(setting: &Setting) -> String {
    match &setting.value {
        Value::Text(text) => scalar(text),
        Value::Switch(switch) => switch.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Word(_, word) => scalar(word),
        Value::List(items) => flow_list(items),
    }
}

fn flow_list(items: &[Item]) -> String {
    let entries: Vec<String> = items.iter().map(|item| scalar(&item.text)).collect();
    format!("[{}]", entries.join(", "))
}
