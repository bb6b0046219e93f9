//! A world behind real wires: EC2, STS, SQS and KMS over HTTP, the table on an embedded DynamoDB, and each cluster's Kubernetes
//! API over HTTPS. What talks to it are the real adapters, in this process or in a function's own.

use crate::system::{Counts, a_cluster, a_customer};
use async_trait::async_trait;
use domain::ids::{ClusterId, CustomerId};
use domain::ports::{Clock, Cloud, Registry, Vault};
use domain::{SignedDuration, Timestamp};
use execution::Ports;
use secrecy::SecretString;
use sim::clock::SimClock;
use sim::http::aws::{QueueSpec, ServedAws, Wire, serve};
use sim::http::kubernetes::Served;
use sim::world::World;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const TABLE: &str = "cloudoptim";
const KEY: &str = "token-key";
/// Planted, as all that begins so is: no function prints one ([`crate::programs`] looks).
const TOKEN: &str = "canary-service-account-token";
/// Whose clusters these are.
pub const CUSTOMER: &str = "acme";

/// Real time, which can be pushed on: what waits in a queue or in the world for seconds is due at once.
#[derive(Debug)]
pub struct Leaping {
    real: Arc<SimClock>,
    ahead: Mutex<SignedDuration>,
}

impl Leaping {
    /// A clock that shows the real time.
    pub fn new() -> Arc<Leaping> {
        let real = SimClock::starting(runtime::clock::SystemClock.now());
        Arc::new(Leaping { real, ahead: Mutex::default() })
    }

    /// Pushes it on.
    pub fn leap(&self, by: SignedDuration) {
        *self.ahead.lock().unwrap() += by;
    }
}

#[async_trait]
impl Clock for Leaping {
    fn now(&self) -> Timestamp {
        self.real.now() + *self.ahead.lock().unwrap()
    }

    async fn sleep(&self, duration: SignedDuration) {
        self.real.sleep(duration).await;
    }
}

/// A cluster of the world to be wired.
#[derive(Debug, Clone)]
pub struct Line {
    /// The cluster.
    pub cluster: ClusterId,
    /// Its account.
    pub account: String,
}

/// The world behind its wires.
pub struct Wired {
    /// AWS.
    pub aws: ServedAws,
    /// The table, through the real adapter.
    pub table: Arc<aws::Table>,
    /// The clusters.
    pub kubernetes: Vec<Served>,
    region: String,
    config: aws::SdkConfig,
    urls: aws::QueueUrls,
}

/// Serves DynamoDB out of memory; gives its address.
async fn dynamodb() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let database = dynoxide::Database::memory().unwrap();
    // Ends with the runtime.
    tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()));
    url
}

impl Wired {
    /// Wires a world up and registers its clusters. `cloud` is asked by EC2 in the world's place; every call of a Kubernetes API
    /// takes `delay`.
    ///
    /// # Panics
    /// If a port cannot be had.
    pub async fn up(world: Arc<World>, cloud: Arc<dyn Cloud>, region: &str, lines: &[Line], delay: Duration) -> Wired {
        let mut wire = Wire::new(world.clone());
        wire.cloud = cloud;
        let dynamodb = dynamodb().await;
        wire.dynamodb = Some(dynamodb.clone());
        wire.queues = [("interruptions", 25), ("plans", 35), ("dead-letters", 30), ("notices", 30)]
            .map(|(name, visibility_s)| QueueSpec { name: name.to_owned(), visibility_s, dead_letter: None })
            .to_vec();
        for line in lines {
            let role = format!("arn:aws:iam::{}:role/CloudOptimRole", line.account);
            wire.external_ids.insert(role, format!("external-{CUSTOMER}"));
        }
        let aws = serve(wire).await.unwrap();
        let config = aws::local_config(&aws.url, region);
        // The table is reached without a detour here; functions go through the one endpoint that they know.
        let near = aws::local_config(&dynamodb, region);
        aws::create_table(&near, TABLE).await.unwrap();
        let url = |name: &str| format!("{}/{}/{name}", aws.url, sim::http::aws::OWN_ACCOUNT);
        let urls = aws::QueueUrls { interruptions: url("interruptions"), plans: url("plans"), dead_letters: url("dead-letters") };
        let table = Arc::new(aws::Table::new(&near, TABLE.to_owned()));
        let mut wired = Wired { aws, table, kubernetes: Vec::new(), region: region.to_owned(), config, urls };
        for line in lines {
            wired.register(&world, line, delay).await;
        }
        wired
    }

