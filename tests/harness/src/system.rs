//! The whole system in one simulated world: the real functions over faulty ports, driven as SQS and the schedule would.

use domain::ids::{ClusterId, CustomerId, InstanceId};
use domain::ports::{Clock, Meter, Registry};
use domain::tenant::{Cluster, ClusterStatus, Customer, CustomerStatus};
use domain::{SignedDuration, Timestamp};
use execution::{Ports, refresh};
use runtime::deadline::Budget;
use sim::clock::SimClock;
use sim::faults::{
    FaultyCloud, FaultyClusters, FaultyJournal, FaultyNotices, FaultyPools, FaultyQueue, FaultyRegistry, FaultyRoutes, Gate,
};
use sim::store::{MemoryNotices, MemoryQueue, MemoryStore, QueuedMessage, Which};
use sim::world::World;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// SQS gives a message back after this long (template.yaml: VisibilityTimeout of the interruption queue).
const VISIBILITY: SignedDuration = SignedDuration::from_secs(25);
/// And gives it up after so many deliveries (maxReceiveCount).
const RECEIVES_MAX: u32 = 8;
/// How many messages a batch has at most (BatchSize).
const BATCH: usize = 10;
/// What an invocation may use of its 20 seconds.
const INVOCATION: SignedDuration = SignedDuration::from_secs(12);

/// Counts, for laws.
#[derive(Default)]
pub struct Counts(Mutex<BTreeMap<(String, String), u64>>);

impl Meter for Counts {
    fn count(&self, name: &'static str, kind: &str) {
        *self.0.lock().unwrap().entry((name.to_owned(), kind.to_owned())).or_default() += 1;
    }
}

impl Counts {
    /// A counter over all kinds.
    pub fn of(&self, name: &str) -> u64 {
        self.0.lock().unwrap().iter().filter(|((n, _), _)| n == name).map(|(_, count)| count).sum()
    }
}

/// The system.
pub struct System {
    /// Time.
    pub clock: Arc<SimClock>,
    /// The world.
    pub world: Arc<World>,
    /// The table.
    pub store: Arc<MemoryStore>,
    /// The queues.
    pub queue: Arc<MemoryQueue>,
    /// What people were told, as the notices' queue has it: twice what was told twice.
    pub told: Arc<MemoryNotices>,
    /// Where faults come in.
    pub gate: Arc<Gate>,
    /// The counters.
    pub counts: Arc<Counts>,
    /// What the functions get.
    pub ports: Ports,
    /// What the optimizer gets, where there is one.
    pub optimizer: Option<execution::optimize::Optimizer>,
    /// Whether notices are handed out in batches, too, whose records are worked on at the same time by one process.
    pub together: bool,
    swept_at: Option<Timestamp>,
}

/// How one invocation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It answered.
    Well,
    /// It asked for the message to come back.
    Badly,
    /// It died.
    Crashed,
}

impl System {
    /// A system around a world. Nothing is registered yet; the gate lets everything pass.
    pub fn around(clock: Arc<SimClock>, world: Arc<World>, delay: SignedDuration) -> System {
        let store = Arc::new(MemoryStore::default());
        let queue = MemoryQueue::new(clock.clone());
        let gate = Gate::slow(clock.clone(), delay, |_| None);
        let counts = Arc::new(Counts::default());
        let told = Arc::new(MemoryNotices::default());
        let ports = Ports {
            journal: FaultyJournal::new(store.clone(), gate.clone()),
            registry: FaultyRegistry::new(store.clone(), gate.clone()),
            routes: FaultyRoutes::new(store.clone(), gate.clone()),
            pools: FaultyPools::new(store.clone(), gate.clone()),
            watchbooks: store.clone(),
            cloud: FaultyCloud::new(world.clone(), gate.clone()),
            clusters: FaultyClusters::new(world.clone(), gate.clone()),
            queue: FaultyQueue::new(queue.clone(), gate.clone()),
            notices: FaultyNotices::new(told.clone(), gate.clone()),
            clock: clock.clone(),
            meter: counts.clone(),
            roster: Default::default(),
        };
        System { clock, world, store, queue, told, gate, counts, ports, optimizer: None, together: false, swept_at: None }
    }

