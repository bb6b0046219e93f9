//! A cluster: simulated; the same served over HTTPS and seen through the adapter; and any that `CONTRACT_KUBECONFIG` names.

use async_trait::async_trait;
use domain::ids::{AccountId, ClusterId, CustomerId, InstanceId, NodeName, Region};
use domain::node::Taint;
use domain::offering::CapacityType;
use domain::permissions::{Checklist, Right, all_rights, asked_key, key};
use domain::pod::PodRef;
use domain::ports::inventory::Flow;
use domain::ports::{Clock, ClusterError, Clusters, Registry, Rights, Trust, Vault};
use domain::scheduling::Scheduling;
use domain::tenant;
use domain::{SignedDuration, Timestamp};
use execution::permissions::Inspector;
use harness::contracts::cluster::{Stage, read_only, suite};
use harness::system::a_customer;
use kubernetes::{Connections, Settings};
use serde_json::json;
use sim::clock::EPOCH;
use sim::http::kubernetes::{Served, serve};
use sim::store::{MemoryStore, MemoryTrust, MemoryVault};
use sim::world::{Allows, ClusterSpec, NodeSpec, PdbSpec, PodShape, ServiceSpec, Volume, WorkloadSpec, World};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A clock that stands still until a law lets time go by.
struct Hands(Mutex<Timestamp>);

#[async_trait]
impl Clock for Hands {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    async fn sleep(&self, duration: SignedDuration) {
        self.turn(duration);
    }
}

impl Hands {
    fn turn(&self, duration: SignedDuration) {
        let mut now = self.0.lock().unwrap();
        *now = now.checked_add(duration).unwrap();
    }
}

/// A world with one empty cluster.
struct Theatre {
    world: Arc<World>,
    clock: Arc<Hands>,
    id: ClusterId,
}

impl Theatre {
    fn new() -> Theatre {
        let clock = Arc::new(Hands(Mutex::new(EPOCH)));
        let world = World::new(clock.clone(), 11);
        let id = world.add_cluster(ClusterSpec::new("acme", "prod", "123456789012", "us-east-1"));
        Theatre { world, clock, id }
    }

    async fn serve(&self) -> Served {
        serve(self.world.clone(), &self.id, "the-token", Duration::ZERO).await.unwrap()
    }

    fn instance(&self, node: &NodeName) -> InstanceId {
        self.world.nodes(&self.id).into_iter().find(|view| view.name == *node).unwrap().instance().unwrap()
    }
}

impl Stage for Theatre {
    fn node(&self, taints: Vec<Taint>) -> NodeName {
        let spec = NodeSpec { taints, ..NodeSpec::new("m6i.large", "us-east-1a", CapacityType::Spot) };
        let instance = self.world.add_node(&self.id, spec);
        self.world.node_name(&instance).unwrap()
    }

    fn deployment(&self, namespace: &str, name: &str, replicas: u32, on: &NodeName) {
        let spec = WorkloadSpec { namespace: namespace.into(), on: vec![self.instance(on)], ..WorkloadSpec::new(name, replicas) };
        self.world.add_deployment(&self.id, spec);
    }

    fn scaler(&self, namespace: &str, name: &str, size: Option<u32>) {
        self.world.add_scaler(&self.id, namespace, name, size, 9);
    }

    fn cron_job(&self, name: &str) {
        self.world.add_cron_job(&self.id, "default", name, false);
    }

    fn annotated_namespace(&self, namespace: &str, key: &str, value: &str) {
        self.world.annotate_namespace(&self.id, namespace, key, value);
    }

    fn daemon_set(&self, name: &str) {
        self.world.add_daemon_set(&self.id, WorkloadSpec::new(name, 0));
    }

