//! Optimising in the simulated world: a surveyor and decision servers for laws, and the laws that plans of the optimizer keep.

use crate::system::System;
use async_trait::async_trait;
use domain::ids::{ClusterId, CustomerId, InstanceId};
use domain::market::{PriceSource, Quote};
use domain::money::MicroDollars;
use domain::node::{NodeOwner, NodeView};
use domain::optimization::ProposalState;
use domain::plan::precondition::CLUSTER_TAG;
use domain::plan::{Outcome, PlanRecord};
use domain::pod::PodView;
use domain::policy::{ClusterPolicy, DisruptionBudget, Mode};
use domain::ports::{Advisor, Instance, InstanceFilter, Registry};
use domain::scheduling::{Resources, Scheduling};
use domain::snapshot::{Part, Placed, PodClass, SNAPSHOT_VERSION, Snapshot, SnapshotNode, Subnet};
use execution::Ports;
use execution::optimize::{Optimizer, Settings, Surveyed, Surveyor, Unseen};
use execution::ports::Site;
use sim::faults::{FaultyLedger, FaultyOptimizations, FaultyRounds};
use sim::world::{By, NodeSpec, What, catalog};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub mod mixed;
pub mod one_plan;
pub mod one_size;
pub mod wild;

/// Looks at the simulated world through the ports, one class for each pod.
pub struct WorldSurveyor(pub Ports);

#[async_trait]
impl Surveyor for WorldSurveyor {
    async fn survey(&self, site: &Site) -> Result<Surveyed, Unseen> {
        let unseen = |error: &dyn std::fmt::Display| Unseen(error.to_string());
        let taken_at = self.0.clock.now();
        let cluster = site.kubernetes.as_ref().map_err(|e| unseen(e))?;
        let nodes = cluster.nodes().await.map_err(|e| unseen(&e))?;
        let pods = cluster.pods(None).await.map_err(|e| unseen(&e))?;
        let budgets = cluster.pod_budgets().await.ok();
        let filter = InstanceFilter::Cluster(site.cluster.name.clone());
        let instances = self.0.cloud.instances(&site.scope, &filter).await.map_err(|e| unseen(&e))?;
        let records = self.0.routes.nodes(&site.cluster.customer, &site.cluster.id).await.map_err(|e| unseen(&e))?;
        let owners: BTreeMap<InstanceId, NodeOwner> = records.into_iter().map(|r| (r.key.instance, r.owner)).collect();
        let classes: Vec<PodClass> = pods.iter().map(class).collect();
        let nodes = nodes.iter().map(|node| snapshot_node(node, &pods, &instances, &owners, taken_at)).collect();
        let subnet = |i: &Instance| Some(Subnet { id: i.subnet.clone()?, zone: i.pool.zone.clone() });
        let mut subnets: Vec<Subnet> = instances.iter().filter_map(subnet).collect();
        subnets.sort_by(|a, b| a.id.cmp(&b.id));
        subnets.dedup();
        let part = |name: &str| Part { name: name.to_owned(), taken_at, gap: None };
        let snapshot = Snapshot {
            version: SNAPSHOT_VERSION,
            cluster: site.cluster.id.clone(),
            region: site.cluster.region.clone(),
            taken_at,
            subnets,
            nodes,
            classes,
            pending: Vec::new(),
            budgets,
            parts: vec![part("nodes"), part("pods"), part("instances"), part("prices")],
        };
        let containers = cluster.containers().await.ok();
        Ok(Surveyed { snapshot, prices: Vec::new(), commitments: Vec::new(), instances, containers })
    }
}

fn class(pod: &PodView) -> PodClass {
    PodClass {
        namespace: pod.pod.namespace.clone(),
        controller: pod.controller.clone(),
        labels: pod.labels.clone(),
        requests: Resources::new(pod.cpu_millis, pod.memory_bytes),
        scheduling: Scheduling::default(),
        priority: pod.priority,
        grace_s: pod.grace_s,
        do_not_disrupt: pod.do_not_disrupt,
        daemon: pod.controller.as_ref().is_some_and(|c| c.kind == "DaemonSet"),
        mirror: pod.mirror,
        empty_dir: pod.empty_dir,
        arches: Vec::new(),
        usage: None,
    }
}

