//! One API over one small world: a cluster with two nodes, two customers, keys of every role and state.

use super::town::Town;
use crate::{Deps, router};
use axum::Router;
use axum::body::{Body, to_bytes};
use data_encoding::HEXLOWER;
use domain::address::Rules;
use domain::ids::{AccountId, CustomerId, InstanceId, InstanceKey, Region};
use domain::node::{NodeOwner, NodeRecord, NodeTarget};
use domain::offering::{CapacityType, Pool};
use domain::ports::{Clock, Directory, DirectoryError, Registry, Routes, Vault, Whereabouts};
use domain::tenant::{ApiKey, AwsScope, Cluster, ClusterStatus, Customer, CustomerStatus, Role};
use domain::{SignedDuration, Timestamp};
use gate::Gate;
use http::{Method, Request, StatusCode};
use runtime::advisor::Connection;
use runtime::web::issuer::Issuer;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sim::clock::SimClock;
use sim::store::{MemoryQueue, MemoryStore, MemoryTrust, MemoryVault};
use sim::world::{ClusterSpec, NodeSpec, WorkloadSpec, World};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tower::ServiceExt;

/// The account of the customer `acme`.
pub(crate) const ACCOUNT: &str = "111122223333";
/// Their cluster.
pub(crate) const CLUSTER: &str = "c-acme";
/// The key that runs the control plane.
pub(crate) const BOOTSTRAP: &str = "bootstrap-key";

/// Everything behind the API.
pub(crate) struct Bench {
    pub(crate) api: Router,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) queue: Arc<MemoryQueue>,
    pub(crate) vault: Arc<MemoryVault>,
    pub(crate) trust: Arc<MemoryTrust>,
    pub(crate) world: Arc<World>,
    pub(crate) clock: Arc<SimClock>,
    /// What was looked up, and called.
    pub(crate) town: Arc<Town>,
    /// The instances behind the nodes.
    pub(crate) nodes: Vec<InstanceId>,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: http::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{} is no JSON: {:?}", self.status, self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|v| v.to_str().unwrap()).unwrap_or_default()
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// EKS of whoever names the customer's external id: knows `payments`, and does not answer for `silent`.
struct Atlas;

/// Where `payments` is, and whose certificates it shows.
pub(crate) const EKS_ENDPOINT: &str = "https://0A1B.gr7.us-east-1.eks.amazonaws.com";
pub(crate) const EKS_AUTHORITY: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";

#[async_trait::async_trait]
impl Directory for Atlas {
    async fn whereabouts(&self, scope: &AwsScope, name: &str) -> Result<Whereabouts, DirectoryError> {
        if scope.external_id != format!("external-id-of-{}", scope.customer) {
            return Err(DirectoryError::Refused("STS does not let us".to_owned()));
        }
        // In base64, as EKS prints it.
        let at = |endpoint: &str| Whereabouts {
            endpoint: endpoint.to_owned(),
            authority: data_encoding::BASE64.encode(EKS_AUTHORITY.as_bytes()),
        };
        match name {
            "payments" => Ok(at(EKS_ENDPOINT)),
            "elsewhere" => Ok(at("https://not-eks.example.com")),
            "silent" => Err(DirectoryError::Unreachable("timeout".to_owned())),
            other => Err(DirectoryError::Unknown(other.to_owned())),
        }
    }
}

