//! From a move of the decision server to a plan, or to the reason why not. Pure.
//!
//! Nothing of a move is believed: nodes are looked up in the snapshot that the request carried, and the saving is worked out
//! from its prices.

use super::action::{Care, Which};
use super::check::{Blocked, Rule, blocked};
use super::{Action, NodeStake, OnFailure, Plan, PlanKey, PlanKind, Stakes, Step};
use crate::decision::{DecisionRequest, LaunchSpec, Move, NodeIdentity, capacity_allowed};
use crate::ids::{ClusterId, InstanceId, PlanId};
use crate::money::MicroDollars;
use crate::node::{NodeOwner, NodeRecord, NodeTarget, NodeTemplate};
use crate::policy::{AtDeadline, OptimizationPolicy};
use crate::scheduling::Resources;
use crate::snapshot::{Snapshot, SnapshotNode};
use crate::tenant::Cluster;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// How long a launched node may take to join (Karpenter's registration timeout), in seconds.
const JOIN_WITHIN_S: u32 = 900;
/// What a plan may take: 15 min for the launch with its lost answers, 15 to join, 15 to drain, and as much again for waiting.
const PLAN_WITHIN: SignedDuration = SignedDuration::from_mins(90);

/// What plans are made from, besides the moves.
#[derive(Debug, Clone, Copy)]
pub struct Draft<'a> {
    /// The cluster.
    pub cluster: &'a Cluster,
    /// What was asked: its snapshot is what the moves are held against.
    pub request: &'a DecisionRequest,
    /// What answered.
    pub engine: &'a str,
    /// The node index.
    pub records: &'a [NodeRecord],
    /// Now.
    pub now: Timestamp,
}

/// Makes the plan of one move: launch, wait until ready, cordon all nodes that go, drain them, end them last. The same request
/// and index lead to the same plan id.
///
/// # Errors
/// [`Blocked`]: the first rule that says no.
pub fn from_move(draft: &Draft<'_>, index: usize, wanted: &Move) -> Result<Plan, Blocked> {
    let nodes = going(draft, &wanted.remove)?;
    let offered = offered(draft, &wanted.launch)?;
    let policy = &draft.cluster.policy.optimization;
    let stakes = Stakes {
        decision: draft.request.decision_type,
        request_id: draft.request.request_id.clone(),
        snapshot_at: draft.request.snapshot.taken_at,
        nodes: nodes.iter().map(|(_, stake)| stake.clone()).collect(),
        overhead_per_hour: policy.node_overhead_per_hour,
        saving_min: MicroDollars::default(),
    };
    let stakes = Stakes { saving_min: saving_min(policy, &stakes), ..stakes };
    let saving = stakes.saving(offered);
    if saving < stakes.saving_min || saving <= MicroDollars::default() {
        let why = format!("the move saves {saving} per hour, and {} is the least that the policy asks for", stakes.saving_min);
        return Err(blocked(Rule::NotWorthIt, names(&wanted.remove), why));
    }
    let steps = steps(draft, wanted, &nodes)?;
    let key = PlanKey {
        customer: draft.cluster.customer.clone(),
        cluster: draft.cluster.id.clone(),
        plan: plan_id(&draft.cluster.id, &draft.request.request_id, index),
    };
    Ok(Plan {
        key,
        kind: PlanKind::of(draft.request.decision_type),
        reason: reason(wanted, saving),
        requested_by: format!("optimizer ({})", draft.engine),
        created_at: draft.now,
        deadline: draft.now.checked_add(PLAN_WITHIN).unwrap_or(Timestamp::MAX),
        on_failure: OnFailure::Unwind,
        steps,
        expected_saving: saving,
        evidence: evidence(draft, wanted, &stakes),
        stakes: Some(Box::new(stakes)),
    })
}

/// What a plan is called, from the request and the place of the move in its answer.
pub fn plan_id(cluster: &ClusterId, request_id: &str, index: usize) -> PlanId {
    let mut hash = Sha256::new();
    for part in [cluster.as_str(), request_id] {
        // Length first: "ab" + "c" and "a" + "bc" must differ.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let mut text = data_encoding::BASE32_NOPAD.encode(&hash.finalize()).to_ascii_lowercase();
    text.truncate(26);
    // Letters and digits: always an id.
    PlanId::parse(format!("opt-{text}-{index}")).unwrap_or_else(|_| super::unnamed())
}

/// The least that a plan must save per hour: the greater of the policy's two.
fn saving_min(policy: &OptimizationPolicy, stakes: &Stakes) -> MicroDollars {
    let share = stakes.cost().0.saturating_mul(i64::from(policy.saving_percent_min)) / 100;
    MicroDollars(share.max(policy.saving_per_hour_min.0))
}

type Going<'a> = (&'a SnapshotNode, NodeStake);

