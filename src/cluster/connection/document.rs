//! A kubeconfig as it is written: entries that nobody asks for are not judged, and errors name the entry and the field.
//!
//! kube's own types refuse a whole file for one field of an entry that is not used, in the words of a Rust type. kubectl
//! writes such fields itself.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use serde_saphyr::options::{DuplicateKeyPolicy, NonFiniteFloatPolicy};

use super::fault::{KubeconfigError, unreadable};
use crate::inventory::excerpt;

/// A mapping in a kubeconfig, and how messages name it.
#[derive(Debug, Clone, Default)]
pub(super) struct Entry {
    fields: Map<String, Value>,
    /// `user "ann"`
    name: String,
    path: PathBuf,
}

/// The documents of a file, which is one in nearly all of them.
pub(super) fn read_documents(path: &Path) -> Result<Vec<Entry>, KubeconfigError> {
    let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
    let malformed = |position: String, reason: String| KubeconfigError::Malformed {
        path: path.to_owned(),
        position,
        reason: excerpt(&reason).to_string(),
    };
    let text = text_of(bytes).map_err(|reason| malformed(String::new(), reason.to_owned()))?;
    let documents: Vec<Value> = parse_yaml(&text).map_err(|error| {
        let place = error.location();
        let position = place.map(|place| format!(":{}:{}", place.line(), place.column())).unwrap_or_default();
        // The parser's message draws the lines around the problem, and those may hold a token.
        let reason = error.without_snippet().to_string();
        malformed(position, without_values(reason.lines().next().unwrap_or_default()))
    })?;
    let entry = |value| match value {
        Value::Null => Ok(Entry { path: path.to_owned(), ..Entry::default() }),
        Value::Object(fields) => Ok(Entry { fields, name: String::new(), path: path.to_owned() }),
        value => Err(malformed(String::new(), format!("it is {}, not a mapping", kind(&value)))),
    };
    documents.into_iter().map(entry).collect()
}

/// Every document of a text, read as kubectl reads it: of a key that stands twice the last counts.
pub(super) fn parse_yaml(text: &str) -> Result<Vec<Value>, serde_saphyr::Error> {
    let options = serde_saphyr::options! {
        duplicate_keys: DuplicateKeyPolicy::LastWins,
        non_finite_float_policy: NonFiniteFloatPolicy::PassThrough,
        strict_booleans: true,
        with_snippet: false,
    };
    serde_saphyr::from_multiple_with_options(text, options)
}

/// Text in UTF-8, or in UTF-16 as PowerShell's `>` writes it.
fn text_of(bytes: Vec<u8>) -> Result<String, &'static str> {
    let wide = |unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes[2..].chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        String::from_utf16(&units).map_err(|_| "it is not text in UTF-16")
    };
    match bytes.as_slice() {
        [0xff, 0xfe, ..] => wide(u16::from_le_bytes),
        [0xfe, 0xff, ..] => wide(u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, text @ ..] => String::from_utf8(text.to_vec()).map_err(|_| "it is not text in UTF-8"),
        _ => String::from_utf8(bytes).map_err(|_| "it is not text in UTF-8"),
    }
}

/// Leaves out what stands between double quotes: it may be a value.
fn without_values(message: &str) -> String {
    let parts: Vec<&str> = message.split('"').collect();
    if parts.len() < 3 {
        return message.to_owned();
    }
    let kept: Vec<&str> = parts.iter().step_by(2).copied().collect();
    kept.join("…")
}

impl Entry {
    /// Whether nothing at all is written in it.
    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The field, unless it is unset: absent or null.
    fn get(&self, field: &str) -> Option<&Value> {
        self.fields.get(field).filter(|value| !value.is_null())
    }