fn snapshot_node(
    node: &NodeView,
    pods: &[PodView],
    instances: &[Instance],
    owners: &BTreeMap<InstanceId, NodeOwner>,
    at: domain::Timestamp,
) -> SnapshotNode {
    let instance = node.instance();
    let pool = instances.iter().find(|i| Some(&i.id) == instance.as_ref()).map(|i| i.pool.clone());
    let price = pool.as_ref().map(|pool| catalog::price(&pool.instance_type, pool.capacity));
    let owner = instance.as_ref().and_then(|id| owners.get(id)).cloned().unwrap_or(NodeOwner::CloudOptim);
    let placed = |(index, pod): (usize, &PodView)| {
        let here = pod.node.as_ref() == Some(&node.name) && !pod.finished();
        here.then(|| Placed { class: u32::try_from(index).unwrap_or(0), count: 1 })
    };
    SnapshotNode {
        name: node.name.clone(),
        uid: node.uid.clone(),
        instance,
        pool,
        owner,
        labels: node.labels.clone(),
        taints: node.taints.clone(),
        unschedulable: node.unschedulable,
        ready: node.ready,
        do_not_disrupt: false,
        allocatable: Resources::new(node.cpu_millis, node.memory_bytes),
        pods_max: node.pods_max,
        usage: None,
        price: price.map(|price_per_hour| Quote { price_per_hour, source: PriceSource::Observed { at } }),
        created_at: node.created_at,
        last_pod_event_at: None,
        pods: pods.iter().enumerate().filter_map(placed).collect(),
    }
}

/// The optimizer of a system, behind the same gate as everything else.
pub fn optimizer(system: &System, advisor: Arc<dyn Advisor>) -> Optimizer {
    use domain::decision::DecisionType;
    Optimizer {
        ports: system.ports.clone(),
        optimizations: FaultyOptimizations::new(system.store.clone(), system.gate.clone()),
        ledger: FaultyLedger::new(system.store.clone(), system.gate.clone()),
        rounds: FaultyRounds::new(system.queue.clone(), system.gate.clone()),
        advisor,
        surveyor: Arc::new(WorldSurveyor(system.ports.clone())),
        sizing: None,
        settings: Settings {
            interval: domain::SignedDuration::from_mins(10),
            enabled: vec![DecisionType::SpotOptimize, DecisionType::BinPack, DecisionType::Rightsize],
        },
    }
}

/// A node whose instance we may end.
pub fn endable(mut spec: NodeSpec, cluster: &str) -> NodeSpec {
    spec.tags.insert(CLUSTER_TAG.to_owned(), cluster.to_owned());
    spec
}

/// Changes what the customer allows.
pub async fn allow(system: &System, customer: &CustomerId, cluster: &ClusterId, change: impl FnOnce(&mut ClusterPolicy)) {
    let mut record = system.store.cluster(customer, cluster).await.unwrap().unwrap();
    change(&mut record.policy);
    record.version += 1;
    system.store.put_cluster(&record, Some(record.version - 1)).await.unwrap();
}

/// Plans of the optimizer in the journal.
pub fn voluntary(system: &System) -> Vec<PlanRecord> {
    system.store.plans().into_iter().filter(|record| record.plan.kind.voluntary()).collect()
}

/// At no time are more nodes cordoned to save money than the budget allows.
///
/// # Errors
/// How many there are.
pub fn within_budget(system: &System, cluster: &ClusterId, allowed: usize) -> Result<(), String> {
    let mut open: Vec<PlanRecord> = Vec::new();
    let mut many = 0;
    system.store.visit_plans(|record| {
        if record.plan.kind.voluntary() && record.progress.outcome.is_none() {
            many += record.plan.stakes.as_ref().map_or(0, |stakes| stakes.nodes.len());
        }
    });
    // Fewer nodes than the budget allows cannot break it, and there is nothing to copy.
    if many <= allowed {
        return Ok(());
    }
    open.extend(voluntary(system).into_iter().filter(|record| record.progress.outcome.is_none()));
    let ours: BTreeSet<&str> = open.iter().map(|r| r.plan.key.plan.as_str()).collect();
    let going: BTreeSet<&str> =
        open.iter().filter_map(|r| r.plan.stakes.as_ref()).flat_map(|s| &s.nodes).map(|n| n.node.as_str()).collect();
    let nodes = system.world.nodes(cluster);
    let cordoned = nodes.iter().filter(|node| {
        let by = node.cordoned_by.as_deref().is_some_and(|plan| ours.contains(&plan));
        node.unschedulable && by && going.contains(node.name.as_str())
    });
    match cordoned.count() {
        many if many > allowed => Err(format!("{many} nodes are cordoned to save money, and {allowed} may be")),
        _ => Ok(()),
    }
}