    fn odd_pod(&self, name: &str, on: &NodeName) {
        let shape = PodShape {
            labels: BTreeMap::from([("app".to_owned(), name.to_owned())]),
            cpu_millis: 300,
            memory_bytes: 64 << 20,
            grace_s: 7,
            priority: 1000,
            empty_dir: true,
            do_not_disrupt: true,
            ..PodShape::default()
        };
        self.world.add_bare_pod(&self.id, name, shape, Some(&self.instance(on)));
    }

    fn asking_pod(&self, name: &str, scheduling: Scheduling, extended: BTreeMap<String, u64>, on: &NodeName) {
        let shape = PodShape { scheduling, extended, ..PodShape::default() };
        self.world.add_bare_pod(&self.id, name, shape, Some(&self.instance(on)));
    }

    fn pod_with_volume(&self, name: &str, volume: Volume, on: Option<&NodeName>) {
        let mut shape = PodShape { volume: Some(volume), ..PodShape::default() };
        if on.is_none() {
            shape.cpu_millis = 1_000_000;
        }
        self.world.add_bare_pod(&self.id, name, shape, on.map(|node| self.instance(node)).as_ref());
    }

    fn lists_expire(&self, times: u32) {
        self.world.expire_lists(&self.id, times);
    }

    fn mirror_pod(&self, name: &str, on: &NodeName) {
        self.world.add_mirror_pod(&self.id, name, &self.instance(on));
    }

    fn budget(&self, name: &str, app: &str, max_unavailable: u32) {
        let spec = PdbSpec { name: name.into(), ..PdbSpec::new(app, Allows::MaxUnavailable(max_unavailable)) };
        self.world.add_pdb(&self.id, spec);
    }

    fn budget_is_behind(&self, name: &str) {
        self.world.budget_behind(&self.id, "default", name, SignedDuration::from_secs(60));
    }

    fn namespace_goes(&self, namespace: &str) {
        self.world.terminate_namespace(&self.id, namespace);
    }

    fn person_cordons(&self, node: &NodeName) {
        self.world.human_cordons(&self.id, node);
    }

    fn kill_for_memory(&self, pod: &PodRef) {
        self.world.kill_for_memory(&self.id, pod);
    }

    fn autoscale(&self, name: &str, cpu: bool, memory: bool) {
        self.world.autoscale(&self.id, "default", name, cpu, memory);
    }

    fn resizes_in_place(&self) {
        self.world.resizes_in_place(&self.id);
    }

    fn service(&self, name: &str, balanced: bool, headless: bool, distribution: Option<&str>) {
        let distribution = distribution.map(str::to_owned);
        self.world.put_service(&self.id, ServiceSpec { balanced, headless, distribution, ..ServiceSpec::new(name) });
    }

    fn traffic(&self, source: &str, flows: Vec<Flow>) {
        self.world.tell_traffic(&self.id, source, flows);
    }

    fn pass(&self, seconds: i64) {
        self.clock.turn(SignedDuration::from_secs(seconds));
    }
}

/// A registered cluster with this endpoint, authority and token, and connections that can open it.
async fn registered(endpoint: &str, ca: Option<&str>, token: &str) -> (Connections, tenant::Cluster) {
    let vault = Arc::new(MemoryVault::default());
    let mut cluster = tenant::Cluster {
        id: ClusterId::parse("prod").unwrap(),
        customer: CustomerId::parse("acme").unwrap(),
        name: "prod".into(),
        k8s_api_endpoint: endpoint.into(),
        k8s_ca: ca.map(str::to_owned),
        k8s_token: None,
        k8s_token_expires_at: None,
        eks_cluster_name: None,
        aws_role_arn: "arn:aws:iam::123456789012:role/cloudoptim".into(),
        account: AccountId::parse("123456789012").unwrap(),
        region: Region::parse("us-east-1").unwrap(),
        sqs_queue_url: None,
        status: tenant::ClusterStatus::Connected,
        status_reason: String::new(),
        node_count: 0,
        seen_at: None,
        policy: Default::default(),
        version: 1,
        created_at: EPOCH,
        updated_at: EPOCH,
    };
    cluster.k8s_token = Some(vault.seal(&cluster.seal_context(), &token.to_owned().into()).await.unwrap());
    (Connections::new(vault, Settings { timeout_s: 30, retry_attempts: 2, backoff_factor: 2 }, gate::Gate::this_machine()), cluster)
}

