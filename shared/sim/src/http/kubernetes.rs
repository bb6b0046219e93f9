//! A cluster of the world as a Kubernetes API over HTTPS: the part of it that CloudOptim calls, with the answers of a real server
//! down to its Status bodies.

mod ask;
mod list;
mod mutate;
mod patch;
pub(crate) mod render;
mod route;
mod status;
mod tls;
mod watch;

use crate::world::World;
use ask::Ask;
use axum::Router;
use axum::body::{Bytes, HttpBody};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, Uri};
use axum::response::Response;
use axum_server::Handle;
use domain::ids::ClusterId;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::SignedDuration;
use status::Refusal;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Why a cluster is not served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The world has no such cluster.
    #[error("the world has no cluster {0}")]
    NoCluster(ClusterId),
    /// No port is free, or the like.
    #[error("the server could not be started")]
    Io(#[from] std::io::Error),
    /// No certificate could be made.
    #[error("no certificate could be made: {0}")]
    Certificate(String),
}

/// A running server. It stops when this is dropped.
#[derive(Debug)]
pub struct Served {
    /// `https://127.0.0.1:<port>`.
    pub url: String,
    /// The certificate authority to trust, PEM.
    pub ca_pem: String,
    /// The bearer token to show.
    pub token: String,
    /// How many requests have come so far.
    pub asked: Arc<AtomicU64>,
    handle: Handle<SocketAddr>,
}

impl Served {
    /// Stops the server; connections are cut.
    pub fn shutdown(&self) {
        self.handle.shutdown();
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.shutdown();
    }
}

/// What every request needs.
struct Api {
    world: Arc<World>,
    cluster: usize,
    token: String,
    delay: SignedDuration,
    ballast: usize,
    asked: Arc<AtomicU64>,
    order: Mutex<Option<Arc<list::pods::Order>>>,
}

/// How a cluster is served.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manner {
    /// Every request waits so long first: a round trip.
    pub delay: Duration,
    /// Pods are made about as large as those of real clusters, evenly spread up to this many bytes, most of it field managers, applied
    /// configurations and environments; 0: they are not.
    pub pod_bytes_max: usize,
}

/// Serves a cluster on a free port of 127.0.0.1, over HTTP/1.1 and HTTP/2, with a certificate of its own for `127.0.0.1` and
/// `localhost`. Every request waits for `delay` first.
///
/// # Errors
/// [`ServeError`].
pub async fn serve(world: Arc<World>, cluster: &ClusterId, token: &str, delay: Duration) -> Result<Served, ServeError> {
    serve_as(world, cluster, token, Manner { delay, ..Manner::default() }).await
}

/// The same, in a manner of choice.
///
/// # Errors
/// [`ServeError`].
pub async fn serve_as(world: Arc<World>, cluster: &ClusterId, token: &str, manner: Manner) -> Result<Served, ServeError> {
    let index = world.with(|state| {
        let index = state.position(cluster)?;
        let kube = state.clusters.get_mut(index)?;
        if !kube.served {
            kube.served = true;
            kube.log_from = kube.rv;
        }
        Some(index)
    });
    let index = index.ok_or_else(|| ServeError::NoCluster(cluster.clone()))?;
    let identity = tls::identity()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let url = format!("https://{}", listener.local_addr()?);
    let delay = SignedDuration::try_from(manner.delay).unwrap_or_default();
    let asked = Arc::new(AtomicU64::new(0));
    let api = Api {
        world,
        cluster: index,
        token: token.to_owned(),
        delay,
        ballast: manner.pod_bytes_max,
        asked: asked.clone(),
        order: Mutex::default(),
    };
    let router = Router::new().fallback(packed).with_state(Arc::new(api));
    let handle = Handle::new();
    let server = axum_server::from_tcp_rustls(listener, identity.config)?.handle(handle.clone());
    tokio::spawn(async move {
        if let Err(error) = server.serve(router.into_make_service()).await {
            tracing::error!(%error, "A simulated Kubernetes API stopped");
        }
    });
    Ok(Served { url, ca_pem: identity.ca_pem, token: token.to_owned(), asked, handle })
}

/// As the API server does (`APIResponseCompression`, on since Kubernetes 1.16): what is larger goes out packed, to those who take it.
const PACKED_FROM: u64 = 128 << 10;

async fn packed(state: State<Arc<Api>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let takes = headers.get("accept-encoding").is_some_and(|coding| coding == "gzip");
    let response = answer(state, method, uri, headers, body).await;
    // A watch has no end, and so no size.
    if !takes || response.body().size_hint().exact().is_none_or(|bytes| bytes <= PACKED_FROM) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let plain = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let mut writer = GzEncoder::new(Vec::new(), Compression::fast());
    let packed = writer.write_all(&plain).and_then(|()| writer.finish()).unwrap_or_default();
    parts.headers.insert("content-encoding", HeaderValue::from_static("gzip"));
    parts.headers.remove("content-length");
    Response::from_parts(parts, packed.into())
}

async fn answer(State(api): State<Arc<Api>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    api.asked.fetch_add(1, Ordering::Relaxed);
    if !api.delay.is_zero() {
        api.world.clock().sleep(api.delay).await;
    }
    // A real server lets everybody ask these two.
    match uri.path() {
        "/livez" | "/readyz" | "/healthz" => return status::text("ok"),
        "/version" => return status::json(200, &serde_json::json!({"major": "1", "minor": "36", "gitVersion": "v1.36.0"})),
        _ => {}
    }
    let shown = headers.get("authorization").and_then(|value| value.to_str().ok());
    if shown.and_then(|value| value.strip_prefix("Bearer ")) != Some(api.token.as_str()) {
        return Refusal::new(401, "Unauthorized", "Unauthorized").into_response();
    }
    match Ask::read(&method, &uri, &headers, &body) {
        Ok(ask) => route::answer(&api, &ask).unwrap_or_else(Refusal::into_response),
        Err(refusal) => refusal.into_response(),
    }
}

#[cfg(test)]
mod tests;
