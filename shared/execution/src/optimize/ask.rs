//! What the decision server is asked, and what it must leave alone.

use super::{Optimizer, Surveyed};
use crate::ports::{Site, Trouble};
use domain::Timestamp;
use domain::decision::{CONTRACT_VERSION, Commitment, Constraints, DecisionRequest, DecisionType, HandsOff, PoolPrice};
use domain::ids::{InstanceId, NodeName, RunId};
use domain::offering::Pool;
use domain::optimization::{Proposal, ProposalState, Run, Standing};
use domain::plan::PlanRecord;
use domain::plan::check::in_disruption;
use domain::plan::precondition::{CLUSTER_TAG, PROTECT_TAG};
use domain::ports::Instance;
use domain::sizing::PodContainers;
use domain::snapshot::Snapshot;
use domain::tenant::Halt;
use std::collections::BTreeSet;

/// What one round has read, for all its types.
#[derive(Debug, Clone, Default)]
pub(super) struct View {
    /// The snapshot, or why there is none.
    pub(super) snapshot: Option<Result<Snapshot, String>>,
    /// Live prices of pools.
    pub(super) prices: Vec<PoolPrice>,
    /// What is paid for in any case: by EC2's word, and by the customer's.
    pub(super) commitments: Vec<Commitment>,
    /// The instances of the cluster, with their tags.
    pub(super) instances: Vec<Instance>,
    /// The containers of the pods of the snapshot, where they were listed with it.
    pub(super) containers: Option<Vec<PodContainers>>,
    /// Nodes that an earlier type of this round has spoken of: one lever for each.
    pub(super) spoken: Vec<HandsOff>,
    /// Runs that lead to nothing: written together when the round is over.
    pub(super) nothing: Vec<Run>,
    /// Open proposals and plans, as long as this round has written none.
    pub(super) open: Option<Open>,
    /// What stops the cluster, once it was looked.
    pub(super) halted: Option<Option<Halt>>,
    /// Pools without capacity, once they were looked at.
    pub(super) avoid: Option<Vec<Pool>>,
    /// What stands between rounds: as it was read, and as it will be written.
    pub(super) standing: Option<[Standing; 2]>,
}

/// What is open in a cluster.
#[derive(Debug, Clone, Default)]
pub(super) struct Open {
    pub(super) proposals: Vec<Proposal>,
    pub(super) plans: Vec<PlanRecord>,
}

/// What one decision rests on besides the snapshot.
#[derive(Debug, Clone)]
pub(super) struct Ground {
    pub(super) proposals: Vec<Proposal>,
    pub(super) plans: Vec<PlanRecord>,
    pub(super) constraints: Constraints,
}

impl Ground {
    /// Proposals of this type that a person has agreed to.
    pub(super) fn approved(&self, decision: DecisionType) -> impl Iterator<Item = &Proposal> {
        let of_type = move |p: &&Proposal| p.plan.stakes.as_ref().is_some_and(|stakes| stakes.decision == decision);
        self.proposals.iter().filter(|p| matches!(p.state, ProposalState::Approved { .. })).filter(of_type)
    }
}

impl Optimizer {
    /// Looks at the cluster, once a round.
    pub(super) async fn see(&self, site: &Site, view: &mut View) -> Result<Snapshot, String> {
        if view.snapshot.is_none() {
            view.snapshot = Some(self.survey(site, view).await);
        }
        let seen = view.snapshot.clone().unwrap_or_else(|| Err("the cluster was not looked at".to_owned()))?;
        let most = i64::from(site.cluster.policy.optimization.snapshot_age_max_s);
        let age = self.ports.clock.now().duration_since(seen.taken_at).as_secs();
        if age > most {
            return Err(format!("the snapshot is {age} s old, and {most} s are allowed"));
        }
        Ok(seen)
    }

    async fn survey(&self, site: &Site, view: &mut View) -> Result<Snapshot, String> {
        let Surveyed { snapshot, prices, commitments, instances, containers } =
            self.surveyor.survey(site).await.map_err(|unseen| unseen.to_string())?;
        if snapshot.cluster != site.cluster.id {
            return Err("the snapshot is of another cluster".to_owned());
        }
        view.instances = instances;
        view.containers = containers;
        view.prices = prices;
        view.commitments = commitments;
        view.commitments.extend(site.cluster.policy.optimization.commitments.iter().cloned());
        Ok(snapshot)
    }

    /// Reads what must be left alone.
    pub(super) async fn ground(&self, site: &Site, view: &mut View, decision: DecisionType) -> Result<Ground, Trouble> {
        let now = self.ports.clock.now();
        let (open, standing, avoid) =
            futures::try_join!(self.opened(site, &view.open), self.standing(site, &view.standing), self.avoided(site, &view.avoid, now))?;
        (view.open, view.avoid, view.standing) = (Some(open.clone()), Some(avoid.clone()), Some(standing.clone()));
        let (Open { proposals, plans }, [_, standing]) = (open, standing);
        // The first reason stands: what is over comes before what is under way, and that before what waits.
        let mut hands_off = ended(view);
        hands_off.extend(plans.iter().flat_map(in_a_plan));
        hands_off.extend(proposals.iter().flat_map(waiting));
        hands_off.extend(standing.hands_off(now));
        hands_off.extend(view.spoken.iter().cloned());
        hands_off.extend(untouchable(view));
        let mut seen = BTreeSet::new();
        hands_off.retain(|off| seen.insert(off.node.clone()));
        let constraints = Constraints {
            now: Some(now),
            nodes_max: nodes_max(site, view, &plans),
            hands_off,
            avoid,
            prices: view.prices.clone(),
            commitments: view.commitments.clone(),
            cursor: standing.cursor(decision).cloned(),
            // Each run is kept, and its reasons are what people read first.
            account: true,
        };
        Ok(Ground { proposals, plans, constraints })
    }

