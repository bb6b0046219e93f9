//! Joins everything: the real functions and adapters, the embedded table, the simulated world.

use crate::metrics;
use crate::tables;
use crate::thinking::{self, Server};
use crate::{pages, parts};
use anyhow::Context;
use api::rates::PER_MINUTE;
use data_encoding::HEXLOWER;
use decision::Uploads;
use domain::SignedDuration;
use domain::ids::{ClusterId, CustomerId};
use domain::offering::CapacityType;
use domain::optimization::Round;
use domain::plan::precondition::CLUSTER_TAG;
use domain::policy::{ClusterPolicy, DisruptionBudget, Mode};
use domain::ports::{Clock, Courier, Vault};
use domain::tenant::{ApiKey, Cluster, ClusterStatus, Customer, CustomerStatus, Role};
use execution::Ports;
use execution::office_hours::OfficeHours;
use execution::optimize::Optimizer;
use execution::waste::Scanner;
use runtime::advisor::Connection;
use runtime::config::{Config, Tokens};
use runtime::web::issuer::Issuer;
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use sim::clock::SimClock;
use sim::http::kubernetes::Served;
use sim::store::{MemoryQueue, MemoryTrust, MemoryVault};
use sim::world::{Allows, ClusterSpec, NodeSpec, PdbSpec, Timing, WorkloadSpec, World};
use std::path::PathBuf;
use std::sync::Arc;
use tracing::Level;

/// Where the state is kept and where the API listens.
pub(crate) struct Settings {
    /// The folder; `None`: in memory.
    pub(crate) folder: Option<PathBuf>,
    /// The API's port; 0: any.
    pub(crate) port: u16,
    /// The log's level.
    pub(crate) log_level: Level,
    /// A decision server of somebody else; `None`: ours is started.
    pub(crate) decision_server: Option<Server>,
    /// Who carries notices; `None`: the real courier, which calls the addresses that people give.
    pub(crate) courier: Option<Arc<dyn Courier>>,
    /// Whose tokens are taken beside keys; `None`: nobody's.
    pub(crate) tokens: Option<Tokens>,
    /// Calls of one key in a minute.
    pub(crate) calls_per_minute: u64,
}

impl Settings {
    /// Reads the environment.
    pub(crate) fn from_env() -> anyhow::Result<Settings> {
        #[expect(clippy::disallowed_methods, reason = "local mode's own switches, read once")]
        let read = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
        let port = read("PORT").map_or(Ok(8000), |p| p.parse()).context("PORT is no port number")?;
        let log_level =
            read("LOG_LEVEL").map_or(Ok(Level::WARN), |l| l.parse()).context("LOG_LEVEL is no level: error, warn, info, debug, trace")?;
        let folder = PathBuf::from(read("CLOUDOPTIM_DIR").unwrap_or_else(|| ".cloudoptim".to_owned()));
        let key = read("ML_SERVER_API_KEY").map(SecretString::from);
        let decision_server = match read("ML_SERVER_URL") {
            Some(url) => Some(Server { url, key: key.context("ML_SERVER_URL is set, ML_SERVER_API_KEY is not")? }),
            None => None,
        };
        // What issuers need is read and judged as on AWS.
        let tokens = Config::parse(&|name| name.starts_with("JWT_").then(|| read(name)).flatten(), &[])?.tokens;
        let calls_per_minute = read("CALLS_PER_MINUTE").map_or(Ok(PER_MINUTE), |n| n.parse()).context("CALLS_PER_MINUTE is no number")?;
        Ok(Settings { folder: Some(folder), port, log_level, decision_server, courier: None, tokens, calls_per_minute })
    }

    /// For the demo: nothing is kept, any port.
    pub(crate) fn throwaway() -> Settings {
        Settings {
            folder: None,
            port: 0,
            log_level: Level::WARN,
            decision_server: None,
            courier: None,
            tokens: None,
            calls_per_minute: PER_MINUTE,
        }
    }
}

