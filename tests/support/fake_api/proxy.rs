//! An HTTP proxy that leads every tunnel to one server, whatever name was asked for.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A running proxy. Stops when it is dropped.
pub(crate) struct FakeProxy {
    address: String,
    seen: Arc<Mutex<Vec<String>>>,
    server: JoinHandle<()>,
}

impl FakeProxy {
    /// Leads every tunnel to this URL's host and port.
    pub(crate) async fn to(url: &str) -> Self {
        let target = url.split("://").nth(1).unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let lines = Arc::clone(&seen);
        let server = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                tokio::spawn(tunnel(client, target.clone(), Arc::clone(&lines)));
            }
        });
        Self { address, seen, server }
    }

    /// `HOST:PORT`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Every line of every request for a tunnel.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for FakeProxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn tunnel(client: TcpStream, target: String, seen: Arc<Mutex<Vec<String>>>) {
    let mut client = BufReader::new(client);
    loop {
        let mut line = String::new();
        client.read_line(&mut line).await.unwrap();
        if line.trim().is_empty() {
            break;
        }
        seen.lock().unwrap().push(line.trim().to_owned());
    }
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    let mut server = TcpStream::connect(target).await.unwrap();
    // Either side may hang up when it likes.
    drop(copy_bidirectional(&mut client, &mut server).await);
}
