//! Whether the figures add up, and are borne out by the prices.

use super::nodes::Nodes;
use super::offerings::PRICE_MAX;
use super::{Refusals, Rule};
use crate::decision::{Commitment, DecisionAnswer, DecisionRequest, DecisionType, Move};
use crate::money::MicroDollars;
use crate::offering::{CapacityType, Offering};

/// What rounding may make of one price, each way.
const ROUNDING: i64 = 10;

pub(super) fn check(request: &DecisionRequest, answer: &DecisionAnswer, nodes: &Nodes<'_>, refusals: &mut Refusals) {
    let mut free = request.constraints.commitments.clone();
    for (index, step) in answer.execution_plan.iter().enumerate() {
        one(request, step, nodes, &mut free, &format!("move {index}"), refusals);
    }
    sums(request, answer, nodes, refusals);
}

fn one(request: &DecisionRequest, step: &Move, nodes: &Nodes<'_>, free: &mut [Commitment], object: &str, refusals: &mut Refusals) {
    let gone: Vec<_> = step.remove.iter().filter_map(|identity| nodes.get(&identity.name)).collect();
    let before: MicroDollars = gone.iter().filter_map(|node| node.price).map(|quote| quote.price_per_hour).sum();
    let firsts: Vec<&Offering> = step.launch.iter().filter_map(|launch| launch.offerings.first()).collect();
    // What a commitment pays for in any case costs nothing more.
    let after: MicroDollars = firsts.iter().filter(|offering| !paid_for(free, offering)).filter_map(|o| o.price_per_hour).sum();
    let overhead = request.requirements.node_overhead_per_hour.0.max(0);
    let fewer = gone.len().saturating_sub(step.launch.len());
    let bearable = (before - after).0.saturating_add(overhead.saturating_mul(count(fewer)));
    let tolerance = rounding(gone.len() + firsts.len());
    let claimed = step.saving_per_hour;
    if claimed.0 > bearable.saturating_add(tolerance) {
        let why = format!("{object} claims to save {claimed} per hour; the prices bear out {}", MicroDollars(bearable));
        refusals.add(Rule::WrongSaving, object, why);
    }
    if claimed.0 <= 0 && !for_safety(request, &gone) {
        refusals.add(Rule::WrongSaving, object, format!("{object} saves nothing: {claimed} per hour"));
    }
    let most = PRICE_MAX.0.saturating_mul(count(gone.len() + firsts.len()));
    if !(0..=most).contains(&step.cost_once.0) {
        refusals.add(Rule::WrongSum, object, format!("{object} cannot cost {} once", step.cost_once));
    }
    // A pod may be moved on by a later move: more than run here, but not more than there are.
    let pods: u64 = nodes.all().flat_map(|node| &node.pods).map(|placed| u64::from(placed.count)).sum();
    if u64::from(step.pods_moved) > pods {
        refusals.add(Rule::WrongSum, object, format!("{object} moves {} pods of {pods}", step.pods_moved));
    }
}

/// Only a spot node may be replaced by something dearer, because it is likely to be taken.
fn for_safety(request: &DecisionRequest, gone: &[&crate::snapshot::SnapshotNode]) -> bool {
    request.decision_type == DecisionType::SpotOptimize
        && gone.iter().all(|node| node.pool.as_ref().is_some_and(|pool| pool.capacity == CapacityType::Spot))
}

/// Takes one instance out of a commitment, if one covers the offering.
fn paid_for(free: &mut [Commitment], offering: &Offering) -> bool {
    let pool = &offering.pool;
    let covers = |commitment: &&mut Commitment| {
        commitment.count > 0
            && pool.capacity == CapacityType::OnDemand
            && commitment.instance_type == pool.instance_type
            && commitment.zone.as_ref().is_none_or(|zone| *zone == pool.zone)
    };
    free.iter_mut().find(covers).map(|commitment| commitment.count -= 1).is_some()
}

fn sums(request: &DecisionRequest, answer: &DecisionAnswer, nodes: &Nodes<'_>, refusals: &mut Refusals) {
    let DecisionAnswer { execution_plan, estimated_saving, cost_before, cost_after, lower_bound, .. } = answer;
    let all = nodes.all().count();
    let tolerance = rounding(all + execution_plan.len());
    let moves: MicroDollars = execution_plan.iter().map(|step| step.saving_per_hour).sum();
    if !near(*estimated_saving, moves, tolerance) {
        let why = format!("the moves save {moves} per hour together, and the answer says {estimated_saving}");
        refusals.add(Rule::WrongSum, "estimated_saving", why);
    }
    if !near(*cost_before - *cost_after, *estimated_saving, tolerance) {
        let why = format!("from {cost_before} to {cost_after} per hour is not a saving of {estimated_saving}");
        refusals.add(Rule::WrongSum, "cost_after", why);
    }
    let known: MicroDollars = nodes.all().filter_map(|node| node.price).map(|quote| quote.price_per_hour).sum();
    let overhead = request.requirements.node_overhead_per_hour.0.max(0).saturating_mul(count(all));
    // Commitments are paid for in any case: a server may leave their nodes out.
    let least = if request.constraints.commitments.is_empty() { known.0 } else { 0 };
    let most = known.0.saturating_add(overhead);
    if cost_before.0 < least.saturating_sub(tolerance) || cost_before.0 > most.saturating_add(tolerance) {
        refusals.add(Rule::WrongSum, "cost_before", format!("the nodes cost {known} per hour, and the answer says {cost_before}"));
    }
    for (name, figure) in [("cost_after", cost_after), ("lower_bound", lower_bound)] {
        if figure.0 < 0 || figure.0 > PRICE_MAX.0.saturating_mul(count(all + execution_plan.len())) {
            refusals.add(Rule::WrongSum, name, format!("{name} cannot be {figure}"));
        }
    }
}

fn near(a: MicroDollars, b: MicroDollars, tolerance: i64) -> bool {
    (a - b).0.saturating_abs() <= tolerance
}

fn rounding(prices: usize) -> i64 {
    ROUNDING.saturating_mul(count(prices))
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
