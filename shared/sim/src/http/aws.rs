//! One endpoint for all of AWS that we use, over plain HTTP: what `AWS_ENDPOINT_URL` can point to.
//!
//! EC2, Auto Scaling and Elastic Load Balancing are answered out of a [`World`], SQS, STS and KMS out of small services here, and DynamoDB is passed on
//! to an emulator. Signatures are read (who, which Region), not checked.

mod answer;
mod balancing;
mod dry;
mod dynamodb;
mod ec2;
mod kms;
mod query;
mod scaling;
mod session_policy;
mod sqs;
mod sts;

pub use sqs::QueueSpec;

use crate::world::World;
use answer::{Answer, Fault};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Request};
use domain::ports::Cloud;
use query::Params;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use sts::Signer;
use tokio::sync::oneshot;

/// The account that credentials without a role belong to: ours.
pub const OWN_ACCOUNT: &str = "000000000000";

/// The largest call that is read: SQS takes 1 MiB, DynamoDB 16 MiB.
const BODY_MAX: usize = 17 << 20;

/// What is served.
pub struct Wire {
    /// Where subnets, hooks and instances are looked up.
    pub world: Arc<World>,
    /// Where EC2 and Auto Scaling calls go: the world itself, or something in front of it that injects faults.
    pub cloud: Arc<dyn Cloud>,
    /// Which external id a role demands, by ARN. Other roles may be assumed with any.
    pub external_ids: BTreeMap<String, String>,
    /// Queues that are there from the beginning.
    pub queues: Vec<QueueSpec>,
    /// `http://...` of a DynamoDB emulator.
    pub dynamodb: Option<String>,
    /// Rows per page at most, whatever is asked for: a small number shows who does not page.
    pub page_max: usize,
    /// Port on 127.0.0.1; 0: any that is free.
    pub port: u16,
}

impl Wire {
    /// A world and nothing else.
    pub fn new(world: Arc<World>) -> Self {
        let cloud: Arc<dyn Cloud> = world.clone();
        Self { world, cloud, external_ids: BTreeMap::new(), queues: Vec::new(), dynamodb: None, page_max: 1_000, port: 0 }
    }
}

/// A running server. It stops when this is dropped.
pub struct ServedAws {
    /// `http://127.0.0.1:<port>`.
    pub url: String,
    /// Stops the server; calls under way are finished.
    pub shutdown: oneshot::Sender<()>,
    server: Arc<Server>,
}

impl ServedAws {
    /// Has the next call of this action or operation (`RunInstances`, `ReceiveMessage`) answered with this error and not
    /// carried out.
    pub fn fail_next(&self, action: &str, status: u16, code: &'static str) {
        let fault = Fault { status, code, message: "injected".to_owned() };
        let mut faults = self.server.faults.lock().unwrap_or_else(PoisonError::into_inner);
        faults.push((action.to_owned(), fault));
    }

    /// Disables a KMS key, or enables it again.
    pub fn set_key_disabled(&self, key: &str, disabled: bool) {
        self.server.kms.set_disabled(key, disabled);
    }

    /// How often each action or operation was called.
    pub fn calls(&self) -> BTreeMap<String, u64> {
        self.server.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Server {
    world: Arc<World>,
    cloud: Arc<dyn Cloud>,
    page_max: usize,
    sts: sts::Sts,
    sqs: sqs::Sqs,
    kms: kms::Kms,
    dynamodb: Option<dynamodb::DynamoDb>,
    faults: Mutex<Vec<(String, Fault)>>,
    calls: Mutex<BTreeMap<String, u64>>,
    requests: AtomicU64,
}

impl Server {
    /// Counts a call, and gives the error that it was to be answered with.
    fn begin(&self, action: &str) -> Result<(), Fault> {
        *self.calls.lock().unwrap_or_else(PoisonError::into_inner).entry(action.to_owned()).or_default() += 1;
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        match faults.iter().position(|(of, _)| of == action) {
            Some(at) => Err(faults.remove(at).1),
            None => Ok(()),
        }
    }
}

/// Serves on 127.0.0.1, in the runtime of the caller.
///
/// # Errors
/// Where the port cannot be had.
pub async fn serve(wire: Wire) -> std::io::Result<ServedAws> {
    let listener = tokio::net::TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, wire.port))).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let server = Arc::new(Server {
        sts: sts::Sts::new(wire.external_ids),
        sqs: sqs::Sqs::new(Arc::clone(wire.world.clock()), url.clone(), &wire.queues),
        kms: kms::Kms::default(),
        dynamodb: wire.dynamodb.map(dynamodb::DynamoDb::new),
        world: wire.world,
        cloud: wire.cloud,
        page_max: wire.page_max.max(1),
        faults: Mutex::default(),
        calls: Mutex::default(),
        requests: AtomicU64::new(0),
    });
    let (shutdown, stop) = oneshot::channel();
    let router = Router::new().fallback(answer_call).with_state(Arc::clone(&server));
    tokio::spawn(async move {
        let stopped = async {
            // Told to, or the handle was dropped: both end it.
            let _ = stop.await;
        };
        if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stopped).await {
            tracing::warn!(%error, "the AWS server ended");
        }
    });
    Ok(ServedAws { url, shutdown, server })
}