/// The nodes that go, each held against the snapshot.
fn going<'a>(draft: &Draft<'a>, remove: &[NodeIdentity]) -> Result<Vec<Going<'a>>, Blocked> {
    if remove.is_empty() {
        return Err(blocked(Rule::Malformed, "move", "the move takes no node away".to_owned()));
    }
    let mut seen: BTreeSet<&InstanceId> = BTreeSet::new();
    let mut nodes = Vec::with_capacity(remove.len());
    for identity in remove {
        if !seen.insert(&identity.instance) {
            return Err(blocked(Rule::Malformed, &identity.name, format!("the move names node {} twice", identity.name)));
        }
        nodes.push(gone(draft, identity)?);
    }
    Ok(nodes)
}

fn gone<'a>(draft: &Draft<'a>, identity: &NodeIdentity) -> Result<Going<'a>, Blocked> {
    let name = &identity.name;
    let no = |rule, why: String| Err(blocked(rule, name, why));
    let snapshot = &draft.request.snapshot;
    let Some(node) = snapshot.nodes.iter().find(|node| node.name == *name) else {
        return no(Rule::NodeUnknown, format!("node {name} is not in the cluster"));
    };
    if node.uid != identity.uid || node.instance.as_ref() != Some(&identity.instance) {
        return no(Rule::NodeUnknown, format!("the move names another node called {name}"));
    }
    if node.control_plane() {
        return no(Rule::ControlPlane, format!("node {name} runs the control plane"));
    }
    if node.owner != NodeOwner::CloudOptim {
        return no(Rule::NotOurs, format!("node {name} is another owner's: {}", owner(&node.owner)));
    }
    if node.do_not_disrupt {
        return no(Rule::DoNotDisrupt, format!("node {name} is marked to be left alone"));
    }
    if let Some(off) = draft.request.constraints.hands_off.iter().find(|off| off.node == *name) {
        return no(Rule::HandsOff, off.why.clone());
    }
    let (Some(pool), Some(price)) = (&node.pool, node.price.filter(|quote| quote.price_per_hour.0 > 0)) else {
        return no(Rule::PriceUnknown, format!("nobody knows what node {name} costs"));
    };
    let (carried, pods) = carried(snapshot, node);
    let stake = NodeStake {
        node: name.clone(),
        instance: identity.instance.clone(),
        pool: pool.clone(),
        price_per_hour: price.price_per_hour,
        carried,
        pods,
    };
    Ok((node, stake))
}

fn owner(owner: &NodeOwner) -> String {
    match owner {
        NodeOwner::AutoScalingGroup { group } => format!("Auto Scaling group {group}"),
        NodeOwner::ManagedNodeGroup { group } => format!("managed node group {group}"),
        NodeOwner::Karpenter { claim } => format!("Karpenter ({claim})"),
        NodeOwner::CloudOptim => "CloudOptim".to_owned(),
    }
}

/// What the pods that a drain moves request, and how many they are.
fn carried(snapshot: &Snapshot, node: &SnapshotNode) -> (Resources, u32) {
    let (mut sum, mut pods) = (Resources::default(), 0_u32);
    for placed in &node.pods {
        let class = usize::try_from(placed.class).ok().and_then(|index| snapshot.classes.get(index));
        if let Some(class) = class.filter(|class| class.moves()) {
            sum.add(&class.requests, u64::from(placed.count));
            pods = pods.saturating_add(placed.count);
        }
    }
    (sum, pods)
}

/// The prices of the first offerings, each offering held against what the cluster has and the policy allows.
fn offered(draft: &Draft<'_>, launch: &[LaunchSpec]) -> Result<Vec<MicroDollars>, Blocked> {
    let policy = &draft.cluster.policy.optimization;
    let mut prices = Vec::with_capacity(launch.len());
    for (place, spec) in launch.iter().enumerate() {
        let object = format!("launch {place}");
        let Some(first) = spec.offerings.first() else {
            return Err(blocked(Rule::Malformed, object, format!("launch {place} of the move has no offering")));
        };
        for offering in &spec.offerings {
            let pool = &offering.pool;
            if offering.price_per_hour.is_none_or(|price| price.0 <= 0) {
                return Err(blocked(Rule::PriceUnknown, object, format!("nobody knows what {pool} costs")));
            }
            if !capacity_allowed(&policy.capacity, pool.capacity) {
                return Err(blocked(Rule::Policy, object, format!("the policy does not allow {}", pool.capacity.as_str())));
            }
            let known = draft.request.snapshot.subnets.iter().any(|subnet| subnet.id == offering.subnet && subnet.zone == pool.zone);
            if !known {
                let why = format!("the cluster has no subnet {} in {}", offering.subnet, pool.zone);
                return Err(blocked(Rule::Policy, object, why));
            }
        }
        prices.push(first.price_per_hour.unwrap_or_default());
    }
    Ok(prices)
}

