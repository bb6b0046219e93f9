//! The Kubernetes APIs of the clusters: called by the real adapter, over HTTPS, so that each request is one that is really made and each
//! byte one that is really sent. They are served on a thread of their own: their work is not the functions'.

use async_trait::async_trait;
use domain::SignedDuration;
use domain::ids::ClusterId;
use domain::permissions::Right;
use domain::ports::{BearerError, Bearers, Clock, Cluster, ClusterError, Clusters, Registry, Rights};
use domain::tenant;
use gate::Gate;
use kubernetes::{Connections, Settings};
use runtime::clock::SystemClock;
use secrecy::SecretString;
use sim::http::kubernetes::{Manner, Served, serve_as};
use sim::store::MemoryVault;
use sim::world::World;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Pods are up to so large (4 KB on average), as in the benchmark `collect`.
const POD_BYTES_MAX: usize = 8_192;
/// A token of EKS: a presigned request in base64, two thirds of which is the session token of a role (1,000 characters).
const TOKEN_BYTES: usize = 2_000;
/// What a packet has beside what it carries: headers of IP and TCP, with timestamps. It carries the rest of 1,500 bytes.
const PACKET_BYTES: u64 = 52;
const CARRIED_BYTES: u64 = 1_448;
/// Packets that carry nothing: a connection is opened by two of ours, and closed by two.
const BARE_PACKETS: u64 = 4;
/// What comes is acknowledged every second packet (RFC 9293, section 3.8.6.3).
const ACKNOWLEDGED: u64 = 2;

/// What has gone over the wires.
#[derive(Default)]
struct Scales {
    connections: AtomicU64,
    sent: AtomicU64,
}

/// Wires to the clusters of a world.
pub struct Wires {
    thread: tokio::runtime::Handle,
    takes: SignedDuration,
    token: String,
    scales: Arc<Scales>,
    served: Mutex<Vec<Served>>,
}

impl Wires {
    /// Wires over which a request takes so long, and a connection as long until it stands.
    pub fn new(takes: SignedDuration) -> Arc<Wires> {
        let (tell, hear) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
            tell.send(runtime.handle().clone()).expect("it is waited for");
            runtime.block_on(std::future::pending::<()>());
        });
        let mut random = fastrand::Rng::with_seed(3);
        let token = std::iter::repeat_with(|| random.alphanumeric()).take(TOKEN_BYTES).collect();
        let thread = hear.recv().expect("it is served");
        Arc::new(Wires { thread, takes, token, scales: Arc::default(), served: Mutex::default() })
    }

    /// Serves a cluster: its address, and whose certificate it shows.
    pub async fn serve(&self, world: &Arc<World>, cluster: &ClusterId) -> (String, String) {
        let manner = Manner { delay: self.takes.try_into().expect("it is not negative"), pod_bytes_max: POD_BYTES_MAX };
        let (world, cluster, token) = (world.clone(), cluster.clone(), self.token.clone());
        let served = self.thread.spawn(async move { serve_as(world, &cluster, &token, manner).await });
        let served = served.await.expect("it does not panic").expect("the world has it");
        let behind: SocketAddr = served.url.trim_start_matches("https://").parse().expect("it is an address");
        let (scales, takes) = (self.scales.clone(), self.takes);
        let bound = self.thread.spawn(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
            let address = listener.local_addr().expect("it is bound");
            tokio::spawn(weigh(listener, behind, scales, takes));
            address
        });
        let found = (format!("https://{}", bound.await.expect("it does not panic")), served.ca_pem.clone());
        self.served.lock().unwrap().push(served);
        found
    }

    /// Requests, connections, and bytes that were sent so far.
    pub fn marks(&self) -> [u64; 3] {
        let asked = self.served.lock().unwrap().iter().map(|served| served.asked.load(Ordering::Relaxed)).sum();
        [asked, self.scales.connections.load(Ordering::Relaxed), self.scales.sent.load(Ordering::Relaxed)]
    }

    /// The real adapter. Whoever asks for a token reads the customer's row, to take the role.
    pub fn clusters(self: &Arc<Self>, registry: Arc<dyn Registry>) -> Arc<Renewed> {
        let bearers = Arc::new(Minted { token: self.token.clone(), registry });
        Arc::new(Renewed { current: Mutex::new(Arc::new(connections(&bearers))), bearers })
    }
}

async fn weigh(listener: TcpListener, behind: SocketAddr, scales: Arc<Scales>, takes: SignedDuration) {
    while let Ok((near, _)) = listener.accept().await {
        let scales = scales.clone();
        tokio::spawn(async move {
            scales.connections.fetch_add(1, Ordering::Relaxed);
            scales.sent.fetch_add(BARE_PACKETS * PACKET_BYTES, Ordering::Relaxed);
            SystemClock.sleep(takes).await;
            let far = TcpStream::connect(behind).await.expect("the cluster is served");
            let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
            let asks = carry(from_near, to_far, |bytes| bytes + bytes.div_ceil(CARRIED_BYTES) * PACKET_BYTES, &scales.sent);
            let answers = carry(from_far, to_near, |bytes| bytes.div_ceil(CARRIED_BYTES * ACKNOWLEDGED) * PACKET_BYTES, &scales.sent);
            tokio::join!(asks, answers);
        });
    }
}

/// Carries what comes to the other side until there is no more; each piece makes so many bytes be sent by the functions.
async fn carry(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, weight: impl Fn(u64) -> u64, sent: &AtomicU64) {
    let mut piece = vec![0; 1 << 16];
    while let Ok(read @ 1..) = from.read(&mut piece).await {
        sent.fetch_add(weight(read as u64), Ordering::Relaxed);
        if to.write_all(&piece[..read]).await.is_err() {
            break;
        }
    }
    // A side that is gone already is closed.
    to.shutdown().await.ok();
}

struct Minted {
    token: String,
    registry: Arc<dyn Registry>,
}

#[async_trait]
impl Bearers for Minted {
    async fn bearer(&self, cluster: &tenant::Cluster) -> Result<SecretString, BearerError> {
        let customer = self.registry.customer(&cluster.customer).await;
        customer.map(|_| SecretString::from(self.token.clone())).map_err(|error| BearerError::Unreachable(error.to_string()))
    }
}

fn connections(bearers: &Arc<Minted>) -> Connections {
    // No token is sealed: these clusters are registered with their EKS names.
    Connections::new(Arc::new(MemoryVault::default()), Settings::default(), Gate::this_machine()).with_bearers(bearers.clone())
}

/// Connections that are made anew for each invocation: of a thousand clusters, hardly ever the one comes that a process has called last,
/// and what it has called ten minutes ago is closed.
pub struct Renewed {
    bearers: Arc<Minted>,
    current: Mutex<Arc<Connections>>,
}

impl Renewed {
    /// What was connected is not any more.
    pub fn renew(&self) {
        *self.current.lock().unwrap() = Arc::new(connections(&self.bearers));
    }

    fn current(&self) -> Arc<Connections> {
        self.current.lock().unwrap().clone()
    }
}

#[async_trait]
impl Clusters for Renewed {
    async fn connect(&self, cluster: &tenant::Cluster) -> Result<Arc<dyn Cluster>, ClusterError> {
        self.current().connect(cluster).await
    }
}

#[async_trait]
impl Rights for Renewed {
    async fn missing(&self, cluster: &tenant::Cluster, rights: &[Right]) -> Result<Vec<Right>, ClusterError> {
        self.current().missing(cluster, rights).await
    }
}