    /// Registers a cluster of the world and takes the first look at it, before any fault.
    pub async fn register(&self, customer: &str, cluster: &str, account: &str, region: &str) -> (CustomerId, ClusterId) {
        let (customer, id) = (CustomerId::parse(customer).unwrap(), ClusterId::parse(cluster).unwrap());
        let now = self.clock.now();
        self.store.put_customer(&a_customer(&customer, now)).await.unwrap();
        let record = a_cluster(&customer, &id, account, region, now);
        self.store.put_cluster(&record, None).await.unwrap();
        let site = execution::ports::Site::open(&self.ports, &customer, &id).await.unwrap().unwrap();
        refresh::refresh(&self.ports, &site).await.unwrap();
        (customer, id)
    }

    /// Puts a notice into the queue.
    pub fn notice(&self, body: &str) {
        self.queue.put(Which::Interruptions, body.to_owned(), SignedDuration::ZERO);
    }

    /// Hands one message to its function; a crash ends the invocation where it is.
    pub async fn invoke(&self, message: &QueuedMessage) -> Ended {
        tokio::select! {
            biased;
            () = self.gate.crashed() => Ended::Crashed,
            ended = self.work(message) => ended,
        }
    }

    async fn work(&self, message: &QueuedMessage) -> Ended {
        let budget = Budget::lasting(&*self.clock, INVOCATION);
        let well = match message.queue {
            Which::Interruptions => {
                let received = domain::interruption::parse::Received { at: message.sent_at, region: None };
                interruption::body(&message.body, &received, &self.ports, budget).await.is_ok()
            }
            Which::Plans => executor::body(&message.body, &self.ports, budget).await.is_ok(),
            Which::Rounds => match &self.optimizer {
                Some(deps) => optimizer::body(&message.body, deps, budget).await.is_ok(),
                None => true,
            },
            // Whoever tests the scanner or the notifier hands their messages out.
            Which::Scans | Which::Notices | Which::DeadLetters => true,
        };
        if well { Ended::Well } else { Ended::Badly }
    }

    /// Delivers everything that is due, as SQS would: what fails or dies comes back, what fails too often is given up.
    pub async fn deliver(&self) -> usize {
        let due = self.queue.take_due(self.clock.now());
        let many = due.len();
        let (plans, others): (Vec<_>, Vec<_>) = due.into_iter().partition(|m| m.queue == Which::Plans);
        let alone = if self.together { BATCH } else { 1 };
        for batch in others.chunks(alone).chain(plans.chunks(BATCH)) {
            // A crash takes all of it.
            let ended = tokio::select! {
                biased;
                () = self.gate.crashed() => vec![Ended::Crashed; batch.len()],
                ended = self.batch(batch) => ended,
            };
            batch.iter().cloned().zip(ended).for_each(|(message, ended)| self.after(message, ended));
        }
        many
    }

    /// Hands a batch of one queue to its function.
    async fn batch(&self, batch: &[QueuedMessage]) -> Vec<Ended> {
        if batch.iter().any(|m| m.queue != Which::Plans) {
            return futures::future::join_all(batch.iter().map(|message| self.work(message))).await;
        }
        let record = |m: &QueuedMessage| serde_json::json!({"messageId": m.id, "body": m.body});
        let event = serde_json::json!({"Records": batch.iter().map(record).collect::<Vec<_>>()});
        let budget = Budget::lasting(&*self.clock, INVOCATION);
        let answer = executor::handle(serde_json::from_value(event).unwrap(), &self.ports, budget).await;
        let failed = |m: &QueuedMessage| answer.batch_item_failures.iter().any(|f| f.item_identifier == m.id);
        batch.iter().map(|m| if failed(m) { Ended::Badly } else { Ended::Well }).collect()
    }

