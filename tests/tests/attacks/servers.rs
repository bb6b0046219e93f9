//! API servers that are enemies, over real TLS: they redirect, lie, flood, drip and hang. One that is listed says nothing that is acted
//! on, takes no memory and no time, and leads nowhere.

use crate::corpus::{cases, told};
use async_trait::async_trait;
use domain::address::Rules;
use domain::node::NodeView;
use domain::ports::{ClusterError, Clusters, Vault};
use gate::{Gate, Net};
use harness::system::a_cluster;
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::Value;
use sim::clock::EPOCH;
use sim::store::MemoryVault;
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// A public address, behind which the enemy of the test stands.
const PUBLIC: &str = "93.184.215.14";
/// What one call may take with all its tries, in seconds.
const TIMEOUT_S: u32 = 2;

/// The name leads to the enemy, whatever name it is.
struct Town {
    port: u16,
    dialled: Mutex<Vec<SocketAddr>>,
}

#[async_trait]
impl Net for Town {
    async fn resolve(&self, host: &str, _: u16) -> std::io::Result<Vec<IpAddr>> {
        Ok(vec![host.parse().unwrap_or_else(|_| PUBLIC.parse().unwrap())])
    }

    async fn connect(&self, to: SocketAddr) -> std::io::Result<TcpStream> {
        self.dialled.lock().unwrap().push(to);
        TcpStream::connect(("127.0.0.1", self.port)).await
    }
}