    /// A text; `None` when it is unset or empty, which are the same to kubectl.
    pub(super) fn text(&self, field: &str) -> Result<Option<String>, KubeconfigError> {
        match self.get(field) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.trim().is_empty())),
            Some(value) => Err(self.wrong(field, value, "write a text, in quotes")),
        }
    }

    /// A text in which `$` and blanks at both ends mean nothing: a path, relative to the folder of the file.
    pub(super) fn file(&self, field: &str) -> Result<Option<PathBuf>, KubeconfigError> {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        Ok(self.text(field)?.map(|file| folder.join(file)))
    }

    /// A switch, off when it is unset.
    pub(super) fn switch(&self, field: &str) -> Result<bool, KubeconfigError> {
        let word = |text: &str| match text.to_ascii_lowercase().as_str() {
            // What YAML 1.1 and so kubectl take for one.
            "true" | "yes" | "on" | "y" => Some(true),
            "false" | "no" | "off" | "n" | "" => Some(false),
            _ => None,
        };
        match self.get(field) {
            None => Ok(false),
            Some(Value::Bool(switch)) => Ok(*switch),
            Some(Value::String(text)) if word(text).is_some() => Ok(word(text) == Some(true)),
            Some(value) => Err(self.wrong(field, value, "write true or false")),
        }
    }

    /// A list of texts, empty when it is unset.
    pub(super) fn texts(&self, field: &str) -> Result<Vec<String>, KubeconfigError> {
        let advice = "write a list of texts, each in quotes";
        let values = match self.get(field) {
            None => return Ok(Vec::new()),
            Some(Value::Array(values)) => values,
            Some(value) => return Err(self.wrong(field, value, advice)),
        };
        let text = |value: &Value| match value {
            Value::String(text) => Ok(text.clone()),
            value => Err(self.fault(field, format!("has {} in its list; {advice}", kind(value)))),
        };
        values.iter().map(text).collect()
    }

    /// A mapping inside of this one.
    pub(super) fn entry(&self, field: &str) -> Result<Option<Entry>, KubeconfigError> {
        match self.get(field) {
            None => Ok(None),
            Some(Value::Object(fields)) => Ok(Some(self.inner(field.to_owned(), fields))),
            Some(value) => Err(self.wrong(field, value, "write its fields")),
        }
    }

    /// The mappings of a list; what else stands in it is nobody's.
    pub(super) fn entries(&self, field: &str) -> Result<Vec<Entry>, KubeconfigError> {
        match self.get(field) {
            None => Ok(Vec::new()),
            Some(Value::Array(values)) => {
                let fields = values.iter().filter_map(Value::as_object);
                Ok(fields.map(|fields| self.inner(field.to_owned(), fields)).collect())
            }
            Some(value) => Err(self.wrong(field, value, "write a list of entries")),
        }
    }

    /// The entries of a list by their names; those without one have an empty name.
    pub(super) fn named(&self, list: &str, kind: &str) -> Result<Vec<(String, Entry)>, KubeconfigError> {
        let named = self.entries(list)?.into_iter().map(|outer| {
            let name = outer.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            let shown = format!("{kind} \"{}\"", excerpt(&name));
            let inner = match outer.get(kind) {
                Some(Value::Object(fields)) => fields.clone(),
                _ => Map::new(),
            };
            (name, Entry { fields: inner, name: shown, path: self.path.clone() })
        });
        Ok(named.collect())
    }

    /// The texts of a mapping; what is no text is left out.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(String::as_str)
    }

    /// The value of a field as it is.
    pub(super) fn raw(&self, field: &str) -> Option<&Value> {
        self.get(field)
    }

    /// How messages name a field: `token of user "ann" in kubeconfig FILE`.
    pub(super) fn setting(&self, field: &str) -> String {
        let of = if self.name.is_empty() { String::new() } else { format!(" of {}", self.name) };
        format!("{field}{of} in kubeconfig {}", self.path.display())
    }

    /// The error of a field.
    pub(super) fn fault(&self, field: &str, problem: String) -> KubeconfigError {
        KubeconfigError::Field { setting: self.setting(field), problem }
    }

    fn wrong(&self, field: &str, value: &Value, advice: &str) -> KubeconfigError {
        self.fault(field, format!("is {}; {advice}", kind(value)))
    }

    fn inner(&self, name: String, fields: &Map<String, Value>) -> Self {
        let name = if self.name.is_empty() { name } else { format!("{name} of {}", self.name) };
        Self { fields: fields.clone(), name, path: self.path.clone() }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn entry(fields: Value) -> Entry {
        let Value::Object(fields) = fields else { panic!("no object") };
        Entry { fields, name: "user \"ann\"".to_owned(), path: "/home/ann/config".into() }
    }

    #[rstest]
    #[case(json!({}))]
    #[case(json!({"token": null}))]
    #[case(json!({"token": ""}))]
    #[case(json!({"token": " \n"}))]
    fn empty_means_unset(#[case] fields: Value) {
        assert_eq!(entry(fields).text("token").unwrap(), None);
    }

    #[rstest]
    #[case(json!({"token": 7}), "token of user \"ann\" in kubeconfig /home/ann/config is a number; write a text, in quotes")]
    #[case(json!({"token": ["s3cret"]}), "token of user \"ann\" in kubeconfig /home/ann/config is a list; write a text, in quotes")]
    fn a_wrong_kind_is_named_by_entry_and_field(#[case] fields: Value, #[case] expected: &str) {
        assert_eq!(entry(fields).text("token").unwrap_err().to_string(), expected);
    }

    #[rstest]
    #[case(json!(true), Some(true))]
    #[case(json!("Yes"), Some(true))]
    #[case(json!("off"), Some(false))]
    #[case(json!(null), Some(false))]
    #[case(json!("maybe"), None)]
    #[case(json!(1), None)]
    fn switches_are_the_words_of_yaml(#[case] value: Value, #[case] expected: Option<bool>) {
        assert_eq!(entry(json!({"switch": value})).switch("switch").ok(), expected);
    }

    #[test]
    fn files_are_relative_to_the_folder_of_the_kubeconfig() {
        let entry = entry(json!({"relative": "certs/ca.pem", "absolute": "/ca.pem"}));
        assert_eq!(entry.file("relative").unwrap().unwrap(), Path::new("/home/ann/certs/ca.pem"));
        assert_eq!(entry.file("absolute").unwrap().unwrap(), Path::new("/ca.pem"));
    }

    #[test]
    fn the_last_of_two_keys_counts() {
        let documents = parse_yaml("a: 1\nb: x\na: 2\n").unwrap();
        assert_eq!(documents, [json!({"a": 2, "b": "x"})]);
    }

    #[test]
    fn text_of_powershell_is_read() {
        let mut bytes = vec![0xff, 0xfe];
        bytes.extend("kind: Config".encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(text_of(bytes).unwrap(), "kind: Config");
        assert_eq!(text_of(b"\xef\xbb\xbfkind: x".to_vec()).unwrap(), "kind: x");
        assert!(text_of(vec![0xff, 0x00]).is_err());
    }
}