/// Savings are told of what has happened, and of nothing else; every proposal has come to its end.
///
/// # Errors
/// The law that was broken.
pub fn savings_are_true(system: &System) -> Result<(), String> {
    let ended: BTreeSet<InstanceId> = system
        .world
        .history()
        .into_iter()
        .filter_map(|happened| match happened.what {
            What::Terminated { instance, by: By::Us, .. } => Some(instance),
            _ => None,
        })
        .collect();
    let mut sums = MicroDollars::default();
    let mut entered = 0;
    for proposal in system.store.all_proposals() {
        let key = &proposal.plan.key.plan;
        let (outcome, saved) = match &proposal.state {
            ProposalState::Ended { outcome, saved_per_hour, .. } => (outcome, *saved_per_hour),
            ProposalState::Opened => return Err(format!("plan {key} was decided and has not come to its end")),
            _ => continue,
        };
        let stakes = proposal.plan.stakes.as_ref().ok_or("a proposal without stakes")?;
        let gone = stakes.nodes.iter().filter(|node| ended.contains(&node.instance)).count();
        if saved != MicroDollars::default() && gone == 0 {
            return Err(format!("plan {key} tells of {saved} and has ended nothing ({outcome:?})"));
        }
        if saved > stakes.cost() {
            return Err(format!("plan {key} tells of {saved}, and its nodes cost {}", stakes.cost()));
        }
        match outcome {
            Outcome::RolledBack { .. } | Outcome::Cancelled { .. } if saved != MicroDollars::default() => {
                return Err(format!("plan {key} was taken back and tells of {saved}"));
            }
            _ => {}
        }
        sums = sums + saved;
        entered += u64::from(saved != MicroDollars::default());
    }
    let books: MicroDollars = system.store.all_books().iter().flat_map(|books| books.per_hour.values().copied()).sum();
    let plans: u64 = system.store.all_books().iter().map(|books| books.plans).sum();
    if books != sums || plans < entered {
        return Err(format!("the books say {books} of {plans} plans, and the plans say {sums} of {entered}"));
    }
    Ok(())
}

/// Optimising in a world that is drawn from a seed: with a server that rolls dice, in modes and under budgets that are drawn, too.
pub struct BySeed {
    rng: fastrand::Rng,
    customer: CustomerId,
    cluster: ClusterId,
    rounds: u32,
    allowed: usize,
}

impl BySeed {
    /// In one of twelve worlds: joins the system. Such a world costs several times as much as another.
    pub async fn join(system: &mut System, customer: &CustomerId, cluster: &ClusterId, seed: u64) -> Option<BySeed> {
        let mut rng = fastrand::Rng::with_seed(seed ^ 0x5bd1_e995_97f4_a7c5);
        if rng.u8(..12) != 0 {
            return None;
        }
        let percent = rng.choice([10, 34, 50, 100]).unwrap_or(10);
        let budget = DisruptionBudget { nodes_percent_max: percent, nodes_max: 5 };
        let mut mode = || if rng.u8(..4) == 0 { Mode::Approve } else { Mode::Auto };
        let modes = [mode(), mode(), mode()];
        allow(system, customer, cluster, |policy| {
            policy.budget = budget;
            policy.optimization.spot = modes[0];
            policy.optimization.bin_packing = modes[1];
            policy.optimization.rightsizing = modes[2];
            policy.optimization.saving_percent_min = 1;
            policy.optimization.cool_down_minutes = 5;
        })
        .await;
        system.optimizer = Some(optimizer(system, Arc::new(wild::Wild::new(rng.fork()))));
        Some(BySeed { rng, customer: customer.clone(), cluster: cluster.clone(), rounds: 0, allowed: budget.allowed(12) })
    }

    /// Asks for a round, sometimes twice under the same name.
    pub fn ask(&mut self, system: &System) {
        self.rounds += u32::from(self.rng.u8(..4) != 0);
        let round = domain::optimization::Round {
            customer: self.customer.clone(),
            cluster: self.cluster.clone(),
            round: format!("s{}", self.rounds),
            asked_by: "the seed".to_owned(),
            types: Vec::new(),
            dry_run: false,
            nodes: None,
        };
        let body = serde_json::to_string(&round).unwrap_or_default();
        system.queue.put(sim::store::Which::Rounds, body, domain::SignedDuration::from_secs(self.rng.i64(0..20)));
    }

    /// Asks for a round that only enters what has ended.
    pub fn last(&mut self, system: &System) {
        let round = domain::optimization::Round {
            customer: self.customer.clone(),
            cluster: self.cluster.clone(),
            round: "last".to_owned(),
            asked_by: "the seed".to_owned(),
            types: vec![domain::decision::DecisionType::BinPack],
            dry_run: true,
            nodes: None,
        };
        let body = serde_json::to_string(&round).unwrap_or_default();
        system.queue.put(sim::store::Which::Rounds, body, domain::SignedDuration::ZERO);
    }

    /// Judges what plans do while it happens.
    ///
    /// # Errors
    /// The law that was broken.
    pub fn look(&self, system: &System, watch: &mut sim::checkers::Watch) -> Result<(), String> {
        system.store.visit_plans(|record| {
            if record.plan.kind.voluntary() {
                watch.planned(&record.plan);
            }
        });
        within_budget(system, &self.cluster, self.allowed)
    }
}