/// The running system.
pub(crate) struct System {
    pub(crate) clock: Arc<SimClock>,
    pub(crate) world: Arc<World>,
    pub(crate) queue: Arc<MemoryQueue>,
    pub(crate) ports: Ports,
    pub(crate) optimizer: Optimizer,
    pub(crate) notifier: notifier::Deps,
    pub(crate) market: market::Deps,
    pub(crate) decision: Arc<aws::DecisionTable>,
    pub(crate) scanner: Scanner,
    pub(crate) office_hours: OfficeHours,
    pub(crate) cluster: ClusterId,
    pub(crate) customer: CustomerId,
    pub(crate) api_url: String,
    pub(crate) api_key: String,
    pub(crate) folder: String,
    _kubernetes: Served,
}

pub(crate) const REGION: &str = "us-east-1";
const ACCOUNT: &str = "123456789012";
const TOKEN: &str = "demo-service-account-token";

/// What the functions of the core work with.
fn core_ports(
    table: &Arc<aws::Table>,
    world: &Arc<World>,
    clusters: &Arc<kubernetes::Connections>,
    queue: &Arc<MemoryQueue>,
    clock: &Arc<SimClock>,
    counters: &Arc<metrics::Counters>,
) -> Ports {
    Ports {
        journal: table.clone(),
        registry: table.clone(),
        routes: table.clone(),
        pools: table.clone(),
        watchbooks: table.clone(),
        cloud: world.clone(),
        clusters: clusters.clone(),
        queue: queue.clone(),
        notices: queue.clone(),
        clock: clock.clone(),
        meter: counters.clone(),
        roster: Default::default(),
    }
}

impl System {
    /// Starts everything.
    pub(crate) async fn start(settings: &Settings) -> anyhow::Result<System> {
        #[expect(clippy::disallowed_methods, reason = "the simulated world begins at the real time")]
        let clock = SimClock::starting(domain::Timestamp::now());
        let tables = tables::open(settings.folder.as_deref()).await?;
        let table = Arc::new(tables.core);
        let seed = u64::try_from(clock.now().as_millisecond()).unwrap_or_default();
        let (world, cluster) = demo_world(clock.clone(), seed);
        let served = sim::http::kubernetes::serve(world.clone(), &cluster, TOKEN, std::time::Duration::ZERO)
            .await
            .context("the simulated Kubernetes API did not start")?;
        let vault: Arc<dyn Vault> = Arc::new(MemoryVault::default());
        let queue = MemoryQueue::new(clock.clone());
        // All that is called here stands on this machine.
        let gate = gate::Gate::this_machine();
        let clusters = Arc::new(kubernetes::Connections::new(
            vault.clone(),
            kubernetes::Settings { timeout_s: 30, retry_attempts: 3, backoff_factor: 2 },
            gate.clone(),
        ));
        let counters = Arc::new(metrics::Counters::default());
        let ports = core_ports(&table, &world, &clusters, &queue, &clock, &counters);
        let notifier = parts::notifier(&ports, &table, &queue, &vault, settings.courier.clone())?;
        let office_hours = parts::office_hours(&ports, &table);
        let scanner = parts::scanner(&ports, &table, &queue, clusters.clone());
        let customer = CustomerId::parse("default")?;
        let api_key = register(&ports, vault.as_ref(), &customer, &cluster, &served).await?;
        let decision_table = Arc::new(tables.decision);
        let market = parts::market(&ports, &world, &decision_table);
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", settings.port))
            .await
            .with_context(|| format!("port {} is taken: set PORT", settings.port))?;
        let api_url = format!("http://{}", listener.local_addr()?);
        let objects = parts::objects(&ports, &api_url, settings.folder.as_deref());
        let server = match &settings.decision_server {
            Some(other) => other.clone(),
            None => {
                let uploads = Uploads { objects: objects.clone(), ids: api::random_ids() };
                thinking::serve(&market, decision_table.clone(), uploads).await?
            }
        };
        let optimizer = thinking::optimizer(&ports, &table, &queue, &server)?;
        let ml = Connection::new(&server.url, &server.key, api::routes::ml::LIMITS, &gate)?;
        let pages = pages::router(&ports, &table, &queue, &decision_table, &server)?;
        let deps = Arc::new(api::Deps {
            issuer: settings.tokens.as_ref().map(|tokens| Issuer::named(tokens, &gate)).transpose()?.map(Arc::new),
            rates: api::rates_of(table.clone(), settings.calls_per_minute),
            ..api_deps(&ports, table, queue.clone(), vault, clusters, ml, gate)
        });
        // In this order: what is no address at all is answered by the router that comes last.
        let beside = metrics::router(counters).merge(sim::store::door(objects));
        tokio::spawn(async move { axum::serve(listener, pages.merge(beside).merge(api::router(deps))).await });
        let folder = settings.folder.as_ref().map_or_else(|| "in memory".to_owned(), |f| f.display().to_string());
        Ok(System {
            clock,
            world,
            queue,
            ports,
            optimizer,
            notifier,
            market,
            decision: decision_table,
            scanner,
            office_hours,
            cluster,
            customer,
            api_url,
            api_key,
            folder,
            _kubernetes: served,
        })
    }

