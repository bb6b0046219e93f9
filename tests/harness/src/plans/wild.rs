//! A decision server that proposes whatever it likes of what can be believed, is sometimes down, and sometimes lies.

use async_trait::async_trait;
use domain::decision::verify::{self, Reference};
use domain::decision::{
    CONTRACT_VERSION, DecisionAnswer, DecisionRequest, DecisionType, LaunchSpec, Move, NodeIdentity, PredictRequest, Prediction,
    PredictionOutcome,
};
use domain::ids::NodeUid;
use domain::money::MicroDollars;
use domain::node::NodeOwner;
use domain::offering::{CapacityType, Offering, Pool};
use domain::ports::{Advisor, AdvisorError};
use domain::scheduling::Resources;
use domain::snapshot::{Snapshot, SnapshotNode};
use planning::public_data::Catalogue;
use sim::world::catalog;
use std::sync::{Mutex, PoisonError};

/// Proposes by the dice.
pub struct Wild(Mutex<fastrand::Rng>);

impl Wild {
    /// One that rolls these dice.
    pub fn new(rng: fastrand::Rng) -> Wild {
        Wild(Mutex::new(rng))
    }
}

/// The answer with these moves, its sums as the moves and the prices have them.
pub fn answer(request: &DecisionRequest, execution_plan: Vec<Move>) -> DecisionAnswer {
    let cost_before = request.snapshot.nodes.iter().map(price).sum();
    let estimated_saving = execution_plan.iter().map(|step| step.saving_per_hour).sum();
    DecisionAnswer {
        version: CONTRACT_VERSION,
        request_id: request.request_id.clone(),
        engine: "dice 1".to_owned(),
        execution_plan,
        estimated_saving,
        cost_before,
        cost_after: cost_before - estimated_saving,
        lower_bound: MicroDollars(0),
        reasons: Vec::new(),
        untouched: Vec::new(),
        rejected: Vec::new(),
        cursor: None,
    }
}

fn price(node: &SnapshotNode) -> MicroDollars {
    node.price.map_or(MicroDollars(0), |quote| quote.price_per_hour)
}

/// The name of a node that can be named.
pub fn identity(node: &SnapshotNode) -> Option<NodeIdentity> {
    Some(NodeIdentity { name: node.name.clone(), uid: node.uid.clone(), instance: node.instance.clone()? })
}

/// A launch of this type, best first, in the zone of a node.
pub fn launch(snapshot: &Snapshot, like: &SnapshotNode, instance_type: &str, capacities: &[CapacityType]) -> Option<LaunchSpec> {
    let zone = like.pool.as_ref()?.zone.clone();
    let subnet = snapshot.subnets.iter().find(|subnet| subnet.zone == zone)?.id.clone();
    let offering = |capacity: &CapacityType| {
        let pool = Pool { instance_type: instance_type.to_owned().try_into().ok()?, zone: zone.clone(), capacity: *capacity };
        let price = catalog::price(&pool.instance_type, pool.capacity);
        Some(Offering { pool, subnet: subnet.clone(), price_per_hour: Some(price) })
    };
    let offerings: Vec<Offering> = capacities.iter().filter_map(offering).collect();
    (!offerings.is_empty()).then(|| LaunchSpec { offerings, needs: Resources::default(), pods: 1 })
}

/// A move of these nodes: what comes has room for their pods in equal parts, and the saving is what the prices say.
pub fn a_move(snapshot: &Snapshot, nodes: &[&SnapshotNode], mut launch: Vec<LaunchSpec>) -> Move {
    let mut pods = 0;
    let mut needs = Resources::default();
    for placed in nodes.iter().flat_map(|node| &node.pods) {
        let class = &snapshot.classes[placed.class as usize];
        if class.moves() {
            needs.add(&class.requests, placed.count.into());
            pods += placed.count;
        }
    }
    let parts = launch.len().max(1) as u64;
    for spec in &mut launch {
        spec.needs = Resources::new(needs.cpu_millis.div_ceil(parts), needs.memory_bytes.div_ceil(parts));
        spec.pods = pods.div_ceil(u32::try_from(parts).unwrap_or(1));
    }
    let before: MicroDollars = nodes.iter().map(|node| price(node)).sum();
    let after: MicroDollars = launch.iter().filter_map(|spec| spec.offerings.first()?.price_per_hour).sum();
    Move {
        remove: nodes.iter().filter_map(|node| identity(node)).collect(),
        launch,
        saving_per_hour: before - after,
        cost_once: MicroDollars(0),
        pods_moved: pods,
        why: "The dice say so.".to_owned(),
    }
}