    fn after(&self, message: QueuedMessage, ended: Ended) {
        match ended {
            Ended::Well => {}
            Ended::Badly | Ended::Crashed if message.received < RECEIVES_MAX => self.queue.give_back(message, VISIBILITY),
            Ended::Badly | Ended::Crashed => self.queue.put(Which::DeadLetters, message.body, SignedDuration::ZERO),
        }
    }

    /// Says that a sweep was just now: the next one comes in a minute.
    pub fn swept(&mut self) {
        self.swept_at = Some(self.clock.now());
    }

    /// Runs the sweeper if its minute has come.
    pub async fn sweep_if_due(&mut self) {
        let now = self.clock.now();
        if self.swept_at.is_some_and(|at| now < at + SignedDuration::from_secs(60)) {
            return;
        }
        self.swept_at = Some(now);
        let budget = Budget::lasting(&*self.clock, SignedDuration::from_secs(40));
        tokio::select! {
            biased;
            () = self.gate.crashed() => {}
            // A sweep that fails is done again in a minute.
            _swept = sweeper::handle(&self.ports, budget) => {}
        }
    }

    /// Lets this long pass, delivering what falls due on the way. `check` sees the system after every turn.
    pub async fn run(&mut self, duration: SignedDuration, mut check: impl FnMut(&System)) {
        let end = self.clock.now() + duration;
        while self.clock.now() < end {
            self.sweep_if_due().await;
            self.deliver().await;
            check(self);
            let now = self.clock.now();
            let sweep = self.swept_at.unwrap_or(now) + SignedDuration::from_secs(60);
            let next =
                self.queue.next_due().map_or(sweep, |due| due.min(sweep)).max(now + SignedDuration::from_millis(100)).min(end.max(now));
            if next <= now {
                break;
            }
            self.clock.sleep(next.duration_since(now)).await;
        }
    }

    /// Stops everything.
    pub async fn store_halt(&self, reason: &str) {
        self.store.set_halt(None, None, Some(reason)).await.unwrap();
    }

    /// Whether nothing is under way: no message waits and every plan has ended.
    pub fn quiet(&self) -> bool {
        self.queue.is_empty() && self.store.plans().iter().all(|r| r.progress.outcome.is_some())
    }

    /// Instances that our plans have launched, with the plan that did.
    pub fn launched(&self) -> Vec<(String, InstanceId)> {
        let ours = |happened: &sim::world::Happened| match &happened.what {
            sim::world::What::Launched { by: sim::world::By::Us, instance, tags, .. } => {
                Some((tags.get("cloudoptim.io/plan").cloned().unwrap_or_default(), instance.clone()))
            }
            _ => None,
        };
        self.world.history().iter().filter_map(ours).collect()
    }
}

/// A customer.
pub fn a_customer(id: &CustomerId, now: Timestamp) -> Customer {
    Customer {
        id: id.clone(),
        company_name: "Example".to_owned(),
        email: "ops@example.com".to_owned(),
        external_id: format!("external-{id}"),
        status: CustomerStatus::Active,
        version: 1,
        created_at: now,
        updated_at: now,
    }
}

/// A registered cluster.
pub fn a_cluster(customer: &CustomerId, id: &ClusterId, account: &str, region: &str, now: Timestamp) -> Cluster {
    Cluster {
        id: id.clone(),
        customer: customer.clone(),
        name: id.to_string(),
        k8s_api_endpoint: "https://cluster.example".to_owned(),
        k8s_ca: None,
        k8s_token: None,
        k8s_token_expires_at: None,
        eks_cluster_name: None,
        aws_role_arn: format!("arn:aws:iam::{account}:role/CloudOptimRole"),
        account: account.to_owned().try_into().unwrap(),
        region: region.to_owned().try_into().unwrap(),
        sqs_queue_url: None,
        status: ClusterStatus::Connecting,
        status_reason: String::new(),
        node_count: 0,
        seen_at: None,
        policy: domain::policy::ClusterPolicy::default(),
        version: 1,
        created_at: now,
        updated_at: now,
    }
}
