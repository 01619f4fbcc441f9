//! The settings as a user meets them: files, variables and flags in, settings or messages out.

#![expect(clippy::unwrap_used, reason = "tests")]

mod charts;
mod errors;
mod meaning;
mod printed;
mod push;
mod secrets;
mod server;
mod sources;

use std::path::Path;

use kai::config::{ConfigErrors, Environment, Flags, Loaded, Password, load};
use secrecy::ExposeSecret as _;
use tempfile::TempDir;

/// A folder with `kai.yaml`, and an environment that knows no other file.
pub(crate) struct Case {
    pub(crate) folder: TempDir,
    pub(crate) flags: Flags,
    pub(crate) environment: Environment,
}

/// A password that was written, not named by a file.
pub(crate) fn secret(password: &Password) -> &str {
    match password {
        Password::Text(text) => text.expose_secret(),
        Password::File(path) => panic!("a password in {}", path.display()),
    }
}

/// A case with this text in `kai.yaml`.
pub(crate) fn file(text: &str) -> Case {
    let case = nothing();
    case.write("kai.yaml", text);
    case
}

/// A case without any file.
pub(crate) fn nothing() -> Case {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    let environment = Environment { home: Some(home), working_dir: folder.path().into(), ..Environment::default() };
    Case { folder, flags: Flags::default(), environment }.variable("XDG_CONFIG_DIRS", "/nonexistent")
}

impl Case {
    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn flags(mut self, set: impl FnOnce(&mut Flags)) -> Self {
        set(&mut self.flags);
        self
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn try_load(&self) -> Result<Loaded, ConfigErrors> {
        load(&self.flags, &self.environment)
    }

    /// The settings, which must be right.
    pub(crate) fn load(&self) -> Loaded {
        self.try_load().unwrap_or_else(|errors| panic!("unexpected problems:\n{errors}"))
    }

    /// Every problem, with the folder cut off the names of files.
    pub(crate) fn problems(&self) -> Vec<String> {
        let errors = self.try_load().expect_err("no problem was found");
        let lines: Vec<String> = errors.to_string().lines().map(|line| relative(line, self.folder.path())).collect();
        assert_eq!(lines.len(), errors.problems().len(), "a problem has more than one line: {errors}");
        lines
    }

    /// Every warning, with the folder cut off the names of files.
    pub(crate) fn warnings(&self) -> Vec<String> {
        self.load().warnings.iter().map(|line| relative(line, self.folder.path())).collect()
    }
}

fn relative(line: &str, folder: &Path) -> String {
    line.replace(&format!("{}/", folder.display()), "")
}