/// Of these moves the ones that are believed together, in their order.
fn believed(request: &DecisionRequest, moves: Vec<Move>) -> Vec<Move> {
    let public = Catalogue::embedded();
    let known = Reference { type_of: &|name| public.get(name).cloned(), on_demand: &|region, name| public.on_demand(region, name) };
    let mut kept = Vec::new();
    for wanted in moves {
        kept.push(wanted);
        if verify::answer(request, answer(request, kept.clone()), known).is_err() {
            kept.pop();
        }
    }
    kept
}

#[async_trait]
impl Advisor for Wild {
    async fn decide(&self, request: &DecisionRequest) -> Result<DecisionAnswer, AdvisorError> {
        let mut rng = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match rng.u8(..20) {
            0 => return Err(AdvisorError::Down("injected".to_owned())),
            1 => return Err(AdvisorError::Slow(10)),
            2 => return Err(AdvisorError::TooLarge(6 << 20)),
            _ => {}
        }
        let off = |node: &&SnapshotNode| !request.constraints.hands_off.iter().any(|off| off.node == node.name);
        let ours = |node: &&SnapshotNode| node.owner == NodeOwner::CloudOptim && node.price.is_some();
        let mut nodes: Vec<&SnapshotNode> = request.snapshot.nodes.iter().filter(ours).filter(off).collect();
        rng.shuffle(&mut nodes);
        let most = usize::try_from(request.constraints.nodes_max).unwrap_or(0).min(3);
        let mut moves = Vec::new();
        let mut left = nodes.into_iter().take(most);
        while let Some(first) = left.next() {
            let second = if rng.u8(..4) == 0 { left.next() } else { None };
            let gone: Vec<&SnapshotNode> = [Some(first), second].into_iter().flatten().collect();
            let cheap = [CapacityType::Spot, CapacityType::OnDemand];
            let kind = first.pool.as_ref().map_or("m6i.large", |pool| pool.instance_type.as_str()).to_owned();
            let launches = match request.decision_type {
                DecisionType::SpotOptimize => launch(&request.snapshot, first, &kind, &cheap).into_iter().collect(),
                DecisionType::BinPack if rng.bool() => Vec::new(),
                DecisionType::BinPack => launch(&request.snapshot, first, "m6i.large", &cheap).into_iter().collect(),
                DecisionType::Rightsize => launch(&request.snapshot, first, "m6i.large", &cheap[..1]).into_iter().collect(),
            };
            moves.push(a_move(&request.snapshot, &gone, launches));
        }
        let mut answered = answer(request, believed(request, moves));
        lie(&mut answered, request, &mut rng);
        Ok(answered)
    }

    async fn predict(&self, _request: &PredictRequest) -> Result<Vec<Prediction>, AdvisorError> {
        Ok(Vec::new())
    }

    /// It has promised nothing.
    async fn learn(&self, _outcomes: &[PredictionOutcome]) -> Result<(), AdvisorError> {
        Ok(())
    }
}

/// Sometimes the answer is wrong, in one of many ways.
fn lie(answered: &mut DecisionAnswer, request: &DecisionRequest, rng: &mut fastrand::Rng) {
    let way = rng.u8(..40);
    let first = answered.execution_plan.first_mut();
    match (way, first) {
        (0, _) => answered.request_id = "another".to_owned(),
        (1, _) => answered.version = 99,
        (2, Some(wanted)) => wanted.remove.iter_mut().for_each(|node| node.uid = NodeUid::parse("nobody").unwrap()),
        (3, Some(wanted)) => {
            let offerings = wanted.launch.iter_mut().flat_map(|spec| &mut spec.offerings);
            offerings.for_each(|offering| offering.price_per_hour = Some(MicroDollars(-1_000_000)));
        }
        (4, Some(wanted)) => wanted.remove.extend(request.snapshot.nodes.iter().filter_map(identity)),
        (5, Some(wanted)) => wanted.launch.iter_mut().for_each(|spec| spec.offerings.clear()),
        (6, Some(wanted)) => wanted.remove = request.constraints.hands_off.iter().filter_map(|off| named(request, off)).collect(),
        _ => {}
    }
}

fn named(request: &DecisionRequest, off: &domain::decision::HandsOff) -> Option<NodeIdentity> {
    request.snapshot.nodes.iter().find(|node| node.name == off.node).and_then(identity)
}