#[tokio::test]
async fn the_simulated_cluster_keeps_the_contract() {
    let theatre = Theatre::new();
    suite(theatre.world.cluster(&theatre.id).unwrap(), &theatre).await;
}

#[tokio::test]
async fn the_adapter_keeps_the_contract_over_https() {
    let theatre = Theatre::new();
    let served = theatre.serve().await;
    let (connections, cluster) = registered(&served.url, Some(&served.ca_pem), &served.token).await;
    suite(connections.connect(&cluster).await.unwrap(), &theatre).await;
}

#[tokio::test]
async fn a_wrong_token_is_told_and_its_connection_dropped() {
    let theatre = Theatre::new();
    let served = theatre.serve().await;
    let (connections, cluster) = registered(&served.url, Some(&served.ca_pem), "expired").await;
    let first = connections.connect(&cluster).await.unwrap();
    assert!(Arc::ptr_eq(&first, &connections.connect(&cluster).await.unwrap()));
    assert!(matches!(first.nodes().await, Err(ClusterError::Unauthorized)));
    assert!(!Arc::ptr_eq(&first, &connections.connect(&cluster).await.unwrap()));
}

#[tokio::test]
async fn a_server_that_the_authority_did_not_sign_is_not_talked_to() {
    let theatre = Theatre::new();
    let (one, other) = (theatre.serve().await, theatre.serve().await);
    for ca in [Some(other.ca_pem.as_str()), None] {
        let (connections, cluster) = registered(&one.url, ca, &one.token).await;
        let Ok(connection) = connections.connect(&cluster).await else {
            assert!(ca.is_none(), "a machine may have no public authorities");
            continue;
        };
        assert!(matches!(connection.nodes().await, Err(ClusterError::Unreachable(_))));
    }
    assert!(theatre.world.calls().is_empty(), "the token went nowhere");
}

#[tokio::test]
async fn a_server_that_went_away_is_unreachable() {
    let theatre = Theatre::new();
    let served = theatre.serve().await;
    let (connections, cluster) = registered(&served.url, Some(&served.ca_pem), &served.token).await;
    let connection = connections.connect(&cluster).await.unwrap();
    connection.nodes().await.unwrap();
    served.shutdown();
    assert!(matches!(connection.nodes().await, Err(ClusterError::Unreachable(_))));
}

#[tokio::test]
async fn missing_rights_are_found_by_asking() {
    let theatre = Theatre::new();
    theatre.world.deny(&theatre.id, "create", "pods/eviction");
    let served = theatre.serve().await;
    let (connections, cluster) = registered(&served.url, Some(&served.ca_pem), &served.token).await;
    let right = |verb: &str, group: &str, resource: &str| Right { verb: verb.into(), group: group.into(), resource: resource.into() };
    let asked = [right("list", "", "nodes"), right("create", "", "pods/eviction"), right("list", "apps", "daemonsets")];
    assert_eq!(connections.missing(&cluster, &asked).await.unwrap(), [asked[1].clone()]);
    assert_eq!(theatre.world.missing(&cluster, &asked).await.unwrap(), [asked[1].clone()], "the twin says the same");
    assert_eq!(connections.missing(&cluster, &all_rights()).await.unwrap(), [asked[1].clone()]);
}

async fn looked(store: &MemoryStore, cluster: &tenant::Cluster) -> Checklist {
    serde_json::from_value(store.config(&cluster.customer, &key(&cluster.id)).await.unwrap().unwrap()).unwrap()
}

