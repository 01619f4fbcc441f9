//! The service that is measured: a process of its own, what it takes, and clients of it.

use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use reqwest::{Client, Method, Response};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use crate::{DEADLINE, LOOK};

/// Clock ticks of the kernel's counts in a second, on every Linux.
const TICKS: f64 = 100.0;
const MEBIBYTE: f64 = 1024.0;

pub(crate) struct Kai {
    process: Child,
    clients: Clients,
    /// From the start of the process.
    pub(crate) first_answer: Duration,
}

/// Those who ask it.
#[derive(Clone)]
pub(crate) struct Clients {
    client: Client,
    address: String,
}

/// What the process has taken until now.
pub(crate) struct Usage {
    at: Instant,
    cpu_seconds: f64,
    pub(crate) mebibytes: f64,
    /// The most until now.
    pub(crate) peak_mebibytes: f64,
}

impl Usage {
    pub(crate) fn cores_since(&self, before: &Self) -> f64 {
        (self.cpu_seconds - before.cpu_seconds) / (self.at - before.at).as_secs_f64()
    }
}

impl Kai {
    /// Starts it and waits for its first answer.
    pub(crate) async fn start(program: &str, kubeconfig: &Path) -> Result<Self, String> {
        let port = free_port()?;
        let kubeconfig = kubeconfig.display().to_string();
        let arguments =
            ["serve", "--listen", &format!("127.0.0.1:{port}"), "--kubeconfig", &kubeconfig].map(str::to_owned);
        Self::launch(program, &arguments, port, "/namespaces").await
    }

    /// The same of any service that listens on that port, whose first answer is one of that path.
    pub(crate) async fn launch(program: &str, arguments: &[String], port: u16, path: &str) -> Result<Self, String> {
        let begun = Instant::now();
        let process = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(std::env::vars().filter(|(name, _)| name.starts_with("KAI_HISTORY_")))
            .env("KAI_LOG_LEVEL", "warn")
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{program}: {error}"))?;
        let client = Client::builder().no_proxy().timeout(DEADLINE).build().map_err(text)?;
        let clients = Clients { client, address: format!("http://127.0.0.1:{port}") };
        let ready = async {
            while !clients.ask(Method::GET, path, "identity").await.is_ok_and(|answer| answer.status().is_success()) {
                tokio::time::sleep(LOOK).await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_mins(2), ready).await;
        waited.map_err(|_| format!("{program} had no answer within two minutes"))?;
        Ok(Self { process, clients, first_answer: begun.elapsed() })
    }

    pub(crate) fn client(&self) -> Clients {
        self.clients.clone()
    }

    /// Reads the inventory in both codings each second.
    pub(crate) fn read_steadily(&self) -> JoinHandle<()> {
        let clients = self.client();
        tokio::spawn(async move {
            loop {
                for coding in ["identity", "gzip"] {
                    if let Ok(answer) = clients.ask(Method::GET, "/inventory", coding).await {
                        drop(answer.bytes().await);
                    }
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        })
    }

    pub(crate) fn usage(&self) -> Result<Usage, String> {
        let process = self.process.id().ok_or("kai has ended")?;
        let read = |file: &str| std::fs::read_to_string(format!("/proc/{process}/{file}")).map_err(text);
        let (stat, status) = (read("stat")?, read("status")?);
        // Behind the name, which may have spaces: fields 14 and 15 are the time in user mode and in the kernel.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |place: usize| fields.get(place).and_then(|field| field.parse::<f64>().ok()).unwrap_or(f64::NAN);
        let kibibytes = |name: &str| {
            let number = |line: &str| line.strip_prefix(name)?.split_whitespace().next()?.parse::<f64>().ok();
            status.lines().find_map(number).unwrap_or(f64::NAN)
        };
        Ok(Usage {
            at: Instant::now(),
            cpu_seconds: (ticks(11) + ticks(12)) / TICKS,
            mebibytes: kibibytes("VmRSS:") / MEBIBYTE,
            peak_mebibytes: kibibytes("VmHWM:") / MEBIBYTE,
        })
    }

    pub(crate) async fn stop(mut self) -> Result<(), String> {
        self.process.kill().await.map_err(text)
    }
}

impl Clients {
    /// Waits for an answer about the namespace that has the text; its generation.
    pub(crate) async fn wait_for_image(&self, namespace: &str, tag: &str) -> Result<u64, String> {
        // A later change of the same pod takes the image away again; the next one to be timed is seconds off.
        let answered = self.wait_for_text(&format!("/namespaces/{namespace}/images"), tag, LOOK).await?;
        answered.ok_or_else(|| "an answer without a generation".to_owned())
    }

    /// Asks for the path at that pace, until the answer has the text; its generation, if it has one.
    pub(crate) async fn wait_for_text(&self, path: &str, wanted: &str, pace: Duration) -> Result<Option<u64>, String> {
        let begun = Instant::now();
        while begun.elapsed() < DEADLINE {
            let answer = self.ask(Method::GET, path, "identity").await?;
            let generation = generation(&answer);
            if answer.text().await.map_err(text)?.contains(wanted) {
                return Ok(generation);
            }
            tokio::time::sleep(pace).await;
        }
        Err(format!("{wanted} was not in {path} within {DEADLINE:?}"))
    }

    /// Waits until the compressed inventory is of that generation or a later one.
    pub(crate) async fn wait_for_inventory(&self, wanted: u64) -> Result<(), String> {
        let begun = Instant::now();
        while begun.elapsed() < DEADLINE {
            let answer = self.ask(Method::HEAD, "/inventory", "gzip").await?;
            if generation(&answer).is_some_and(|generation| generation >= wanted) {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
        Err(format!("/inventory was not of generation {wanted} within {DEADLINE:?}"))
    }

    /// A stream of changes.
    pub(crate) async fn follow(&self) -> Result<Response, String> {
        let request = self.client.get(format!("{}/v1/changes", self.address)).timeout(Duration::from_hours(1));
        request.send().await.and_then(Response::error_for_status).map_err(text)
    }

    async fn ask(&self, method: Method, path: &str, coding: &str) -> Result<Response, String> {
        let request = self.client.request(method, format!("{}{path}", self.address)).header("accept-encoding", coding);
        request.send().await.map_err(text)
    }
}

pub(crate) fn free_port() -> Result<u16, String> {
    Ok(TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).map_err(text)?.port())
}

fn generation(answer: &Response) -> Option<u64> {
    answer.headers().get("inventory-generation")?.to_str().ok()?.parse().ok()
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