    /// Asks for a round of the demo cluster.
    pub(crate) async fn ask_first_round(&self) -> anyhow::Result<()> {
        let round = Round {
            customer: self.customer.clone(),
            cluster: self.cluster.clone(),
            round: format!("start-{}", self.clock.now().as_second()),
            asked_by: "the start of local mode".to_owned(),
            types: Vec::new(),
            dry_run: false,
            nodes: None,
        };
        Ok(self.optimizer.rounds.ask(&round).await?)
    }
}

/// A cluster with four spot nodes that are well used, two on-demand nodes that are not, and some workloads, one of them with a budget.
fn demo_world(clock: Arc<dyn Clock>, seed: u64) -> (Arc<World>, ClusterId) {
    let world = World::new(clock, seed);
    world.set_timing(Timing { join: Some(SignedDuration::from_secs(12)), ..Timing::default() });
    let spec = ClusterSpec::new("default", "demo", ACCOUNT, REGION);
    thinking::stock(&world, &spec);
    let cluster = world.add_cluster(spec);
    let (spot, on_demand) = (CapacityType::Spot, CapacityType::OnDemand);
    let nodes: Vec<_> = [("m6i.xlarge", "a"), ("m6i.xlarge", "b"), ("c6i.xlarge", "b"), ("m6i.xlarge", "c")]
        .iter()
        .map(|(kind, zone)| world.add_node(&cluster, ours(NodeSpec::new(kind, &format!("{REGION}{zone}"), spot))))
        .collect();
    for (name, replicas, exit_s) in [("web", 6, 2), ("checkout", 3, 5), ("search", 4, 1), ("queue-worker", 3, 8)] {
        let mut spec = WorkloadSpec::new(name, replicas);
        spec.pod.exit_s = exit_s;
        spec.pod.start_s = 3;
        spec.on = nodes.clone();
        world.add_deployment(&cluster, spec);
    }
    let idle: Vec<_> = [("m6i.2xlarge", "a"), ("m6i.2xlarge", "c")]
        .iter()
        .map(|(kind, zone)| world.add_node(&cluster, ours(NodeSpec::new(kind, &format!("{REGION}{zone}"), on_demand))))
        .collect();
    for (name, replicas) in [("billing", 2), ("reports", 3)] {
        let mut spec = WorkloadSpec::new(name, replicas);
        (spec.pod.exit_s, spec.pod.start_s) = (2, 3);
        spec.on = idle.clone();
        world.add_deployment(&cluster, spec);
    }
    world.add_daemon_set(&cluster, WorkloadSpec::new("node-logs", 0));
    world.add_pdb(&cluster, PdbSpec::new("web", Allows::MaxUnavailable(1)));
    (world, cluster)
}

/// A node whose owner handed it over: only an instance with this tag is ever ended.
fn ours(mut node: NodeSpec) -> NodeSpec {
    node.tags.insert(CLUSTER_TAG.to_owned(), "demo".to_owned());
    node
}

