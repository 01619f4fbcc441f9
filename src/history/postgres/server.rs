//! A PostgreSQL server for tests: Debian's package, in a folder of its own, ended when the tests end.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::config::{PostgresHost, PostgresSettings, PostgresTls};

/// Where Debian has the programs, newest first.
const FOLDERS: [&str; 4] = ["17", "16", "15", "14"];
/// `required`: that there is no PostgreSQL is a failure. Not `KAI_…`: every kai that a test starts would warn of it.
const VARIABLE: &str = "POSTGRES_TESTS";
/// The user that runs it: PostgreSQL refuses root.
const USER: &str = "postgres";

/// A server with its folder. The socket's folder is the data's.
pub(crate) struct Server {
    folder: PathBuf,
    programs: PathBuf,
    pub(crate) port: u16,
    /// Ends the server when its standard input ends, so that no test leaves one behind.
    guard: Mutex<Option<Child>>,
    is_kept: bool,
}

/// One for all tests that do not stop it; `None`: PostgreSQL is not installed, which was said.
pub(crate) fn shared() -> Option<&'static Server> {
    static SHARED: OnceLock<Option<Server>> = OnceLock::new();
    SHARED.get_or_init(|| Server::start(false)).as_ref()
}

impl Server {
    /// One for a test alone, which may stop it.
    pub(crate) fn own() -> Option<Self> {
        Self::start(true)
    }

    fn start(is_kept: bool) -> Option<Self> {
        let Some(programs) = programs() else {
            let text = "PostgreSQL is not installed: its tests are left out (make packages installs it)";
            assert!(std::env::var(VARIABLE).as_deref() != Ok("required"), "{text}, and {VARIABLE}=required");
            // Past what the test harness captures.
            writeln!(std::io::stderr(), "{text}").unwrap();
            return None;
        };
        let folder = tempfile::Builder::new().prefix("kai-pg-").tempdir().unwrap().keep();
        if is_root() {
            assert!(Command::new("chown").arg(USER).arg(&folder).status().unwrap().success());
        }
        let server = Self { folder, programs, port: free_port(), guard: Mutex::default(), is_kept };
        server.initdb();
        server.resume();
        Some(server)
    }

    /// Starts one in its place that has nothing.
    pub(crate) fn renew(&self) {
        std::fs::remove_dir_all(self.folder.join("data")).unwrap();
        self.initdb();
        self.resume();
    }

    fn initdb(&self) {
        let mut initdb = as_user(&self.programs.join("initdb"));
        initdb.args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", "-U", "kai", "-D"]);
        let made = initdb.arg(self.folder.join("data")).output().unwrap();
        assert!(made.status.success(), "{made:?}");
    }

    /// Starts it again.
    pub(crate) fn resume(&self) {
        let data = self.folder.join("data");
        // The shell has the server's id, and outlives a test that panics.
        let script = r#"program=$1 folder=$2 port=$3 kept=$4; shift 4
            "$program" -D "$folder/data" -k "$folder" -p "$port" -h 127.0.0.1 -F "$@" >>"$folder/log" 2>&1 & pid=$!
            cat >/dev/null; kill -INT "$pid"; wait "$pid"
            if [ "$kept" = false ]; then rm -rf "$folder"; fi"#;
        let mut shell = as_user(Path::new("/bin/sh"));
        shell.args(["-c", script, "sh"]).arg(self.programs.join("postgres")).arg(&self.folder);
        shell.arg(self.port.to_string()).arg(self.is_kept.to_string());
        if data.join("server.key").exists() {
            shell.args(["-c", "ssl=on"]);
        }
        let guard = shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        *self.guard.lock().unwrap_or_else(PoisonError::into_inner) = Some(guard);
        let begun = Instant::now();
        while !self.try_run("postgres", "SELECT 1") {
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "{}",
                std::fs::read_to_string(self.folder.join("log")).unwrap()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends it, with every connection.
    pub(crate) fn stop(&self) {
        if let Some(mut guard) = self.guard.lock().unwrap_or_else(PoisonError::into_inner).take() {
            drop(guard.stdin.take());
            guard.wait().unwrap();
        }
    }

    /// An empty database.
    pub(crate) fn database(&self) -> String {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        self.run("postgres", &format!("CREATE DATABASE {name}"));
        name
    }

    /// The way to a database by the socket, as the user `kai`.
    pub(crate) fn settings(&self, database: &str) -> PostgresSettings {
        PostgresSettings {
            host: PostgresHost::Socket(self.folder.clone()),
            port: self.port,
            user: "kai".to_owned(),
            database: database.to_owned(),
            password: None,
            tls: PostgresTls::Never,
            ca_file: None,
            cluster_id: None,
            is_read_only: false,
        }
    }

    /// Runs SQL as the owner of everything, and gives what it prints.
    pub(crate) fn run(&self, database: &str, sql: &str) -> String {
        let done = self.psql(database, sql);
        assert!(done.status.success(), "{sql}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    }

    fn try_run(&self, database: &str, sql: &str) -> bool {
        self.psql(database, sql).status.success()
    }

    fn psql(&self, database: &str, sql: &str) -> std::process::Output {
        let mut psql = Command::new(self.programs.join("psql"));
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "kai", "-d", database, "-c", sql, "-h"]);
        psql.arg(&self.folder).args(["-p", &self.port.to_string()]).output().unwrap()
    }

    /// Puts a file beside the data, for the server alone.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.folder.join("data").join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        if is_root() {
            assert!(Command::new("chown").arg(USER).arg(&path).status().unwrap().success());
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

/// The folder of the programs.
fn programs() -> Option<PathBuf> {
    let folders = FOLDERS.iter().map(|version| Path::new("/usr/lib/postgresql").join(version).join("bin"));
    let on_path =
        std::env::var_os("PATH").into_iter().flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    folders.chain(on_path).find(|folder| ["postgres", "initdb", "psql"].iter().all(|name| folder.join(name).exists()))
}

fn as_user(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("runuser");
    command.args(["-u", USER, "--"]).arg(program);
    command
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.starts_with(b"0\n")
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
