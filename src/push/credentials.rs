//! Who sends to the receiver. A password file is read when it is first needed and again when it has changed.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use secrecy::{ExposeSecret as _, SecretString};

use super::failure::Failure;
use crate::config::Password;
use crate::files::FileStamp;
use crate::inventory::excerpt;
use crate::remote::os_reason;

/// The most that is read of a password file: a wrong path may lead to something endless.
const LIMIT: u64 = 64 * 1024;

/// Who sends, and for which account.
#[derive(Debug, Clone)]
pub struct Sender {
    /// Name for basic authentication.
    pub user: String,
    pub password: Password,
    /// `x-anchore-account`; `None`: no such header, which is the user's own account.
    pub account: Option<Arc<str>>,
}

/// Password files as they were last read.
#[derive(Debug, Default)]
pub(super) struct Passwords {
    files: Mutex<HashMap<PathBuf, (FileStamp, SecretString)>>,
}

impl Passwords {
    /// The password as it is now.
    pub(super) fn current(&self, password: &Password) -> Result<SecretString, Failure> {
        match password {
            Password::Text(text) => Ok(text.clone()),
            Password::File(path) => self.of_file(path, false),
        }
    }

    /// The password, when it is no longer the one that was refused: a file can change without its stamp when that happens
    /// within the clock's tick.
    pub(super) fn changed(&self, password: &Password, refused: &SecretString) -> Option<SecretString> {
        let Password::File(path) = password else { return None };
        let now = self.of_file(path, true).ok()?;
        (now.expose_secret() != refused.expose_secret()).then_some(now)
    }

    fn of_file(&self, path: &Path, anew: bool) -> Result<SecretString, Failure> {
        let fault = |problem: String| Failure::Password { path: excerpt(&path.to_string_lossy()).to_string(), problem };
        let unreadable = |error: io::Error| fault(format!("cannot be read: {}", os_reason(&error)));
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = FileStamp::read(path).map_err(unreadable)?;
        if let Some((known, password)) = files.get(path)
            && *known == stamp
            && !anew
        {
            return Ok(password.clone());
        }
        let mut bytes = Vec::new();
        File::open(path).and_then(|file| file.take(LIMIT).read_to_end(&mut bytes)).map_err(unreadable)?;
        let text = String::from_utf8(bytes).map_err(|_| fault("is not UTF-8 text".to_owned()))?;
        let line = text.lines().next().unwrap_or_default();
        if line.is_empty() {
            return Err(fault("has an empty first line, which is where the password belongs".to_owned()));
        }
        let password = SecretString::from(line);
        files.insert(path.to_owned(), (stamp, password.clone()));
        Ok(password)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn read(passwords: &Passwords, path: &Path) -> Result<String, String> {
        let password = passwords.current(&Password::File(path.to_owned()));
        password.map(|password| password.expose_secret().to_owned()).map_err(|failure| failure.to_string())
    }

    #[rstest]
    #[case("one", "one")]
    #[case("one\n", "one")]
    #[case("one\r\ntwo\n", "one")]
    #[case(" one \n", " one ")]
    fn the_first_line_is_the_password(#[case] text: &str, #[case] password: &str) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        assert_eq!(read(&Passwords::default(), file.path()).as_deref(), Ok(password));
    }

    #[test]
    fn a_file_that_changes_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let (path, next) = (folder.path().join("password"), folder.path().join("next"));
        let passwords = Passwords::default();
        std::fs::write(&path, "one").unwrap();
        assert_eq!(read(&passwords, &path).as_deref(), Ok("one"));
        std::fs::write(&next, "two").unwrap();
        std::fs::rename(&next, &path).unwrap();
        assert_eq!(read(&passwords, &path).as_deref(), Ok("two"));
    }

    /// A file can change twice within a tick of the system's clock.
    #[test]
    fn a_password_that_is_refused_is_read_again() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let (passwords, password) = (Passwords::default(), Password::File(file.path().to_owned()));
        std::fs::write(file.path(), "one").unwrap();
        let refused = passwords.current(&password).unwrap();
        assert!(passwords.changed(&password, &refused).is_none());
        std::fs::write(file.path(), "two").unwrap();
        assert_eq!(passwords.changed(&password, &refused).unwrap().expose_secret(), "two");
        assert_eq!(passwords.current(&password).unwrap().expose_secret(), "two");
    }

    #[rstest]
    #[case::empty(Some(&b""[..]), "has an empty first line")]
    #[case::empty_first_line(Some(&b"\nhunter2\n"[..]), "has an empty first line")]
    #[case::no_text(Some(&b"hunter2\xff"[..]), "is not UTF-8 text")]
    #[case::missing(None, "cannot be read: no such file or directory")]
    fn a_file_without_a_password_is_an_error_with_its_key(#[case] content: Option<&[u8]>, #[case] problem: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        if let Some(content) = content {
            std::fs::write(&path, content).unwrap();
        }
        let message = read(&Passwords::default(), &path).unwrap_err();
        let expected = format!("anchore.password-file {} {problem}", path.display());
        assert!(message.starts_with(&expected) && !message.contains("hunter2"), "{message}");
    }

    #[test]
    fn a_sender_is_debugged_without_its_password() {
        let sender = Sender { user: "me".to_owned(), password: Password::Text("hunter2".into()), account: None };
        assert!(!format!("{sender:?}").contains("hunter2"));
    }
}