#[tokio::test]
async fn what_is_missing_is_written_down_and_looked_at_again_when_it_is_old_or_asked_for() {
    let theatre = Theatre::new();
    theatre.world.deny(&theatre.id, "patch", "pods/resize");
    let served = theatre.serve().await;
    let (connections, cluster) = registered(&served.url, Some(&served.ca_pem), &served.token).await;
    let (store, trust) = (Arc::new(MemoryStore::default()), Arc::new(MemoryTrust::default()));
    let scope = execution::scope(&cluster, &a_customer(&cluster.customer, EPOCH));
    let inspector = Inspector {
        registry: store.clone(),
        rights: Arc::new(connections),
        trust: trust.clone(),
        cloud: theatre.world.clone(),
        clock: theatre.clock.clone(),
    };
    assert!(inspector.look(&cluster, &scope).await.unwrap());
    let list = looked(&store, &cluster).await;
    assert_eq!((list.missing.unwrap()[0].to_string(), list.role, list.at), ("patch pods/resize".to_owned(), Trust::Us, EPOCH));
    assert!(!inspector.look(&cluster, &scope).await.unwrap(), "it was looked a moment ago");

    let later = |minutes| *theatre.clock.0.lock().unwrap() = EPOCH + SignedDuration::from_mins(minutes);
    later(1);
    store.put_config(&cluster.customer, &asked_key(&cluster.id), &json!(theatre.clock.now())).await.unwrap();
    trust.say(&cluster.aws_role_arn, Trust::Anybody);
    assert!(inspector.look(&cluster, &scope).await.unwrap(), "somebody asked");
    assert_eq!(looked(&store, &cluster).await.role, Trust::Anybody);
    assert!(!inspector.look(&cluster, &scope).await.unwrap());

    later(361);
    served.shutdown();
    assert!(inspector.look(&cluster, &scope).await.unwrap(), "it is old");
    let list = looked(&store, &cluster).await;
    assert_eq!((list.missing, list.why.as_deref()), (None, Some("The Kubernetes API of the cluster does not answer.")));
}

#[tokio::test]
async fn a_right_that_is_missing_is_named() {
    let theatre = Theatre::new();
    let node = theatre.node(Vec::new());
    theatre.deployment("default", "web", 1, &node);
    theatre.world.deny(&theatre.id, "list", "poddisruptionbudgets");
    theatre.world.deny(&theatre.id, "patch", "deployments/scale");
    let served = theatre.serve().await;
    let (connections, cluster) = registered(&served.url, Some(&served.ca_pem), &served.token).await;
    let connection = connections.connect(&cluster).await.unwrap();
    assert!(matches!(connection.pod_budgets().await, Err(ClusterError::Forbidden(text)) if text.contains("poddisruptionbudgets")));
    let web =
        domain::workload::WorkloadRef { kind: domain::workload::WorkloadKind::Deployment, namespace: "default".into(), name: "web".into() };
    connection.scale(&web, 3).await.unwrap();
    assert_eq!(connection.replicas(&web).await.unwrap(), 3, "through the other door");
}

/// The cluster of a kubeconfig in JSON (`kubectl config view --raw --minify --flatten -o json`) whose user has a token. It belongs to
/// somebody: it is only read.
#[tokio::test]
async fn the_named_cluster_keeps_the_contract_of_reads() {
    #[expect(clippy::disallowed_methods, reason = "the contracts' own switch")]
    let Ok(path) = std::env::var("CONTRACT_KUBECONFIG") else { return };
    let file: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (server, user) = (&file["clusters"][0]["cluster"], &file["users"][0]["user"]);
    let ca = server["certificate-authority-data"].as_str().map(|data| {
        let pem = data_encoding::BASE64.decode(data.as_bytes()).unwrap();
        String::from_utf8(pem).unwrap()
    });
    let (connections, cluster) = registered(server["server"].as_str().unwrap(), ca.as_deref(), user["token"].as_str().unwrap()).await;
    read_only(&connections.connect(&cluster).await.unwrap()).await;
}