/// A certificate as the case wants it, and the authority that the cluster is registered with.
fn identity(kind: &str) -> (ServerConfig, String) {
    let name = if kind == "wrong-name" { "other.example.com" } else { "api.example.com" };
    let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    match kind {
        "expired" => (params.not_before, params.not_after) = (rcgen::date_time_ymd(2001, 1, 1), rcgen::date_time_ymd(2002, 1, 1)),
        "not-yet-valid" => (params.not_before, params.not_after) = (rcgen::date_time_ymd(2901, 1, 1), rcgen::date_time_ymd(2902, 1, 1)),
        _ => {}
    }
    let key = rcgen::KeyPair::generate().unwrap();
    let cert = params.self_signed(&key).unwrap();
    let trusted = if kind == "wrong-authority" {
        rcgen::generate_simple_self_signed(vec!["api.example.com".to_owned()]).unwrap().cert.pem()
    } else {
        cert.pem()
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    (config.with_single_cert(vec![cert.der().clone()], key).unwrap(), trusted)
}

/// The first bytes of the answer.
fn answer(case: &Value) -> Vec<u8> {
    if let Some(raw) = case["raw"].as_str() {
        return raw.as_bytes().to_vec();
    }
    let body = match case["gzip"].as_array().map(Vec::as_slice) {
        Some([unit, times]) => {
            let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            let unit = unit.as_str().unwrap().repeat(1_000);
            (0..times.as_u64().unwrap() / 1_000).for_each(|_| packer.write_all(unit.as_bytes()).unwrap());
            packer.finish().unwrap()
        }
        _ => case["body"].as_str().unwrap_or_default().as_bytes().to_vec(),
    };
    let endless = !case["flood"].is_null() || !case["drip"].is_null();
    let length = if endless { String::new() } else { format!("content-length: {}\r\n", body.len()) };
    let headers = case["headers"].as_object().into_iter().flatten();
    let headers: String = headers.map(|(name, value)| format!("{name}: {}\r\n", value.as_str().unwrap())).collect();
    let status = case["status"].as_str().unwrap_or("200 OK");
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{length}{headers}\r\n");
    [head.into_bytes(), body].concat()
}

/// Serves a case until nobody listens.
async fn serve(case: Arc<Value>, config: ServerConfig, listener: TcpListener) {
    let acceptor = TlsAcceptor::from(Arc::new(config));
    while let Ok((tcp, _)) = listener.accept().await {
        let (case, acceptor) = (case.clone(), acceptor.clone());
        tokio::spawn(async move {
            let Ok(mut tls) = acceptor.accept(tcp).await else { return };
            let mut buffer = vec![0; 65_536];
            loop {
                // One read is one request: they have no bodies.
                if tls.read(&mut buffer).await.map_or(true, |read| read == 0) {
                    return;
                }
                if case["hang"] == true {
                    std::future::pending::<()>().await;
                }
                if tls.write_all(&answer(&case)).await.is_err() || tls.flush().await.is_err() {
                    return;
                }
                let more =
                    case["flood"].as_str().map(|unit| unit.repeat(65_536 / unit.len() + 1)).or(case["drip"].as_str().map(str::to_owned));
                while let Some(more) = &more {
                    if tls.write_all(more.as_bytes()).await.is_err() || tls.flush().await.is_err() {
                        return;
                    }
                    if !case["drip"].is_null() {
                        let mut pause = tokio::time::interval(Duration::from_millis(50));
                        pause.tick().await;
                        pause.tick().await;
                    }
                }
                if case["raw"].is_string() {
                    return;
                }
            }
        });
    }
}

async fn nodes(case: &Value) -> (Result<Vec<NodeView>, ClusterError>, Vec<SocketAddr>) {
    let (config, trusted) = identity(case["tls"].as_str().unwrap_or_default());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let town = Arc::new(Town { port: listener.local_addr().unwrap().port(), dialled: Mutex::default() });
    let server = tokio::spawn(serve(Arc::new(case.clone()), config, listener));
    let vault = Arc::new(MemoryVault::default());
    let mut cluster =
        a_cluster(&"acme".to_owned().try_into().unwrap(), &"prod".to_owned().try_into().unwrap(), "123456789012", "us-east-1", EPOCH);
    cluster.k8s_api_endpoint = "https://api.example.com".to_owned();
    cluster.k8s_ca = Some(trusted);
    cluster.k8s_token = Some(vault.seal(&cluster.seal_context(), &"the-token".to_owned().into()).await.unwrap());
    let settings = kubernetes::Settings { timeout_s: TIMEOUT_S, retry_attempts: 2, backoff_factor: 1 };
    let connections = kubernetes::Connections::new(vault, settings, Gate::new(town.clone(), Rules::public()));
    let read = connections.connect(&cluster).await.unwrap().nodes().await;
    server.abort();
    let dialled = town.dialled.lock().unwrap().clone();
    (read, dialled)
}

fn as_said(expect: &str, read: &Result<Vec<NodeView>, ClusterError>, case: &Value) -> bool {
    match (expect, read) {
        ("ok", Ok(nodes)) => !nodes.is_empty(),
        ("refused", Err(_)) | ("any", _) | ("no instance" | "no such name", Err(_)) => true,
        ("no instance", Ok(nodes)) => nodes.iter().all(|node| node.instance().is_none()),
        ("no such name", Ok(nodes)) => {
            nodes.iter().all(|node| !case["body"].as_str().unwrap().contains(&format!("{:?}", node.name.as_str())))
        }
        _ => false,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_server_of_the_corpus_is_believed_waited_for_or_followed() {
    let (cases, mut wrong) = (cases("servers.json"), Vec::new());
    let public: SocketAddr = format!("{PUBLIC}:443").parse().unwrap();
    for case in &cases {
        let began = Instant::now();
        let (read, dialled) = nodes(case).await;
        let took = began.elapsed();
        // Its time, and as much again for a machine that does other things.
        let in_time = took < Duration::from_secs(u64::from(TIMEOUT_S) * 2 + 2);
        let said = as_said(case["expect"].as_str().unwrap(), &read, case);
        if !said || !in_time || dialled.iter().any(|to| *to != public) {
            let read: String = format!("{read:?}").chars().take(300).collect();
            wrong.push(format!("{read} in {took:?}, dialled {dialled:?}: {}", told(case)));
        }
        if let Err(error) = &read {
            let error = error.to_string();
            assert!(error.chars().count() <= 600 && !error.contains("the-token"), "{error}");
        }
    }
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), cases.len());
    println!("BENCH attack_servers {} cases >= 100", cases.len());
}
