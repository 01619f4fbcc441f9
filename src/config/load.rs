//! Reads every source, lays them over one another, and builds the settings; or lists all that is wrong.

use std::path::PathBuf;

use super::effective::Effective;
use super::overlays::{read_flags, read_image_default, read_variables};
use super::problem::{ConfigErrors, Origin, Problems};
use super::settings::Settings;
use super::sources::{Environment, Flags};
use super::{file, print, search, sections};

/// Settings that are whole and right, and what to log about them.
#[derive(Debug)]
pub struct Loaded {
    pub settings: Settings,
    /// What the user should know, one sentence each; nothing stops for them.
    pub warnings: Vec<String>,
    /// The file that was read.
    pub file: Option<PathBuf>,
    /// Redacted: for [`Loaded::to_yaml`].
    values: Effective,
}

impl Loaded {
    /// The settings that count as YAML, a comment on each line with where it came from: `default`, `FILE:LINE`,
    /// `variable NAME` or `flag --NAME`. A secret reads `[REDACTED]`. kai takes the text as a file, secrets aside.
    pub fn to_yaml(&self) -> String {
        print::to_yaml(&self.values, self.file.as_deref())
    }
}

/// Loads the settings: flags before `KAI_` variables before the file before the image's own default before defaults.
///
/// # Errors
/// Every problem of all sources at once: unknown keys, wrong types, impossible combinations, a file that cannot be read.
pub fn load(flags: &Flags, environment: &Environment) -> Result<Loaded, ConfigErrors> {
    let mut problems = Problems::default();
    let found = search::read(flags, environment).unwrap_or_else(|reason| {
        problems.add_at(&Origin::Default, reason);
        None
    });
    let mut layer = read_image_default(environment);
    if let Some(found) = &found {
        layer.cover_with(file::read(&found.path.to_string_lossy(), &found.text, &mut problems));
    }
    layer.cover_with(read_variables(environment, &mut problems));
    let of_flags = read_flags(flags, &layer, &mut problems);
    layer.cover_with(of_flags);
    let mut values = Effective::of(layer, environment);
    let settings = sections::build(sections::Given { values: &values, flags, environment }, &mut problems);
    let warnings = problems.into_warnings()?;
    values.redact();
    Ok(Loaded { settings, warnings, file: found.map(|found| found.path), values })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::keys::{KEYS, Row};
    use crate::config::value::Setting;
    use crate::config::yaml::{self, Node, Shape};

    const SAMPLE: &str = include_str!("../../config/kai.yaml");

    /// Whether the document has the key, with or without a value.
    fn has(node: &Node, path: &str) -> bool {
        let Shape::Map(entries) = &node.shape else { return false };
        let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
        let found = entries.iter().find(|(key, _)| key.text == name);
        found.is_some_and(|(_, value)| rest.is_none_or(|rest| has(value, rest)))
    }

    #[test]
    fn the_sample_names_every_key() {
        let document = yaml::parse(SAMPLE).expect("YAML");
        for key in KEYS {
            let name = key.path.rsplit('.').next().expect("name");
            let named = match key.alias_of {
                None => has(&document, key.path),
                Some(_) => SAMPLE.contains(&format!("Also read as {name}.")),
            };
            assert!(named, "{} is not in config/kai.yaml", key.path);
        }
        assert!(has(&document, "account-routes"));
    }

    #[test]
    fn the_sample_says_what_counts_without_it() {
        let mut problems = Problems::default();
        let layer = file::read("kai.yaml", SAMPLE, &mut problems);
        assert_eq!(problems.into_warnings(), Ok(Vec::new()));
        let without_place = |(row, setting): (&Row, &Setting)| (row.path, setting.value.clone());
        let sample = Effective::of(layer, &Environment::default());
        let default = Effective::of(crate::config::layer::Layer::default(), &Environment::default());
        let values = |values: &Effective| values.settings().map(without_place).collect::<Vec<_>>();
        assert_eq!(values(&sample), values(&default));
        assert!(sample.routes().is_empty());
    }
}
