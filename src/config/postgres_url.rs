//! `history.postgres.url`: what the URL of a PostgreSQL server says. No message holds any of it: where one is misspelt, a password may
//! stand anywhere in it.

use std::path::PathBuf;

use percent_encoding::percent_decode_str;
use secrecy::SecretString;

use super::settings::{PostgresHost, PostgresTls};

/// The port where the URL names none.
const PORT: u16 = 5432;
const SCHEMES: [&str; 2] = ["postgres", "postgresql"];

/// The parts of the URL, decoded.
#[derive(Debug)]
pub(super) struct PostgresUrl {
    pub(super) host: PostgresHost,
    pub(super) port: u16,
    pub(super) user: String,
    pub(super) database: String,
    pub(super) password: Option<SecretString>,
    pub(super) tls: PostgresTls,
}

impl PostgresUrl {
    /// # Errors
    /// What is wrong and what to write, without the URL.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once("://").ok_or_else(|| refused("is no URL"))?;
        if !SCHEMES.contains(&scheme) {
            return Err(refused("has no scheme postgres"));
        }
        if rest.contains('#') {
            return Err(refused("has a #, which is written %23"));
        }
        let (before, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = before.split_once('/').unwrap_or((before, ""));
        let (user_info, address) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = match user_info.split_once(':') {
            Some((user, password)) => (user, Some(decoded(password)?)),
            None => (user_info, None),
        };
        let (host, port) = split_port(address)?;
        let mut parts =
            Parts { host: decoded(host)?, port, user: decoded(user)?, database: decoded(path)?, sslmode: None };
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            parts.take(parameter)?;
        }
        parts.finish(password)
    }
}

/// What the URL has, before it is known whether that is enough.
struct Parts {
    host: String,
    port: Option<u16>,
    user: String,
    database: String,
    sslmode: Option<String>,
}

impl Parts {
    fn take(&mut self, parameter: &str) -> Result<(), String> {
        let (name, value) = parameter.split_once('=').ok_or_else(|| refused("has a parameter without a value"))?;
        let value = decoded(value)?;
        match name {
            "host" => self.host = value,
            "port" => self.port = Some(port_of(&value)?),
            "user" => self.user = value,
            "dbname" => self.database = value,
            "sslmode" => self.sslmode = Some(value),
            _ => return Err(refused("has a parameter other than host, port, user, dbname and sslmode")),
        }
        Ok(())
    }

    fn finish(self, password: Option<String>) -> Result<PostgresUrl, String> {
        let Self { host, port, user, database, sslmode } = self;
        if host.contains(',') {
            return Err(refused("names several hosts"));
        }
        if host.is_empty() || user.is_empty() {
            return Err(refused("names no host, or no user"));
        }
        let host =
            if host.starts_with('/') { PostgresHost::Socket(PathBuf::from(host)) } else { PostgresHost::Name(host) };
        let is_socket = matches!(host, PostgresHost::Socket(_));
        let tls = match sslmode.as_deref() {
            Some("disable") => PostgresTls::Never,
            None if is_socket => PostgresTls::Never,
            Some("require" | "verify-full") if is_socket => {
                return Err("asks for TLS on a Unix socket, which has none; leave sslmode out".to_owned());
            }
            None | Some("require" | "verify-full") => PostgresTls::Verified,
            Some(_) => {
                return Err("has another sslmode than disable, require or verify-full; with both of the latter kai checks the \
                            certificate and the host's name, and a private authority is named in history.postgres.ca-file"
                    .to_owned());
            }
        };
        // As every client of PostgreSQL has it.
        let database = if database.is_empty() { user.clone() } else { database };
        Ok(PostgresUrl {
            host,
            port: port.unwrap_or(PORT),
            user,
            database,
            password: password.map(SecretString::from),
            tls,
        })
    }
}

/// The URL with `mark` in the place of its password; `None` when it has none. All of it is `mark` when it is no such URL.
pub(super) fn without_password(text: &str, mark: &str) -> Option<String> {
    let Ok(url) = PostgresUrl::parse(text) else { return Some(mark.to_owned()) };
    url.password?;
    let (scheme, rest) = text.split_once("://")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (user_info, address) = rest[..end].rsplit_once('@')?;
    let user = user_info.split_once(':').map_or(user_info, |(user, _)| user);
    Some(format!("{scheme}://{user}:{mark}@{address}{}", &rest[end..]))
}