fn customer(id: &str, now: Timestamp) -> Customer {
    Customer {
        id: CustomerId::parse(id).unwrap(),
        company_name: id.to_owned(),
        email: String::new(),
        external_id: format!("external-id-of-{id}"),
        status: CustomerStatus::Active,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

fn cluster(customer: &str, id: &str, account: &str, now: Timestamp) -> Cluster {
    Cluster {
        id: id.to_owned().try_into().unwrap(),
        customer: CustomerId::parse(customer).unwrap(),
        name: id.to_owned(),
        k8s_api_endpoint: "https://api.example.com".to_owned(),
        k8s_ca: None,
        k8s_token: None,
        k8s_token_expires_at: None,
        eks_cluster_name: None,
        aws_role_arn: format!("arn:aws:iam::{account}:role/CloudOptimRole"),
        account: AccountId::parse(account).unwrap(),
        region: Region::parse("us-east-1").unwrap(),
        sqs_queue_url: None,
        status: ClusterStatus::Connected,
        status_reason: String::new(),
        node_count: 0,
        seen_at: None,
        policy: domain::policy::ClusterPolicy::default(),
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

impl Bench {
    pub(crate) async fn new() -> Bench {
        Bench::with(None).await
    }

    /// With a decision server behind it.
    pub(crate) async fn with(ml: Option<Arc<Connection>>) -> Bench {
        Bench::of(ml, None).await
    }

    /// Where tokens of an issuer are taken.
    pub(crate) async fn with_issuer(issuer: Option<Arc<Issuer>>) -> Bench {
        Bench::of(None, issuer).await
    }

    async fn of(ml: Option<Arc<Connection>>, issuer: Option<Arc<Issuer>>) -> Bench {
        let clock = SimClock::new();
        let now = clock.now();
        let store = Arc::new(MemoryStore::default());
        let vault = Arc::new(MemoryVault::default());
        let trust = Arc::new(MemoryTrust::default());
        let world = World::new(clock.clone(), 7);
        let id = world.add_cluster(ClusterSpec::new("acme", CLUSTER, ACCOUNT, "us-east-1"));
        let nodes: Vec<InstanceId> =
            (0..2).map(|_| world.add_node(&id, NodeSpec::new("m6i.large", "us-east-1a", CapacityType::Spot))).collect();
        world.add_deployment(&id, WorkloadSpec { on: nodes.clone(), ..WorkloadSpec::new("web", 4) });
        for (name, id, account) in [("acme", CLUSTER, ACCOUNT), ("other", "c-other", "444455556666")] {
            store.put_customer(&customer(name, now)).await.unwrap();
            let mut cluster = cluster(name, id, account, now);
            cluster.k8s_token = Some(vault.seal(&cluster.seal_context(), &"stored-token".to_owned().into()).await.unwrap());
            store.put_cluster(&cluster, None).await.unwrap();
        }
        for customer in ["acme", "other"] {
            for (word, role) in [("viewer", Role::Viewer), ("operator", Role::Operator), ("admin", Role::Admin)] {
                put_key(&store, customer, &format!("{customer}-{word}"), role, now + SignedDuration::from_hours(1), false).await;
                put_key(&store, customer, &format!("{customer}-{word}-expired"), role, now, false).await;
                put_key(&store, customer, &format!("{customer}-{word}-revoked"), role, now + SignedDuration::from_hours(1), true).await;
            }
        }
        let queue = MemoryQueue::new(clock.clone());
        let town = Arc::new(Town::default());
        let count = AtomicU64::new(0);
        let deps = Deps {
            registry: store.clone(),
            journal: store.clone(),
            routes: store.clone(),
            optimizations: store.clone(),
            ledger: store.clone(),
            outbox: store.clone(),
            nights: store.clone(),
            rounds: queue.clone(),
            scans: queue.clone(),
            findings: store.clone(),
            trail: store.clone(),
            rates: crate::rates(store.clone()),
            issuer,
            idempotency: store.clone(),
            queue: queue.clone(),
            vault: vault.clone(),
            trust: trust.clone(),
            ml,
            directory: Some(Arc::new(Atlas)),
            gate: Gate::new(town.clone(), Rules::public()),
            clusters: world.clone(),
            clock: clock.clone(),
            bootstrap_admin_hash: Some(sha256(BOOTSTRAP)),
            ids: Arc::new(move || u128::from(count.fetch_add(1, Ordering::SeqCst)) + 1),
        };
        let bench = Bench { api: router(Arc::new(deps)), store, queue, vault, trust, world, clock, town, nodes };
        bench.index().await;
        bench
    }

    /// Writes the index that a refresh would write.
    async fn index(&self) {
        let cluster = self.stored("acme", CLUSTER).await;
        let record = |instance: &InstanceId| NodeRecord {
            key: InstanceKey { account: cluster.account.clone(), region: cluster.region.clone(), instance: instance.clone() },
            customer: cluster.customer.clone(),
            cluster: cluster.id.clone(),
            target: NodeTarget { name: self.world.node_name(instance).unwrap(), uid: None, instance: instance.clone(), taints: Vec::new() },
            pool: Pool {
                instance_type: "m6i.large".to_owned().try_into().unwrap(),
                zone: "us-east-1a".to_owned().try_into().unwrap(),
                capacity: CapacityType::Spot,
            },
            cpu_millis: 0,
            memory_bytes: 0,
            owner: NodeOwner::CloudOptim,
            template: None,
            advice: Vec::new(),
            seen_at: self.clock.now(),
        };
        let records: Vec<NodeRecord> = self.nodes.iter().map(record).collect();
        self.store.put_nodes(&cluster.customer, &cluster.id, &records).await.unwrap();
    }

    pub(crate) async fn stored(&self, customer: &str, id: &str) -> Cluster {
        let (customer, id) = (CustomerId::parse(customer).unwrap(), id.to_owned().try_into().unwrap());
        self.store.cluster(&customer, &id).await.unwrap().unwrap()
    }

    /// The name of a node.
    pub(crate) fn node(&self, index: usize) -> String {
        self.world.node_name(&self.nodes[index]).unwrap().to_string()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let answer = self.unheld(request).await;
        super::held::to_the_contract(&method, &path, &answer);
        answer
    }

    /// An answer that nobody has held to the contract yet.
    pub(crate) async fn unheld(&self, request: Request<Body>) -> Answer {
        let response = self.api.clone().oneshot(request).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        Answer { status, headers, text: String::from_utf8(body.to_vec()).unwrap() }
    }

    pub(crate) async fn get(&self, key: &str, path: &str) -> Answer {
        self.call(key, Method::GET, path, &[], None).await
    }

    pub(crate) async fn post(&self, key: &str, path: &str, body: &Value) -> Answer {
        self.call(key, Method::POST, path, &[], Some(body)).await
    }

    pub(crate) async fn call(&self, key: &str, method: Method, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Answer {
        self.send(request(key, method, path, headers, body)).await
    }
}

/// A request with a key, and JSON where there is a body.
pub(crate) fn request(key: &str, method: Method, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    if !key.is_empty() {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    match body {
        Some(body) => request.header("content-type", "application/json").body(Body::from(body.to_string())).unwrap(),
        None => request.body(Body::empty()).unwrap(),
    }
}

pub(crate) fn sha256(text: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(text))
}

async fn put_key(store: &MemoryStore, customer: &str, key: &str, role: Role, expires_at: Timestamp, revoked: bool) {
    let key = ApiKey {
        id: key.to_owned(),
        created_at: None,
        hash: sha256(key),
        customer: CustomerId::parse(customer).unwrap(),
        role,
        label: key.to_owned(),
        expires_at: Some(expires_at),
        revoked,
    };
    store.put_api_key(&key).await.unwrap();
}

/// The body of a registration as the product brief prints it.
pub(crate) fn printed() -> Value {
    json!({
        "cluster_name": "production-eks",
        "k8s_api_endpoint": "https://EKS-ENDPOINT",
        "k8s_token": "SERVICE_ACCOUNT_TOKEN",
        "aws_role_arn": "arn:aws:iam::ACCOUNT:role/CloudOptimRole",
        "sqs_queue_url": "https://sqs.us-east-1.amazonaws.com/ACCOUNT/cloudoptim-spot-warnings",
        "region": "us-east-1",
    })
}
