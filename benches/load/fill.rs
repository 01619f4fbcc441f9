//! Sends made pods to an API server, statuses too, over so many connections at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::{Method, Request, StatusCode};
use kube::Client;
use serde_json::Value;
use tokio::task::JoinSet;

use crate::realistic::{Cluster, namespace};

/// How often a request that the server had no time for is sent.
const TRIES: u32 = 5;

/// What an API server writes itself and takes from nobody.
const SERVER_SIDE: [&str; 5] = ["uid", "resourceVersion", "generation", "creationTimestamp", "managedFields"];

/// Creates the pods and namespaces of `cluster` with `connections` requests under way at once.
///
/// What exists already is left as it is, so a load that was cut short can be sent again. `progress` is called with the
/// number of pods done. The first error that is not a passing one ends it: the answer of the server.
pub(crate) async fn fill(client: Client, cluster: Cluster, connections: u64, progress: fn(u64)) -> Result<(), String> {
    let next = Arc::new(AtomicU64::new(0));
    let done = Arc::new(AtomicU64::new(0));
    in_parallel(connections, || {
        let (client, next) = (client.clone(), Arc::clone(&next));
        async move {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= cluster.namespaces {
                    return Ok(());
                }
                create(&client, "/api/v1/namespaces", &to_send(namespace(index))).await?;
            }
        }
    })
    .await?;
    next.store(0, Ordering::Relaxed);
    in_parallel(connections, || {
        let (client, next, done) = (client.clone(), Arc::clone(&next), Arc::clone(&done));
        async move {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= cluster.pods {
                    return Ok(());
                }
                let pod = to_send(cluster.pod(index));
                let [namespace, name] =
                    ["namespace", "name"].map(|key| pod["metadata"][key].as_str().unwrap_or_default());
                let place = format!("/api/v1/namespaces/{namespace}/pods");
                if create(&client, &format!("{place}?fieldManager=kube-controller-manager"), &pod).await? {
                    let place = format!("{place}/{name}/status?fieldManager=kubelet");
                    send(&client, Method::PUT, &place, &pod).await?;
                }
                progress(done.fetch_add(1, Ordering::Relaxed) + 1);
            }
        }
    })
    .await
}

/// The object as a client may send it; the server then writes managed fields of its own.
fn to_send(mut object: Value) -> Value {
    if let Some(meta) = object["metadata"].as_object_mut() {
        meta.retain(|key, _| !SERVER_SIDE.contains(&key.as_str()));
    }
    object
}

async fn in_parallel<Work>(connections: u64, work: impl Fn() -> Work) -> Result<(), String>
where
    Work: Future<Output = Result<(), String>> + Send + 'static,
{
    let mut tasks: JoinSet<Result<(), String>> = (0..connections.max(1)).map(|_| work()).collect();
    while let Some(ended) = tasks.join_next().await {
        ended.map_err(|error| error.to_string())??;
    }
    Ok(())
}

/// True when the object is new.
async fn create(client: &Client, place: &str, object: &Value) -> Result<bool, String> {
    send(client, Method::POST, place, object).await.map(|status| status != StatusCode::CONFLICT)
}

async fn send(client: &Client, method: Method, place: &str, object: &Value) -> Result<StatusCode, String> {
    let body = serde_json::to_vec(object).map_err(|error| error.to_string())?;
    for attempt in 1.. {
        let request = Request::builder()
            .method(method.clone())
            .uri(place)
            .header("content-type", "application/json")
            .body(kube::client::Body::from(body.clone()))
            .map_err(|error| error.to_string())?;
        match client.send(request).await {
            Ok(response) if response.status().is_success() || response.status() == StatusCode::CONFLICT => {
                let status = response.status();
                // A connection is used again only when its answer was read to the end.
                let _body = response.into_body().collect_bytes().await.map_err(|error| error.to_string())?;
                return Ok(status);
            }
            Ok(response) => {
                let status = response.status();
                let body = response.into_body().collect_bytes().await.unwrap_or_default();
                let passing = status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error();
                if !passing || attempt == TRIES {
                    let body = String::from_utf8_lossy(&body);
                    return Err(format!("{method} {place}: {status}: {body}"));
                }
            }
            Err(error) if attempt == TRIES => return Err(format!("{method} {place}: {error}")),
            Err(_) => {}
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Err(format!("{method} {place}: never sent"))
}