fn split_port(address: &str) -> Result<(&str, Option<u16>), String> {
    if let Some(rest) = address.strip_prefix('[') {
        let (host, behind) = rest.split_once(']').ok_or_else(|| refused("has no valid host and port"))?;
        return match behind.strip_prefix(':') {
            Some(port) => Ok((host, Some(port_of(port)?))),
            None if behind.is_empty() => Ok((host, None)),
            None => Err(refused("has no valid host and port")),
        };
    }
    match address.split_once(':') {
        Some((host, port)) => Ok((host, Some(port_of(port)?))),
        None => Ok((address, None)),
    }
}

fn port_of(text: &str) -> Result<u16, String> {
    text.parse().ok().filter(|port| *port > 0).ok_or_else(|| refused("has no valid host and port"))
}

fn decoded(text: &str) -> Result<String, String> {
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| refused("has something that is not UTF-8"))?;
    if decoded.contains(char::is_control) {
        return Err(refused("has a control character"));
    }
    Ok(decoded.into_owned())
}

fn refused(reason: &str) -> String {
    format!(
        "{reason}; write one server and a user, for example postgres://kai@db.example.com:5432/kai or \
         postgres://kai@/kai?host=/run/postgresql, and percent-encode special characters (@ is %40)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use secrecy::ExposeSecret as _;

    #[rstest]
    #[case("postgres://kai@db", "db", 5432, "kai", "kai", None, PostgresTls::Verified)]
    #[case(
        "postgresql://kai:hunt%40er@db:5433/images?sslmode=disable",
        "db",
        5433,
        "kai",
        "images",
        Some("hunt@er"),
        PostgresTls::Never
    )]
    #[case(
        "postgres://a%40b:p@x@[fd00::1]:6432/d?sslmode=verify-full",
        "fd00::1",
        6432,
        "a@b",
        "d",
        Some("p@x"),
        PostgresTls::Verified
    )]
    #[case("postgres://db/d?user=kai&sslmode=require&port=1", "db", 1, "kai", "d", None, PostgresTls::Verified)]
    fn a_url_is_read(
        #[case] text: &str,
        #[case] host: &str,
        #[case] port: u16,
        #[case] user: &str,
        #[case] database: &str,
        #[case] password: Option<&str>,
        #[case] tls: PostgresTls,
    ) {
        let url = PostgresUrl::parse(text).unwrap();
        assert_eq!((&url.host, url.port), (&PostgresHost::Name(host.to_owned()), port));
        assert_eq!((&*url.user, &*url.database, url.tls), (user, database, tls));
        assert_eq!(url.password.as_ref().map(SecretString::expose_secret), password);
    }

    #[test]
    fn a_socket_is_a_folder() {
        for text in ["postgres://kai@/kai?host=/run/postgresql", "postgres://kai@%2Frun%2Fpostgresql/kai"] {
            let url = PostgresUrl::parse(text).unwrap();
            assert_eq!((url.host, url.tls), (PostgresHost::Socket("/run/postgresql".into()), PostgresTls::Never));
        }
    }

    #[rstest]
    #[case("db.example.com:5432", "is no URL; ")]
    #[case("kai:hunter2@db", "is no URL; ")]
    #[case("http://kai:hunter2@db", "has no scheme postgres; ")]
    #[case("postgres://kai:hunter2@", "names no host, or no user; ")]
    #[case("postgres://db", "names no host, or no user; ")]
    #[case("postgres://kai:hunter2@one,two", "names several hosts; ")]
    #[case("postgres://kai:hunter2@db:0", "has no valid host and port; ")]
    #[case("postgres://kai:hunter#2@db", "has a #, which is written %23; ")]
    #[case("postgres://kai:hun/ter2@db", "has no valid host and port; ")]
    #[case("postgres://kai@db?password=hunter2", "has a parameter other than ")]
    #[case("postgres://kai:hunter2@db?sslmode", "has a parameter without a value; ")]
    #[case("postgres://kai:hunter2@db?sslmode=prefer", "has another sslmode than ")]
    #[case("postgres://kai:hunter2@%2Frun/d?sslmode=require", "asks for TLS on a Unix socket")]
    fn anything_else_is_refused_and_never_shown(#[case] text: &str, #[case] start: &str) {
        let message = PostgresUrl::parse(text).expect_err("refused");
        assert!(message.starts_with(start), "{message}");
        assert!(!message.contains("hunter"), "{message}");
        assert_eq!(without_password(text, "MARK").as_deref(), Some("MARK"));
    }

    #[rstest]
    #[case("postgres://kai@db/kai", None)]
    #[case("postgres://kai:hunter2@db/kai?sslmode=disable", Some("postgres://kai:MARK@db/kai?sslmode=disable"))]
    #[case("postgres://kai:hunt@er:2@db", Some("postgres://kai:MARK@db"))]
    fn a_url_is_shown_without_its_password(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(without_password(text, "MARK").as_deref(), expected);
    }
}
