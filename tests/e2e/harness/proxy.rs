//! A TCP proxy before an API server: TLS goes through untouched, until a claim cuts or freezes it.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use serde_json::{Value, json};

use super::cluster::Cluster;
use super::kai::Kai;

/// A running proxy. What it holds is closed when it is dropped.
pub(crate) struct Proxy {
    address: String,
    shared: Arc<Shared>,
}

struct Shared {
    upstream: String,
    links: Mutex<Vec<Link>>,
    /// Connections that ever came.
    came: AtomicUsize,
    is_over: AtomicBool,
}

/// Both ends of what is connected.
struct Link {
    ends: [TcpStream; 2],
    is_frozen: Arc<AtomicBool>,
}

impl Proxy {
    /// One before the API server of `cluster`.
    pub(crate) fn before(cluster: &Cluster) -> Self {
        let server = cluster.endpoint["server"].as_str().expect("an address");
        let upstream = server.trim_start_matches("https://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let (links, came, is_over) = (Mutex::default(), AtomicUsize::default(), AtomicBool::default());
        let shared = Arc::new(Shared { upstream, links, came, is_over });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || accept(&listener, &accepting));
        Self { address, shared }
    }

    /// The entry of the cluster in a kubeconfig that leads through it.
    pub(crate) fn endpoint(&self, cluster: &Cluster) -> Value {
        let mut endpoint = cluster.endpoint.clone();
        endpoint["server"] = json!(format!("https://{}", self.address));
        endpoint
    }

    /// kai with the administrator's rights, through it.
    pub(crate) fn kai(&self, cluster: &Cluster) -> Kai {
        let view = cluster.kubectl_json(&["config", "view", "--raw", "--flatten", "--minify", "-o", "json"]);
        let name = self.address.replace(':', "-");
        Kai::new(&cluster.write_kubeconfig(&name, &self.endpoint(cluster), &view["users"][0]["user"]))
    }

    /// Closes every connection. New ones are forwarded.
    pub(crate) fn cut(&self) {
        self.shared.links().drain(..).for_each(|link| link.close());
    }

    /// Forwards nothing more on the connections that there are, and closes none. New ones are forwarded.
    pub(crate) fn freeze(&self) {
        self.shared.links().iter().for_each(|link| link.is_frozen.store(true, Ordering::SeqCst));
    }

    /// How many connections ever came.
    pub(crate) fn came(&self) -> usize {
        self.shared.came.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Whoever accepts looks up at the next connection.
        drop(TcpStream::connect(&self.address));
        self.cut();
    }
}

impl Shared {
    fn links(&self) -> MutexGuard<'_, Vec<Link>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Link {
    fn close(&self) {
        self.ends.iter().for_each(|end| drop(end.shutdown(Shutdown::Both)));
    }
}

fn accept(listener: &TcpListener, shared: &Shared) {
    for client in listener.incoming() {
        if shared.is_over.load(Ordering::SeqCst) {
            return;
        }
        // A server that is away refuses: the client sees its connection end.
        drop(client.and_then(|client| link(client, shared)));
    }
}

fn link(client: TcpStream, shared: &Shared) -> std::io::Result<()> {
    shared.came.fetch_add(1, Ordering::SeqCst);
    let server = TcpStream::connect(&shared.upstream)?;
    let is_frozen = Arc::new(AtomicBool::default());
    let ends = [client.try_clone()?, server.try_clone()?];
    shared.links().push(Link { ends, is_frozen: Arc::clone(&is_frozen) });
    let (from_client, from_server) = (client.try_clone()?, server.try_clone()?);
    let frozen = Arc::clone(&is_frozen);
    thread::spawn(move || forward(from_client, server, &frozen));
    thread::spawn(move || forward(from_server, client, &is_frozen));
    Ok(())
}

fn forward(mut from: TcpStream, mut to: TcpStream, is_frozen: &AtomicBool) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = from.read(&mut buffer).unwrap_or_default();
        if is_frozen.load(Ordering::SeqCst) {
            if read == 0 {
                return;
            }
            continue;
        }
        if read == 0 || to.write_all(&buffer[..read]).is_err() {
            drop(from.shutdown(Shutdown::Both));
            drop(to.shutdown(Shutdown::Both));
            return;
        }
    }
}
