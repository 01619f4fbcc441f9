//! Random changes to pods, the same for the same seed, by a few writers who outlast a server that is away.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::try_join_all;
use http::{Method, Request, StatusCode};
use kube::Client;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use super::cluster::{Cluster, client};
use super::objects::{Containers, pod};

/// Each has pods of its own, so that the changes to one of them have an order.
const WRITERS: usize = 8;
/// Pods of a writer at most: few enough that a name is deleted and created again.
const PODS: usize = 24;
/// How long a change is tried.
const OUTLAST: Duration = Duration::from_mins(2);
const ANSWER: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(200);

struct Writer<'a> {
    client: &'a Client,
    namespaces: &'a [&'a str],
    number: usize,
    random: fastrand::Rng,
    exists: [bool; PODS],
}

impl Cluster {
    /// Makes about so many random changes: pods are created, run, get other images and are deleted. `done` counts them.
    pub(crate) fn churn(
        &self,
        namespaces: &[&str],
        changes: usize,
        seed: u64,
        done: &AtomicUsize,
    ) -> Result<(), String> {
        kai::cluster::install_crypto_provider();
        let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
        runtime.block_on(async {
            let client = &client(&self.kubeconfig).await?;
            let writers = (0..WRITERS).zip(seed..).map(|(number, seed)| async move {
                let random = fastrand::Rng::with_seed(seed);
                let mut writer = Writer { client, namespaces, number, random, exists: [false; PODS] };
                for _ in 0..changes.div_ceil(WRITERS) {
                    writer.change().await?;
                    done.fetch_add(1, Ordering::SeqCst);
                }
                Ok(())
            });
            try_join_all(writers).await.map(drop)
        })
    }
}

impl Writer<'_> {
    async fn change(&mut self) -> Result<(), String> {
        let (chosen, number) = (self.random.usize(..PODS), self.number);
        let (namespace, name) = (self.namespaces[chosen % self.namespaces.len()], format!("pod-{number}-{chosen}"));
        let image = format!("registry.example.com/app-{}:{}", self.random.u8(..8), self.random.u8(..40));
        let pods = format!("/api/v1/namespaces/{namespace}/pods");
        let (place, status) = (format!("{pods}/{name}"), format!("{pods}/{name}/status"));
        let whole = pod(namespace, &name, &Containers::running(&[("app", &image)]));
        let running = json!({"status": whole["status"]});
        match (self.exists[chosen], self.random.u8(..3)) {
            (false, _) => {
                self.send(&Method::POST, &pods, &whole).await?;
                self.exists[chosen] = true;
                self.send(&Method::PATCH, &status, &running).await
            }
            (true, 0) => {
                let other = json!({"spec": {"containers": [{"name": "app", "image": image}]}});
                self.send(&Method::PATCH, &place, &other).await
            }
            (true, 1) => self.send(&Method::PATCH, &status, &running).await,
            (true, _) => {
                self.exists[chosen] = false;
                self.send(&Method::DELETE, &format!("{place}?gracePeriodSeconds=0"), &json!({})).await
            }
        }
    }

    async fn send(&self, method: &Method, place: &str, body: &Value) -> Result<(), String> {
        let begun = Instant::now();
        loop {
            let said = match timeout(ANSWER, send(self.client, method, place, body)).await {
                // What was done before its answer was lost is done.
                Ok(Ok((StatusCode::CONFLICT, _))) if *method == Method::POST => return Ok(()),
                Ok(Ok((StatusCode::NOT_FOUND, _))) if *method == Method::DELETE => return Ok(()),
                Ok(Ok((status, _))) if status.is_success() => return Ok(()),
                Ok(Ok((status, text))) => {
                    let said = format!("{status}: {text}");
                    let is_passing = status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error();
                    if !is_passing {
                        return Err(format!("{method} {place}: {said}"));
                    }
                    said
                }
                Ok(Err(error)) => error,
                Err(_elapsed) => "no answer".to_owned(),
            };
            if begun.elapsed() > OUTLAST {
                return Err(format!("{method} {place}: {said}"));
            }
            sleep(PAUSE).await;
        }
    }
}

async fn send(client: &Client, method: &Method, place: &str, body: &Value) -> Result<(StatusCode, String), String> {
    let merge = "application/strategic-merge-patch+json";
    let content_type = if *method == Method::PATCH { merge } else { "application/json" };
    let request = Request::builder().method(method).uri(place).header("content-type", content_type);
    let request = request.body(kube::client::Body::from(body.to_string().into_bytes()));
    let response = client.send(request.map_err(|error| error.to_string())?).await.map_err(|error| error.to_string())?;
    let status = response.status();
    // A connection is used again only when its answer was read to the end.
    let body = response.into_body().collect_bytes().await.map_err(|error| error.to_string())?;
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}
