//! What must hold once everything had the time to end.

use super::Rest;
use crate::world::{By, What};
use domain::ids::InstanceId;
use domain::plan::precondition::PLAN_TAG;
use domain::plan::{Outcome, PlanRecord};
use std::collections::BTreeMap;

/// Judges a world at rest: lost updates, plans, audit, leaks, lost notices, leftover cordons.
///
/// # Errors
/// The law that was broken, in a sentence.
pub fn at_rest(rest: &Rest<'_>) -> Result<(), String> {
    let plans = rest.store.plans();
    rest.store.taken_back().into_iter().next().map_or(Ok(()), Err)?;
    every_plan_has_ended(&plans)?;
    every_audit_row_is_closed(rest)?;
    nothing_is_leaked(rest, &plans)?;
    no_notice_is_lost(rest)?;
    no_cordon_is_left(rest, &plans)
}

fn every_plan_has_ended(plans: &[PlanRecord]) -> Result<(), String> {
    match plans.iter().find(|r| r.progress.outcome.is_none()) {
        Some(open) => Err(format!("plan {} has not ended: {:?}", open.plan.key, open.progress)),
        None => Ok(()),
    }
}

fn every_audit_row_is_closed(rest: &Rest<'_>) -> Result<(), String> {
    match rest.store.audit_rows().iter().find(|row| row.closed_at.is_none()) {
        Some(row) => Err(format!("audit row {} of {} ({}) is still open", row.id, row.plan, row.action)),
        None => Ok(()),
    }
}

/// An instance that we launched lives only if its plan has it in its journal and ended with it.
fn nothing_is_leaked(rest: &Rest<'_>, plans: &[PlanRecord]) -> Result<(), String> {
    let plans: BTreeMap<&str, &PlanRecord> = plans.iter().map(|r| (r.plan.key.plan.as_str(), r)).collect();
    let live: Vec<InstanceId> = rest.world.live_instances(rest.cluster).into_iter().map(|i| i.id).collect();
    for happened in rest.world.history() {
        let What::Launched { instance, by: By::Us, tags, .. } = &happened.what else {
            continue;
        };
        if !live.contains(instance) {
            continue;
        }
        let plan = tags.get(PLAN_TAG).map(String::as_str).unwrap_or_default();
        let Some(record) = plans.get(plan) else {
            return Err(format!("{instance} lives and its plan {plan:?} is not in the journal"));
        };
        let known = (0..record.plan.steps.len()).any(|s| record.progress.launched(s).is_some_and(|(i, _)| i == instance));
        if !known {
            return Err(format!("{instance} lives and plan {plan} does not know it: {:?}", record.progress));
        }
        match &record.progress.outcome {
            Some(Outcome::RolledBack { why } | Outcome::Cancelled { why }) => {
                return Err(format!("{instance} lives although plan {plan} was taken back: {why}"));
            }
            Some(Outcome::Succeeded | Outcome::Expired { .. } | Outcome::Parked { .. }) | None => {}
        }
    }
    Ok(())
}

fn no_notice_is_lost(rest: &Rest<'_>) -> Result<(), String> {
    let events = rest.store.all_spot_events();
    match rest.noticed.iter().find(|i| !events.iter().any(|e| e.instance.instance == **i)) {
        Some(lost) => Err(format!("the notice of {lost} has left no trace")),
        None => Ok(()),
    }
}

/// What was taken back is schedulable again; what went forward stays cordoned, for its instance dies.
fn no_cordon_is_left(rest: &Rest<'_>, plans: &[PlanRecord]) -> Result<(), String> {
    for node in rest.world.nodes(rest.cluster) {
        let Some(by) = node.cordoned_by.as_deref().filter(|_| node.unschedulable) else {
            continue;
        };
        let outcome = plans.iter().find(|r| r.plan.key.plan.as_str() == by).and_then(|r| r.progress.outcome.as_ref());
        if let Some(Outcome::RolledBack { .. } | Outcome::Cancelled { .. }) = outcome {
            return Err(format!("node {} is still cordoned by {by}, which was taken back", node.name));
        }
    }
    Ok(())
}
