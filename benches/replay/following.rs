//! Clients that follow `/v1/changes` while changes come: how long an event takes to reach them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::task::JoinSet;

use crate::kai::Clients;

/// When each image was sent, by its tag.
#[derive(Clone, Default)]
pub(crate) struct SentAt(Arc<Mutex<HashMap<String, Instant>>>);

/// Clients that read until they are dropped.
pub(crate) struct Followers {
    readers: JoinSet<Result<(), String>>,
    /// Milliseconds from the last byte of a frame to the line of the event.
    seen: Arc<Mutex<Vec<f64>>>,
    pub(crate) sent: SentAt,
}

impl SentAt {
    pub(crate) fn note(&self, image: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(image.to_owned(), Instant::now());
    }

    fn find(&self, image: &str) -> Option<Instant> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(image).copied()
    }
}

impl Followers {
    /// Opens so many streams.
    pub(crate) async fn open(clients: &Clients, count: u64) -> Result<Self, String> {
        let (mut readers, seen, sent) = (JoinSet::new(), Arc::new(Mutex::new(Vec::new())), SentAt::default());
        for _ in 0..count {
            let mut stream = clients.follow().await?;
            let (seen, sent) = (Arc::clone(&seen), sent.clone());
            readers.spawn(async move {
                let mut text = String::new();
                while let Some(chunk) = stream.chunk().await.map_err(|error| error.to_string())? {
                    let now = Instant::now();
                    text.push_str(&String::from_utf8_lossy(&chunk));
                    while let Some((event, rest)) = text.split_once("\n\n") {
                        if let Some(at) = appeared(event).and_then(|image| sent.find(image)) {
                            let time = (now - at).as_secs_f64() * 1e3;
                            seen.lock().unwrap_or_else(PoisonError::into_inner).push(time);
                        }
                        text = rest.to_owned();
                    }
                }
                Err("a stream of changes ended".to_owned())
            });
        }
        Ok(Self { readers, seen, sent })
    }

    /// The times of all of them; an error when a stream was not kept open.
    pub(crate) fn close(mut self) -> Result<Vec<f64>, String> {
        while let Some(ended) = self.readers.try_join_next() {
            ended.map_err(|error| error.to_string())??;
        }
        Ok(std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// The image of which an event says that it appeared.
fn appeared(event: &str) -> Option<&str> {
    let data = event.strip_prefix("event: image-appeared\n")?;
    data.split_once("\"image\":\"")?.1.split('"').next()
}