async fn answer_call(State(server): State<Arc<Server>>, request: Request<Body>) -> Answer {
    let (parts, body) = request.into_parts();
    let body = match axum::body::to_bytes(body, BODY_MAX).await {
        Ok(body) => body,
        Err(error) => return answer::plain(413, error.to_string()),
    };
    let id = format!("00000000-0000-4000-8000-{:012x}", server.requests.fetch_add(1, Ordering::Relaxed));
    let signer = Signer::read(&parts.headers);
    match parts.headers.get("x-amz-target").and_then(|t| t.to_str().ok()).and_then(|t| t.split_once('.')) {
        Some(("DynamoDB_20120810", operation)) => dynamodb(&server, operation, &id, &parts.headers, body).await,
        Some(("AmazonSQS", operation)) => sqs(&server, operation, &id, &body).await,
        Some(("TrentService", operation)) => kms(&server, operation, &id, &body),
        Some((service, _)) => answer::plain(400, format!("the service {service} is not simulated")),
        None => query(&server, &id, &Params::parse(&body), signer.as_ref()).await,
    }
}

async fn dynamodb(server: &Server, operation: &str, id: &str, headers: &HeaderMap, body: Bytes) -> Answer {
    const NAMESPACE: &str = "com.amazonaws.dynamodb.v20120810";
    match (server.begin(operation), &server.dynamodb) {
        (Err(fault), _) => answer::json_fault(id, "1.0", NAMESPACE, &fault),
        (Ok(()), Some(dynamodb)) => dynamodb.forward(headers, body).await,
        (Ok(()), None) => answer::json_fault(id, "1.0", NAMESPACE, &Fault::client("UnknownOperationException", "no emulator is served")),
    }
}

async fn sqs(server: &Server, operation: &str, id: &str, body: &[u8]) -> Answer {
    let done = match (server.begin(operation), json(body)) {
        (Ok(()), Ok(body)) => server.sqs.call(operation, &body).await,
        (Err(fault), _) | (_, Err(fault)) => Err(fault),
    };
    match done {
        Ok(body) => answer::json_ok(id, "1.0", &body),
        Err(fault) => answer::json_fault(id, "1.0", sqs::NAMESPACE, &fault),
    }
}

fn kms(server: &Server, operation: &str, id: &str, body: &[u8]) -> Answer {
    let done = server.begin(operation).and_then(|()| json(body)).and_then(|body| server.kms.call(operation, &body));
    match done {
        Ok(body) => answer::json_ok(id, "1.1", &body),
        Err(fault) => answer::json_fault(id, "1.1", kms::NAMESPACE, &fault),
    }
}

fn json(body: &[u8]) -> Result<Value, Fault> {
    serde_json::from_slice(body).map_err(|error| Fault::client("SerializationException", error.to_string()))
}

/// EC2, Auto Scaling, Elastic Load Balancing and STS speak Query: which one, says the action or the version.
async fn query(server: &Server, id: &str, params: &Params, signer: Option<&Signer>) -> Answer {
    let action = params.get("Action").unwrap_or_default().to_owned();
    let begun = server.begin(&action);
    let (namespace, done) = match action.as_str() {
        "AssumeRole" | "GetCallerIdentity" => (sts::NAMESPACE, begun.and_then(|()| server.sts.call(&action, params, signer))),
        action if scaling::ACTIONS.contains(&action) => match begun {
            Ok(()) => (scaling::NAMESPACE, scaling::call(server, action, params, signer).await),
            Err(fault) => (scaling::NAMESPACE, Err(fault)),
        },
        action if balancing::namespace(params).is_some() => match begun {
            Ok(()) => (balancing::namespace(params).unwrap_or_default(), balancing::call(server, action, params, signer).await),
            Err(fault) => (balancing::namespace(params).unwrap_or_default(), Err(fault)),
        },
        _ => {
            let done = match begun {
                Ok(()) => ec2::call(server, &action, params, signer).await,
                Err(fault) => Err(fault),
            };
            return done.map_or_else(|fault| answer::ec2_fault(id, &fault), |xml| answer::ec2(&action, id, &xml));
        }
    };
    done.map_or_else(|fault| answer::query_fault(id, &fault), |xml| answer::query(&action, namespace, id, &xml))
}
