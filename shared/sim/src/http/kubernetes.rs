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
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;
use axum_server::Handle;
use domain::ids::ClusterId;
use jiff::SignedDuration;
use status::Refusal;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
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
    /// Pods are made about as large as those of real clusters, up to this many bytes each; 0: they are not.
    ballast: usize,
    order: Mutex<Option<Arc<list::pods::Order>>>,
}

/// Serves a cluster on a free port of 127.0.0.1, over HTTP/1.1 and HTTP/2, with a certificate of its own for `127.0.0.1` and
/// `localhost`. Every request waits for `delay` first: a round trip.
///
/// # Errors
/// [`ServeError`].
pub async fn serve(world: Arc<World>, cluster: &ClusterId, token: &str, delay: Duration) -> Result<Served, ServeError> {
    serve_on(world, cluster, token, delay, 0).await
}

/// The same on a port of choice; 0 is any that is free.
///
/// # Errors
/// [`ServeError`].
pub async fn serve_on(world: Arc<World>, cluster: &ClusterId, token: &str, delay: Duration, port: u16) -> Result<Served, ServeError> {
    start(world, cluster, token, delay, port, 0).await
}

/// The same with pods that are as large as those of real clusters: evenly spread up to `pod_bytes_max`, most of it field managers,
/// applied configurations and environments.
///
/// # Errors
/// [`ServeError`].
pub async fn serve_bulky(world: Arc<World>, cluster: &ClusterId, token: &str, pod_bytes_max: usize) -> Result<Served, ServeError> {
    start(world, cluster, token, Duration::ZERO, 0, pod_bytes_max).await
}

async fn start(
    world: Arc<World>,
    cluster: &ClusterId,
    token: &str,
    delay: Duration,
    port: u16,
    ballast: usize,
) -> Result<Served, ServeError> {
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
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    let url = format!("https://{}", listener.local_addr()?);
    let delay = SignedDuration::try_from(delay).unwrap_or_default();
    let api = Api { world, cluster: index, token: token.to_owned(), delay, ballast, order: Mutex::default() };
    let router = Router::new().fallback(answer).with_state(Arc::new(api));
    let handle = Handle::new();
    let server = axum_server::from_tcp_rustls(listener, identity.config)?.handle(handle.clone());
    tokio::spawn(async move {
        if let Err(error) = server.serve(router.into_make_service()).await {
            tracing::error!(%error, "A simulated Kubernetes API stopped");
        }
    });
    Ok(Served { url, ca_pem: identity.ca_pem, token: token.to_owned(), handle })
}

async fn answer(State(api): State<Arc<Api>>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
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