    async fn register(&mut self, world: &Arc<World>, line: &Line, delay: Duration) {
        let customer = CustomerId::parse(CUSTOMER).unwrap();
        let now = world.clock().now();
        let served = sim::http::kubernetes::serve(world.clone(), &line.cluster, TOKEN, delay).await.unwrap();
        self.table.put_customer(&a_customer(&customer, now)).await.unwrap();
        let mut record = a_cluster(&customer, &line.cluster, &line.account, &self.region, now);
        record.k8s_api_endpoint = served.url.clone();
        record.k8s_ca = Some(served.ca_pem.clone());
        record.k8s_token = Some(self.vault().seal(&record.seal_context(), &SecretString::from(TOKEN)).await.unwrap());
        self.table.put_cluster(&record, None).await.unwrap();
        self.kubernetes.push(served);
        let ports = self.ports(world.clone(), world.clock().clone());
        let site = execution::ports::Site::open(&ports, &customer, &line.cluster).await.unwrap().unwrap();
        execution::refresh::refresh(&ports, &site).await.unwrap();
    }

    fn vault(&self) -> Arc<aws::KeyVault> {
        Arc::new(aws::KeyVault::new(&self.config, KEY.to_owned()))
    }

    /// The configuration of SDK clients that talk to this world.
    pub fn config(&self) -> &aws::SdkConfig {
        &self.config
    }

    /// The real adapters in this process; the cloud is whatever is given.
    pub fn ports(&self, cloud: Arc<dyn Cloud>, clock: Arc<dyn Clock>) -> Ports {
        let settings = kubernetes::Settings { timeout_s: 15, retry_attempts: 3, backoff_factor: 2 };
        Ports {
            journal: self.table.clone(),
            registry: self.table.clone(),
            routes: self.table.clone(),
            pools: self.table.clone(),
            watchbooks: self.table.clone(),
            cloud,
            clusters: Arc::new(kubernetes::Connections::new(self.vault(), settings, gate::Gate::this_machine())),
            queue: Arc::new(aws::Queues::new(&self.config, self.urls.clone())),
            notices: Arc::new(aws::NoticeQueue::new(&self.config, self.url("notices"))),
            clock,
            meter: Arc::new(Counts::default()),
            roster: Default::default(),
        }
    }

    fn url(&self, name: &str) -> String {
        format!("{}/{}/{name}", self.aws.url, sim::http::aws::OWN_ACCOUNT)
    }

    /// The variables of a function: those of template.yaml, and those that lead the SDK here.
    pub fn variables(&self) -> Vec<(String, String)> {
        let notices = self.url("notices");
        let plain = [
            ("TABLE_NAME", TABLE),
            ("KMS_KEY_ID", KEY),
            ("INTERRUPTIONS_QUEUE_URL", &self.urls.interruptions),
            ("PLANS_QUEUE_URL", &self.urls.plans),
            ("DEAD_LETTER_QUEUE_URL", &self.urls.dead_letters),
            ("NOTICES_QUEUE_URL", &notices),
            // An address, and no right: only the optimizer and the API put anything there.
            ("ROUNDS_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/123456789012/rounds"),
            ("K8S_API_TIMEOUT_SECONDS", "6"),
            ("K8S_API_RETRY_ATTEMPTS", "3"),
            ("K8S_API_BACKOFF_FACTOR", "2"),
            ("LOG_LEVEL", "info"),
            // Clusters and the decision server of tests stand on this machine.
            ("ALLOWED_ADDRESS_RANGES", "127.0.0.0/8"),
            ("AWS_REGION", &self.region),
            ("AWS_ENDPOINT_URL", &self.aws.url),
            ("AWS_ACCESS_KEY_ID", "function"),
            ("AWS_SECRET_ACCESS_KEY", "canary-secret-access-key"),
            ("AWS_SESSION_TOKEN", "canary-session-token"),
        ];
        plain.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec()
    }

    /// Takes up to ten bodies out of the plans queue.
    ///
    /// # Panics
    /// If the queue does not answer.
    pub async fn take_plans(&self) -> Vec<String> {
        aws::take_messages(&self.config, &self.urls.plans).await.unwrap()
    }

    /// Takes up to ten notices.
    ///
    /// # Panics
    /// If the queue does not answer.
    pub async fn take_notices(&self) -> Vec<String> {
        aws::take_messages(&self.config, &self.url("notices")).await.unwrap()
    }

    /// Takes up to ten dead letters.
    ///
    /// # Panics
    /// If the queue does not answer.
    pub async fn take_dead_letters(&self) -> Vec<String> {
        aws::take_messages(&self.config, &self.urls.dead_letters).await.unwrap()
    }
}