/// What the demo cluster allows until somebody says otherwise: plans are made, and wait for a person. Two of its six nodes may be in
/// disruption at once, because whoever watches has little time.
fn first_policy() -> ClusterPolicy {
    let mut policy = ClusterPolicy::default();
    let optimization = &mut policy.optimization;
    (optimization.spot, optimization.bin_packing, optimization.rightsizing) = (Mode::Approve, Mode::Approve, Mode::Approve);
    policy.budget = DisruptionBudget { nodes_percent_max: 34, nodes_max: 5 };
    policy
}

/// Registers the demo customer, the demo cluster and a key. The address and the token of the simulated API are new at each start.
async fn register(ports: &Ports, vault: &dyn Vault, customer: &CustomerId, id: &ClusterId, served: &Served) -> anyhow::Result<String> {
    let now = ports.clock.now();
    let whom = Customer {
        id: customer.clone(),
        company_name: "Demo".to_owned(),
        email: "demo@example.com".to_owned(),
        external_id: "demo-external-id".to_owned(),
        status: CustomerStatus::Active,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    ports.registry.put_customer(&whom).await?;
    let before = ports.registry.cluster(customer, id).await?;
    let expected = before.as_ref().map(|c| c.version);
    let mut cluster = Cluster {
        id: id.clone(),
        customer: customer.clone(),
        name: id.to_string(),
        k8s_api_endpoint: served.url.clone(),
        k8s_ca: Some(served.ca_pem.clone()),
        k8s_token: None,
        k8s_token_expires_at: None,
        eks_cluster_name: None,
        aws_role_arn: format!("arn:aws:iam::{ACCOUNT}:role/CloudOptimRole"),
        account: ACCOUNT.to_owned().try_into()?,
        region: REGION.to_owned().try_into()?,
        sqs_queue_url: None,
        status: ClusterStatus::Connecting,
        status_reason: "registered".to_owned(),
        node_count: 0,
        seen_at: None,
        policy: before.as_ref().map_or_else(first_policy, |c| c.policy.clone()),
        version: expected.unwrap_or(0) + 1,
        created_at: before.as_ref().map_or(now, |c| c.created_at),
        updated_at: now,
    };
    cluster.k8s_token = Some(vault.seal(&cluster.seal_context(), &SecretString::from(TOKEN)).await?);
    ports.registry.put_cluster(&cluster, expected).await?;
    let site = execution::ports::Site::open(ports, customer, id).await?.context("the demo cluster is not registered")?;
    execution::refresh::refresh(ports, &site).await?;
    let key = format!("co_{}", HEXLOWER.encode(&Sha256::digest(format!("{}{}", served.ca_pem, now)))[..40].to_owned());
    let hash = HEXLOWER.encode(&Sha256::digest(key.as_bytes()));
    ports
        .registry
        .put_api_key(&ApiKey {
            id: "local".to_owned(),
            created_at: Some(now),
            hash,
            customer: customer.clone(),
            role: Role::Admin,
            label: "local".to_owned(),
            expires_at: None,
            revoked: false,
        })
        .await?;
    Ok(key)
}

/// The API on the same ports.
fn api_deps(
    ports: &Ports,
    table: Arc<aws::Table>,
    queue: Arc<MemoryQueue>,
    vault: Arc<dyn Vault>,
    clusters: Arc<kubernetes::Connections>,
    ml: Connection,
    gate: gate::Gate,
) -> api::Deps {
    api::Deps {
        ml: Some(Arc::new(ml)),
        gate,
        optimizations: table.clone(),
        ledger: table.clone(),
        outbox: table.clone(),
        rounds: queue.clone(),
        scans: queue,
        findings: table.clone(),
        nights: table.clone(),
        registry: ports.registry.clone(),
        journal: ports.journal.clone(),
        routes: ports.routes.clone(),
        trail: table.clone(),
        rates: api::rates(table.clone()),
        issuer: None,
        idempotency: table,
        trust: Arc::new(MemoryTrust::default()),
        queue: ports.queue.clone(),
        vault,
        directory: None,
        clusters,
        clock: ports.clock.clone(),
        bootstrap_admin_hash: None,
        ids: api::random_ids(),
    }
}
