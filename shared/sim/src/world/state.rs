//! What a world consists of.

mod objects;

pub(crate) use objects::{Budget, Claim, Pod, Scaler, Sort, Workload};

use super::catalog::TypeSpec;
use super::daily::Day;
use super::happened::{Happened, What};
use super::market::{Market, Warning};
use super::minted;
use super::pod_table::Pods;
use super::spec::{ClusterSpec, Timing};
use crate::world::agenda::Due;
use crate::world::services::Services;
use crate::world::sizes::Sizing;
use domain::decision::Commitment;
use domain::ids::{AccountId, ClusterId, InstanceId, InstanceType, NodeName, NodeUid, PodUid, Region, SubnetId, Zone};
use domain::market::Advice;
use domain::money::MicroDollars;
use domain::node::{NodeOwner, NodeTemplate, Taint};
use domain::offering::Pool;
use domain::ports::InstanceState;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// An EC2 instance.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    pub(crate) id: InstanceId,
    pub(crate) cluster: Option<usize>,
    pub(crate) account: AccountId,
    pub(crate) region: Region,
    pub(crate) pool: Pool,
    pub(crate) subnet: SubnetId,
    pub(crate) owner: NodeOwner,
    pub(crate) state: InstanceState,
    pub(crate) launched_at: Timestamp,
    pub(crate) visible_from: Timestamp,
    pub(crate) ended_at: Option<Timestamp>,
    /// When it began to end: it is paid for until then.
    pub(crate) stopped_at: Option<Timestamp>,
    pub(crate) token: Option<String>,
    pub(crate) dns: NodeName,
    pub(crate) state_reason: Option<String>,
    pub(crate) marked: Option<Timestamp>,
    pub(crate) hook: Option<Hook>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) user_data: String,
    /// Its owner has been told to replace it.
    pub(crate) replaced: bool,
}

/// A lifecycle action that waits.
#[derive(Debug, Clone)]
pub(crate) struct Hook {
    pub(crate) group: String,
    pub(crate) name: String,
    pub(crate) token: String,
}

/// What RunInstances compares when a token comes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) template: NodeTemplate,
    pub(crate) pool: Pool,
    pub(crate) subnet: SubnetId,
    pub(crate) tags: BTreeMap<String, String>,
}

/// A Node object.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) name: NodeName,
    pub(crate) uid: NodeUid,
    pub(crate) instance: InstanceId,
    pub(crate) zone: Zone,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) taints: Vec<Taint>,
    pub(crate) unschedulable: bool,
    pub(crate) ready: bool,
    /// Its instance is gone: no kubelet runs there any more.
    pub(crate) dead: bool,
    pub(crate) cpu_millis: u64,
    pub(crate) memory_bytes: u64,
    pub(crate) pods_max: u32,
    pub(crate) extended: BTreeMap<String, u64>,
    pub(crate) created_at: Timestamp,
    pub(crate) rv: u64,
}

impl Node {
    pub(crate) fn provider_id(&self) -> String {
        format!("aws:///{}/{}", self.zone, self.instance)
    }
}

/// One change of an object, for watches.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) rv: u64,
    /// `nodes` or `pods`.
    pub(crate) resource: &'static str,
    /// `ADDED`, `MODIFIED` or `DELETED`.
    pub(crate) kind: &'static str,
    pub(crate) object: Value,
}

/// A cluster.
#[derive(Debug)]
pub(crate) struct Kube {
    pub(crate) spec: ClusterSpec,
    pub(crate) subnets: BTreeMap<Zone, SubnetId>,
    pub(crate) nodes: BTreeMap<NodeName, Node>,
    pub(crate) pods: Pods,
    /// By namespace and name.
    pub(crate) claims: BTreeMap<(String, String), Claim>,
    pub(crate) workloads: Vec<Workload>,
    pub(crate) budgets: Vec<Budget>,
    pub(crate) scalers: Vec<Scaler>,
    /// Annotations of namespaces.
    pub(crate) notes: BTreeMap<String, BTreeMap<String, String>>,
    /// How many volumes went because their workload was made smaller.
    pub(crate) volumes_lost: u32,
    pub(crate) settling: bool,
    pub(crate) rv: u64,
    /// Changes are logged only where somebody serves the cluster.
    pub(crate) served: bool,
    pub(crate) log: VecDeque<Change>,
    /// Watches from before this version are answered 410.
    pub(crate) log_from: u64,
    /// What SelfSubjectAccessReview denies and the served API forbids, as `verb resource`.
    pub(crate) denied: BTreeSet<String>,
    pub(crate) terminating_namespaces: BTreeSet<String>,
    /// Names that the next nodes get.
    pub(crate) next_names: VecDeque<NodeName>,
    /// How many of the next lists of pods expire half way.
    pub(crate) lists_expire: u32,
    /// Where the scheduler begins to look for nodes.
    pub(crate) search_from: usize,
    /// Whether bindings are judged, and what was wrong with them.
    pub(crate) judged: bool,
    pub(crate) misplaced: Vec<String>,
    pub(crate) day: Option<Day>,
    pub(crate) sizing: Sizing,
    pub(crate) services: Services,
}