/// Launches first, each with its wait; all cordons behind all waits, all drains behind all cordons, all ends behind all drains.
fn steps(draft: &Draft<'_>, wanted: &Move, nodes: &[Going<'_>]) -> Result<Vec<Step>, Blocked> {
    let mut steps = Vec::with_capacity(wanted.launch.len() * 2 + nodes.len() * 3);
    for (place, spec) in wanted.launch.iter().enumerate() {
        // A replacement is made like a node that goes: the nth like the nth, and what is more like the last.
        let model = nodes.get(place).or_else(|| nodes.last()).map(|(_, stake)| &stake.instance);
        let template = template(draft, model)?;
        let replaces = draft.records.iter().find(|record| Some(&record.key.instance) == model).map(|record| record.key.clone());
        let at = steps.len();
        steps.push(step(Action::LaunchNode { template: Box::new(template), offerings: spec.offerings.clone(), replaces }, Vec::new()));
        steps.push(step(Action::AwaitReady { of: Which::LaunchedBy(at), within_s: JOIN_WITHIN_S }, vec![at]));
    }
    let ready: Vec<usize> = (0..wanted.launch.len()).map(|place| place * 2 + 1).collect();
    let targets: Vec<NodeTarget> = nodes.iter().map(|(node, stake)| target(node, stake)).collect();
    let mut before = ready;
    let rounds: [fn(NodeTarget) -> Action; 3] = [cordon, drain, terminate];
    for round in rounds {
        let begin = steps.len();
        steps.extend(targets.iter().map(|node| step(round(node.clone()), before.clone())));
        before = (begin..steps.len()).collect();
    }
    Ok(steps)
}

fn cordon(node: NodeTarget) -> Action {
    Action::Cordon { node }
}

fn drain(node: NodeTarget) -> Action {
    Action::Drain { node, care: Care::Voluntary, at_deadline: AtDeadline::Leave }
}

fn terminate(node: NodeTarget) -> Action {
    Action::Terminate { node }
}

fn step(action: Action, after: Vec<usize>) -> Step {
    Step { action, after, after_unless_forced: Vec::new() }
}

fn target(node: &SnapshotNode, stake: &NodeStake) -> NodeTarget {
    NodeTarget { name: node.name.clone(), uid: Some(node.uid.clone()), instance: stake.instance.clone(), taints: node.taints.clone() }
}

/// How a replacement is made: as the customer says, else as the node that goes was made.
fn template(draft: &Draft<'_>, model: Option<&InstanceId>) -> Result<NodeTemplate, Blocked> {
    if let Some(named) = &draft.cluster.policy.launch_template {
        return Ok(NodeTemplate::LaunchTemplate { id: named.id.clone(), version: named.version.clone() });
    }
    let own = draft.records.iter().find(|record| Some(&record.key.instance) == model).and_then(|record| record.template.clone());
    own.ok_or_else(|| {
        let object = model.map(ToString::to_string).unwrap_or_default();
        let why = format!("nobody knows how a node like {object} is made; name a launch template in the cluster's policy");
        blocked(Rule::NoTemplate, object, why)
    })
}

fn names(remove: &[NodeIdentity]) -> String {
    remove.iter().map(|node| node.name.as_str()).collect::<Vec<_>>().join(", ")
}

fn reason(wanted: &Move, saving: MicroDollars) -> String {
    let come = match wanted.launch.len() {
        0 => "no node takes its place".to_owned(),
        1 => "one node takes the place".to_owned(),
        many => format!("{many} nodes take the place"),
    };
    format!("{} goes and {come}: {saving} per hour. {}", names(&wanted.remove), wanted.why)
}

fn evidence(draft: &Draft<'_>, wanted: &Move, stakes: &Stakes) -> Vec<String> {
    let mut lines = vec![format!(
        "Decided on what the cluster was at {}, by {} (request {}).",
        stakes.snapshot_at, draft.engine, draft.request.request_id
    )];
    for node in &stakes.nodes {
        lines.push(format!("Node {} is a {} at {} per hour and carries {} pods.", node.node, node.pool, node.price_per_hour, node.pods));
    }
    for spec in &wanted.launch {
        let first = spec.offerings.first().map(|offering| (offering.pool.to_string(), offering.price_per_hour.unwrap_or_default()));
        let (pool, price) = first.unwrap_or_default();
        lines.push(format!("A {pool} at {price} per hour takes {} pods; {} offerings are known.", spec.pods, spec.offerings.len()));
    }
    lines.push(format!("Below {} per hour the plan is not worth its disruption.", stakes.saving_min));
    lines
}

#[cfg(test)]
pub(crate) mod tests;
