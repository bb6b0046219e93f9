//! What is made of an answer that is believed: every move is held against the world before it becomes a plan.

use super::Optimizer;
use super::ask::Ground;
use crate::ports::{Site, Trouble};
use crate::safety::{self, Blind, Sight};
use domain::Timestamp;
use domain::decision::verify::{Trusted, harmless};
use domain::decision::{DecisionRequest, Move};
use domain::ids::{NodeName, PlanId};
use domain::money::MicroDollars;
use domain::optimization::{PROPOSALS_MAX, Proposal, ProposalState, Refusal};
use domain::plan::check::{Before, Blocked, Rule, lint};
use domain::plan::{Draft, Plan, PlanRecord, Progress, Urgency, from_move};
use std::collections::BTreeSet;

/// The largest plan that is kept, as JSON, in bytes: an item of the table takes 400 kB, and one transaction 4 MB.
const PLAN_BYTES_MAX: usize = 90_000;
/// How many nodes of a move that is refused are kept, and how much of the sentence that says why, in characters.
const NODES_MAX: usize = 50;
const SENTENCE_MAX: usize = 500;

/// An answer that was checked.
#[derive(Debug, Clone, Default)]
pub(super) struct Checked {
    /// Plans that may be carried out, with the moves that they came from.
    pub(super) plans: Vec<(Plan, Move)>,
    /// What a person has agreed to, as it looks now: opened, or stale.
    pub(super) agreed: Vec<Proposal>,
    /// Moves that are not to be carried out, and why.
    pub(super) refused: Vec<Refusal>,
}

impl Optimizer {
    /// Checks every move. The inner error says why the world could not be looked at.
    pub(super) async fn check(
        &self,
        site: &Site,
        ground: &Ground,
        request: &DecisionRequest,
        trusted: &Trusted,
    ) -> Result<Result<Checked, Blind>, Trouble> {
        let (now, answer) = (self.ports.clock.now(), trusted.answer());
        // Most answers move nothing, and the index of a cluster is dear to read.
        let records = match answer.execution_plan.is_empty() {
            true => Vec::new(),
            false => self.ports.routes.nodes(&site.cluster.customer, &site.cluster.id).await?,
        };
        let draft = Draft { cluster: &site.cluster, request, engine: &answer.engine, records: &records, now };
        let mut checked = Checked::default();
        let mut drafts = Vec::new();
        for (index, wanted) in answer.execution_plan.iter().enumerate() {
            match from_move(&draft, index, wanted) {
                Ok(plan) => drafts.push((plan, wanted)),
                Err(blocked) => checked.refused.push(refusal(wanted, vec![blocked])),
            }
        }
        let agreed: Vec<&Proposal> = ground.approved(request.decision_type).collect();
        let going: Vec<_> = drafts.iter().filter_map(|(plan, _)| plan.stakes.as_deref()).flat_map(safety::going).collect();
        let mut sight = match going.is_empty() && agreed.is_empty() {
            true => None,
            false => match safety::look(&self.ports, site, &going).await? {
                Ok(sight) => Some(sight),
                Err(blind) => return Ok(Err(blind)),
            },
        };
        for proposal in agreed {
            let at = drafts.iter().position(|(plan, _)| nodes(plan) == nodes(&proposal.plan));
            let fresh = at.map(|at| drafts.remove(at).0);
            checked.agreed.push(again(site, proposal, fresh, sight.as_mut(), now));
        }
        for (plan, wanted) in drafts {
            match sight.as_mut().map(|sight| judge(site, &plan, sight, now)) {
                Some(notes) if notes.is_empty() && checked.plans.len() < PROPOSALS_MAX => checked.plans.push((plan, wanted.clone())),
                Some(notes) if notes.is_empty() => checked.refused.push(refusal(wanted, vec![too_many()])),
                Some(notes) => checked.refused.push(refusal(wanted, notes)),
                None => {}
            }
        }
        Ok(Ok(checked))
    }
}

/// Judges a plan; one that passes stands in the way of those behind it.
fn judge(site: &Site, plan: &Plan, sight: &mut Sight, now: Timestamp) -> Vec<Blocked> {
    let mut notes = lint(plan);
    if serde_json::to_string(plan).map_or(usize::MAX, |text| text.len()) > PLAN_BYTES_MAX {
        let why = "the plan is too large to be kept: it takes and launches too many nodes at once".to_owned();
        notes.push(Blocked { rule: Rule::Malformed, object: plan.key.plan.to_string(), why });
    }
    notes.extend(sight.judge(site, plan, None, Before::Launch, &[], now));
    if notes.is_empty() {
        // In the order of plans it stands before the next one of this round.
        let progress = Progress::new(plan, Urgency::Normal, None);
        sight.opened(PlanRecord { plan: plan.clone(), progress });
    }
    notes
}

/// What a person has agreed to, looked at again: the server must still propose it, and nothing may speak against it.
fn again(site: &Site, proposal: &Proposal, fresh: Option<Plan>, sight: Option<&mut Sight>, now: Timestamp) -> Proposal {
    let next = |plan: Plan, state: ProposalState| Proposal { plan, state, run: proposal.run.clone(), version: proposal.version + 1 };
    let (Some(fresh), Some(sight)) = (fresh, sight) else {
        let why = "the decision server does not propose this any more".to_owned();
        let blocked = vec![Blocked { rule: Rule::NotWorthIt, object: proposal.plan.key.plan.to_string(), why }];
        return next(proposal.plan.clone(), ProposalState::Stale { blocked });
    };
    // Under the name that was agreed to.
    let plan = Plan { key: proposal.plan.key.clone(), ..fresh };
    let notes = judge(site, &plan, sight, now);
    if notes.is_empty() { next(plan, ProposalState::Opened) } else { next(proposal.plan.clone(), ProposalState::Stale { blocked: notes }) }
}

fn nodes(plan: &Plan) -> BTreeSet<NodeName> {
    plan.stakes.iter().flat_map(|stakes| &stakes.nodes).map(|node| node.node.clone()).collect()
}

fn too_many() -> Blocked {
    let why = format!("one run leads to {PROPOSALS_MAX} plans at most; the next one takes it up");
    Blocked { rule: Rule::DisruptionBudget, object: "run".to_owned(), why }
}

fn refusal(wanted: &Move, blocked: Vec<Blocked>) -> Refusal {
    let blocked = blocked.into_iter().map(|note| Blocked { why: harmless(&note.why, SENTENCE_MAX), ..note }).collect();
    Refusal { nodes: wanted.remove.iter().map(|node| node.name.clone()).take(NODES_MAX).collect(), blocked }
}

/// What the nodes with a known price cost per hour, with what a node costs besides.
pub(super) fn cost(request: &DecisionRequest) -> MicroDollars {
    let overhead = request.requirements.node_overhead_per_hour;
    request.snapshot.nodes.iter().filter_map(|node| node.price).map(|quote| quote.price_per_hour + overhead).sum()
}

/// The id of a plan that was made, for its recommendation.
pub(super) fn id(plan: &Plan) -> PlanId {
    plan.key.plan.clone()
}
