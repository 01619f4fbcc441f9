//! Which file holds the settings, and its text.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::sources::{Environment, Flags};
use crate::inventory::excerpt;

/// More than any configuration; a ConfigMap holds a quarter of it. Keeps `--config /dev/zero` from filling the memory.
const MAX_BYTES: u64 = 4 << 20;

/// A file that was read.
#[derive(Debug)]
pub(super) struct ConfigFile {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

/// Reads the file of `--config`, else the first that exists where kai looks; `None` when there is none.
///
/// A file that exists and cannot be read is an error wherever it was found: starting without it would ignore what the
/// user wrote there.
pub(super) fn read(flags: &Flags, environment: &Environment) -> Result<Option<ConfigFile>, String> {
    if let Some(path) = &flags.config {
        let found = environment.resolve(path);
        let text = read_text(&found)
            .map_err(|reason| format!("flag --config: \"{}\" {reason}", excerpt(&path.to_string_lossy())))?;
        return Ok(Some(ConfigFile { path: path.clone(), text }));
    }
    let Some(path) = places(environment).into_iter().find(|path| is_there(path)) else { return Ok(None) };
    let text = read_text(&path)
        .map_err(|reason| format!("the configuration file \"{}\" {reason}", excerpt(&path.to_string_lossy())))?;
    Ok(Some(ConfigFile { path, text }))
}

/// Where the file may be, in order.
fn places(environment: &Environment) -> Vec<PathBuf> {
    let here = &environment.working_dir;
    let home = environment.home.as_deref();
    let mut places = vec![here.join("kai.yaml"), here.join(".kai.yaml"), here.join(".kai/config.yaml")];
    places.extend(home.map(|home| home.join(".kai.yaml")));
    let user = environment.variable("XDG_CONFIG_HOME").map(PathBuf::from).or_else(|| Some(home?.join(".config")));
    let system = environment.variable("XDG_CONFIG_DIRS").unwrap_or("/etc/xdg");
    let folders = user.into_iter().chain(std::env::split_paths(system));
    // The XDG specification has relative folders ignored.
    places.extend(folders.filter(|folder| folder.is_absolute()).map(|folder| folder.join("kai/config.yaml")));
    places
}

/// Something other than a folder is there, readable or not.
fn is_there(path: &Path) -> bool {
    match std::fs::metadata(path) {
        Ok(metadata) => !metadata.is_dir(),
        Err(error) => !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory),
    }
}

fn read_text(path: &Path) -> Result<String, String> {
    let read = || {
        let mut bytes = Vec::new();
        File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
        Ok::<_, std::io::Error>(bytes)
    };
    let bytes = read().map_err(|error| match error.kind() {
        ErrorKind::NotFound => "does not exist; give the path of a YAML file".to_owned(),
        ErrorKind::IsADirectory => "is a folder; give the path of a YAML file in it".to_owned(),
        _ => format!("cannot be read: {error}"),
    })?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("is larger than {MAX_BYTES} bytes; this is no configuration file"));
    }
    String::from_utf8(bytes)
        .map_err(|error| format!("is not UTF-8 text (byte {}); save it as UTF-8", error.utf8_error().valid_up_to() + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_looked_for_in_this_order() {
        let environment = Environment {
            variables: [("XDG_CONFIG_DIRS", "/a:relative:/b")].map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
            home: Some("/home/me".into()),
            working_dir: "/here".into(),
        };
        let expected = [
            "/here/kai.yaml",
            "/here/.kai.yaml",
            "/here/.kai/config.yaml",
            "/home/me/.kai.yaml",
            "/home/me/.config/kai/config.yaml",
            "/a/kai/config.yaml",
            "/b/kai/config.yaml",
        ];
        assert_eq!(places(&environment), expected.map(PathBuf::from));
    }

    #[test]
    fn without_a_home_the_system_folder_is_still_searched() {
        let environment = Environment { working_dir: "/w".into(), ..Environment::default() };
        assert_eq!(places(&environment).last(), Some(&PathBuf::from("/etc/xdg/kai/config.yaml")));
        assert_eq!(places(&environment).len(), 4);
    }
}
