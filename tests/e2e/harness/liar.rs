//! An API server that lies: it forwards to the real one, and leaves whatever has a certain name out of its watches.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::response::Response;
use futures::TryStreamExt as _;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE};
use http_body_util::BodyExt as _;
use serde_json::json;
use tokio::runtime::Runtime;

use super::cluster::{Cluster, client};
use super::kai::Kai;

/// A running liar. It stops when it is dropped.
pub(crate) struct Liar {
    address: SocketAddr,
    _runtime: Runtime,
}

struct Lie {
    client: kube::Client,
    withheld: String,
}

impl Liar {
    /// One before the API server of `cluster`, with the administrator's rights and without TLS.
    pub(crate) fn withholding(withheld: &str, cluster: &Cluster) -> Self {
        kai::cluster::install_crypto_provider();
        let runtime = Runtime::new().expect("a runtime can be made");
        let (listener, client) = runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            (listener, client(&cluster.kubeconfig).await.expect("a client"))
        });
        let address = listener.local_addr().expect("an address");
        let lie = Arc::new(Lie { client, withheld: withheld.to_owned() });
        let router = Router::new().fallback(forward).with_state(lie);
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { address, _runtime: runtime }
    }

    /// kai that takes it for the API server.
    pub(crate) fn kai(&self, cluster: &Cluster) -> Kai {
        let endpoint = json!({"server": format!("http://{}", self.address)});
        Kai::new(&cluster.write_kubeconfig(&format!("liar-{}", self.address.port()), &endpoint, &json!({})))
    }
}

async fn forward(State(lie): State<Arc<Lie>>, request: Request) -> Response {
    let place = request.uri().path_and_query().map_or("/", |place| place.as_str());
    let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("*/*");
    let asked = http::Request::get(place).header(ACCEPT, accept).header(ACCEPT_ENCODING, "identity");
    let asked = asked.body(kube::client::Body::empty()).expect("a request");
    let answer = lie.client.send(asked).await.expect("the API server answers");
    let (head, body) = answer.into_parts();
    let content_type = head.headers.get(CONTENT_TYPE).cloned().expect("a content type");
    let is_watch = content_type.to_str().is_ok_and(|text| text.contains("protobuf") && text.contains("stream=watch"));
    let mut begun = Vec::new();
    let frames = body.into_data_stream().map_ok(move |bytes| {
        if !is_watch {
            return bytes;
        }
        begun.extend_from_slice(&bytes);
        truthless(&mut begun, lie.withheld.as_bytes())
    });
    let response = Response::builder().status(head.status).header(CONTENT_TYPE, content_type);
    response.body(Body::from_stream(frames)).expect("a response")
}

/// Takes the whole frames, each behind its length, off `begun`. Gives those without the name.
fn truthless(begun: &mut Vec<u8>, withheld: &[u8]) -> Bytes {
    let mut kept = Vec::new();
    while let Some((length, rest)) = begun.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        let Some(frame) = rest.get(..length) else { break };
        if memchr::memmem::find(frame, withheld).is_none() {
            kept.extend_from_slice(&begun[..4 + length]);
        }
        begun.drain(..4 + length);
    }
    kept.into()
}