    /// What is open, as far as this round does not know it.
    pub(super) async fn opened(&self, site: &Site, known: &Option<Open>) -> Result<Open, Trouble> {
        if let Some(open) = known {
            return Ok(open.clone());
        }
        let (customer, cluster) = (&site.cluster.customer, &site.cluster.id);
        let (proposals, plans) =
            futures::try_join!(self.optimizations.open_proposals(customer, cluster), self.ports.journal.open_plans(customer, cluster))?;
        Ok(Open { proposals, plans })
    }

    /// What stands, as it was read and as this round has changed it.
    pub(super) async fn standing(&self, site: &Site, known: &Option<[Standing; 2]>) -> Result<[Standing; 2], Trouble> {
        if let Some(standing) = known {
            return Ok(standing.clone());
        }
        let read = self.optimizations.standing(&site.cluster.customer, &site.cluster.id).await?;
        Ok([read.clone(), read])
    }

    async fn avoided(&self, site: &Site, known: &Option<Vec<Pool>>, now: Timestamp) -> Result<Vec<Pool>, Trouble> {
        match known {
            Some(avoid) => Ok(avoid.clone()),
            None => Ok(self.ports.pools.avoided(&site.cluster.account, &site.cluster.region, now).await?),
        }
    }
}

/// The request.
pub(super) fn request(site: &Site, run: &RunId, decision: DecisionType, snapshot: Snapshot, constraints: Constraints) -> DecisionRequest {
    DecisionRequest {
        version: CONTRACT_VERSION,
        request_id: run.to_string(),
        cluster_id: site.cluster.id.clone(),
        decision_type: decision,
        cluster_state: snapshot.state(),
        snapshot,
        requirements: site.cluster.policy.optimization.clone(),
        constraints,
    }
}

/// How many nodes may be taken out of service on top of those that are.
fn nodes_max(site: &Site, view: &View, plans: &[PlanRecord]) -> u32 {
    let total = match &view.snapshot {
        Some(Ok(snapshot)) => snapshot.nodes.len(),
        Some(Err(_)) | None => 0,
    };
    let left = site.cluster.policy.budget.allowed(total).saturating_sub(in_disruption(plans).len());
    u32::try_from(left).unwrap_or(u32::MAX)
}

fn in_a_plan(record: &PlanRecord) -> impl Iterator<Item = HandsOff> {
    let why = format!("plan {} has it in hand", record.plan.key.plan);
    let nodes: BTreeSet<NodeName> = record.plan.steps.iter().filter_map(|step| step.action.node()).map(|node| node.name.clone()).collect();
    nodes.into_iter().map(move |node| HandsOff { node, why: why.clone() })
}

/// What a person is asked about is not asked about a second time.
fn waiting(proposal: &Proposal) -> Vec<HandsOff> {
    let why = match &proposal.state {
        ProposalState::Waiting { until } => format!("proposal {} waits for a person until {until}", proposal.plan.key.plan),
        ProposalState::Opened => format!("plan {} is to be carried out", proposal.plan.key.plan),
        // An approved one is looked at again now.
        ProposalState::Approved { .. }
        | ProposalState::Recommended
        | ProposalState::Rejected { .. }
        | ProposalState::Expired
        | ProposalState::Stale { .. }
        | ProposalState::Ended { .. } => return Vec::new(),
    };
    going(proposal).into_iter().map(|(node, _)| HandsOff { node, why: why.clone() }).collect()
}

/// The nodes that a proposal takes out of service.
pub(super) fn going(proposal: &Proposal) -> Vec<(NodeName, InstanceId)> {
    proposal.plan.stakes.as_deref().map(crate::safety::going).unwrap_or_default()
}

/// Nodes whose instances we may not end: the safety check would refuse every plan for them.
fn untouchable(view: &View) -> Vec<HandsOff> {
    let why = |instance: &Instance| {
        if instance.tags.contains_key(PROTECT_TAG) {
            return Some(format!("its instance carries the tag {PROTECT_TAG}"));
        }
        (!instance.tags.contains_key(CLUSTER_TAG)).then(|| format!("its instance does not carry the tag {CLUSTER_TAG}"))
    };
    each_instance(view, why)
}

/// Nodes whose instances are ended already: a Node object outlives its machine by a minute or two.
fn ended(view: &View) -> Vec<HandsOff> {
    let gone =
        |instance: &Instance| (!instance.state.live()).then(|| "its instance has been ended; the node is about to disappear".to_owned());
    each_instance(view, gone)
}

fn each_instance(view: &View, why: impl Fn(&Instance) -> Option<String>) -> Vec<HandsOff> {
    let Some(Ok(snapshot)) = &view.snapshot else {
        return Vec::new();
    };
    let of = |node: &domain::snapshot::SnapshotNode| {
        let instance = view.instances.iter().find(|instance| Some(&instance.id) == node.instance.as_ref())?;
        Some(HandsOff { node: node.name.clone(), why: why(instance)? })
    };
    snapshot.nodes.iter().filter_map(of).collect()
}

/// How old the snapshot was allowed to be when a run began: for its record.
pub(super) fn taken_at(view: &View) -> Option<Timestamp> {
    match &view.snapshot {
        Some(Ok(snapshot)) => Some(snapshot.taken_at),
        Some(Err(_)) | None => None,
    }
}
