//! Patches pods of a real API server at a steady rate: containers are started again, and one in ten gets another image.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::{Method, Request};
use kube::Client;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc};

/// One in so many changes the image.
const IMAGES: u64 = 10;
/// How often changes are sent.
const TICK: Duration = Duration::from_millis(10);
/// Patches under way at once.
const AT_ONCE: usize = 16;
/// As many pods are changed, over and over.
const LIVELY: usize = 1_000;

pub(crate) struct Changes {
    client: Client,
    pods: Vec<Pod>,
    made: u64,
    rate: u64,
}

#[derive(Clone)]
struct Pod {
    namespace: String,
    name: String,
    container: String,
}

/// An image that the API server has taken.
pub(crate) struct Changed {
    pub(crate) namespace: String,
    /// Stands in no other image.
    pub(crate) tag: String,
}

impl Changes {
    /// Of the first running pods of the cluster.
    pub(crate) async fn of(client: Client, rate: u64) -> Result<Self, String> {
        let list = format!("/api/v1/pods?limit={LIVELY}&fieldSelector=status.phase%3DRunning");
        let request = Request::get(list).body(Vec::new()).map_err(text)?;
        let list: Value = client.request(request).await.map_err(text)?;
        let pods = list["items"].as_array().into_iter().flatten().filter_map(|pod| {
            let of = |place: &str| pod.pointer(place).and_then(Value::as_str).map(str::to_owned);
            Some(Pod {
                namespace: of("/metadata/namespace")?,
                name: of("/metadata/name")?,
                container: of("/spec/containers/0/name")?,
            })
        });
        let pods: Vec<Pod> = pods.collect();
        if pods.is_empty() {
            return Err("the cluster has no running pod; fill it with `load` first".to_owned());
        }
        // Other images than those of a run before.
        let made = std::time::UNIX_EPOCH.elapsed().map_err(text)?.as_secs() * 1_000_000;
        Ok(Self { client, pods, made, rate })
    }

    /// Makes changes for so long, and tells of each image. Gives how many there were in a second.
    pub(crate) async fn make(&mut self, time: Duration, mut tell: impl FnMut(Changed)) -> Result<f64, String> {
        let (sender, mut taken) = mpsc::unbounded_channel();
        let places = Arc::new(Semaphore::new(AT_ONCE));
        let (begun, mut sent) = (Instant::now(), 0);
        let mut ticks = tokio::time::interval(TICK);
        while begun.elapsed() < time {
            tokio::select! {
                _ = ticks.tick() => {}
                Some(changed) = taken.recv() => {
                    Result::<Option<Changed>, String>::map(changed, |changed| changed.into_iter().for_each(&mut tell))?;
                    continue;
                }
            }
            let due = u64::try_from(begun.elapsed().as_millis()).map_err(text)? * self.rate / 1_000;
            while sent < due {
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else { break };
                sent += 1;
                let (change, sender) = (self.next(), sender.clone());
                tokio::spawn(async move {
                    drop(sender.send(change.await));
                    drop(place);
                });
            }
        }
        drop(sender);
        while let Some(changed) = taken.recv().await {
            changed?.into_iter().for_each(&mut tell);
        }
        #[expect(clippy::cast_precision_loss, reason = "a count of minutes")]
        Ok(sent as f64 / begun.elapsed().as_secs_f64())
    }

    /// One change of an image.
    pub(crate) async fn one_image(&mut self) -> Result<Changed, String> {
        loop {
            if let Some(changed) = self.next().await? {
                return Ok(changed);
            }
        }
    }

    /// The next change, which its future makes; what became of an image.
    fn next(&mut self) -> impl Future<Output = Result<Option<Changed>, String>> + Send + 'static {
        self.made += 1;
        let made = self.made;
        let number = usize::try_from(made).unwrap_or(usize::MAX) * 7 % self.pods.len();
        let Pod { namespace, name, container } = self.pods[number].clone();
        let client = self.client.clone();
        async move {
            let place = format!("/api/v1/namespaces/{namespace}/pods/{name}");
            if !made.is_multiple_of(IMAGES) {
                let started = json!({"name": container, "containerID": format!("containerd://{made:064x}")});
                patch(&client, &format!("{place}/status"), &json!({"status": {"containerStatuses": [started]}}))
                    .await?;
                return Ok(None);
            }
            let tag = format!("live/app:{made}");
            let image = json!({"name": container, "image": format!("registry.example.com/{tag}")});
            patch(&client, &place, &json!({"spec": {"containers": [image]}})).await?;
            Ok(Some(Changed { namespace, tag }))
        }
    }
}

async fn patch(client: &Client, place: &str, body: &Value) -> Result<(), String> {
    let request = Request::builder()
        .method(Method::PATCH)
        .uri(place)
        .header("content-type", "application/strategic-merge-patch+json")
        .body(body.to_string().into_bytes())
        .map_err(text)?;
    client.request_text(request).await.map(drop).map_err(|error| format!("PATCH {place}: {error}"))
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