/// The whole world.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) now: Timestamp,
    pub(crate) rng: fastrand::Rng,
    pub(crate) serial: u64,
    pub(crate) agenda: BTreeMap<(Timestamp, u64), Due>,
    pub(crate) timing: Timing,
    pub(crate) clusters: Vec<Kube>,
    pub(crate) machines: BTreeMap<InstanceId, Machine>,
    pub(crate) tokens: BTreeMap<(AccountId, Region, String, Zone), (Asked, InstanceId)>,
    pub(crate) capacity: BTreeMap<Pool, u32>,
    pub(crate) types: BTreeMap<InstanceType, TypeSpec>,
    pub(crate) market: Option<Market>,
    pub(crate) warnings: Vec<Warning>,
    /// Prices that were set by hand; these pools do not follow the market.
    pub(crate) prices: BTreeMap<Pool, Vec<(Timestamp, MicroDollars)>>,
    /// Reserved instances, by account and Region.
    pub(crate) reserved: Vec<(AccountId, Region, Commitment)>,
    /// What the Spot Advisor says, by type.
    pub(crate) advice: BTreeMap<InstanceType, Advice>,
    pub(crate) history: Vec<Happened>,
    pub(crate) calls: BTreeMap<&'static str, u64>,
    pub(crate) estates: super::estate::Estates,
}

impl State {
    pub(crate) fn new(now: Timestamp, seed: u64) -> State {
        State {
            now,
            rng: fastrand::Rng::with_seed(seed),
            serial: 0,
            agenda: BTreeMap::new(),
            timing: Timing::default(),
            clusters: Vec::new(),
            machines: BTreeMap::new(),
            tokens: BTreeMap::new(),
            capacity: BTreeMap::new(),
            types: BTreeMap::new(),
            market: None,
            warnings: Vec::new(),
            prices: BTreeMap::new(),
            reserved: Vec::new(),
            advice: BTreeMap::new(),
            history: Vec::new(),
            calls: BTreeMap::new(),
            estates: super::estate::Estates::default(),
        }
    }

    pub(crate) fn serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// The time after this long.
    pub(crate) fn after(&self, duration: SignedDuration) -> Timestamp {
        self.now.checked_add(duration).unwrap_or(Timestamp::MAX)
    }

    pub(crate) fn plan(&mut self, at: Timestamp, due: Due) {
        let serial = self.serial();
        self.agenda.insert((at, serial), due);
    }

    /// Enters something into the history.
    pub(crate) fn note(&mut self, cluster: Option<usize>, what: What) {
        let cluster = cluster.and_then(|c| self.clusters.get(c)).map(|kube| kube.spec.id.clone());
        self.history.push(Happened { at: self.now, cluster, what });
    }

    pub(crate) fn position(&self, cluster: &ClusterId) -> Option<usize> {
        self.clusters.iter().position(|kube| kube.spec.id == *cluster)
    }

    /// A cluster that must be there.
    pub(crate) fn known(&self, cluster: &ClusterId) -> usize {
        self.position(cluster).unwrap_or_else(|| panic!("cluster {cluster} is not part of this world"))
    }

    /// A uid as the API server makes them.
    pub(crate) fn uid(&mut self) -> String {
        let (a, b) = (self.rng.u64(..), self.rng.u64(..));
        format!("{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}", a >> 32, a >> 16 & 0xffff, a & 0xfff, b >> 52, b & 0xffff_ffff_ffff)
    }

    pub(crate) fn pod_uid(&mut self) -> PodUid {
        minted(self.uid())
    }

    pub(crate) fn instance_id(&mut self) -> InstanceId {
        loop {
            let id: InstanceId = minted(format!("i-0{:016x}", self.rng.u64(..)));
            if !self.machines.contains_key(&id) {
                return id;
            }
        }
    }

    /// The suffix of a generated name.
    pub(crate) fn suffix(&mut self, length: usize) -> String {
        const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        (0..length).map(|_| LETTERS.get(self.rng.usize(..LETTERS.len())).copied().map_or('x', char::from)).collect()
    }
}
