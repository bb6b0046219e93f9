//! The safety check before each step of what only saves money.

use crate::ports::{Ports, Site, Trouble};
use crate::safety;
use domain::plan::check::{Before, Blocked, Rule};
use domain::plan::{PlanRecord, Status};
use domain::{SignedDuration, Timestamp};
use tracing::info;

/// How long a plan rests when the world cannot be looked at.
const BLIND_REST: SignedDuration = SignedDuration::from_secs(10);

/// How long a plan rests when a budget has no room: a pod that was moved starts within about as much.
const BUDGET_REST: SignedDuration = SignedDuration::from_secs(30);
/// What must be left of a plan's time when its nodes are cordoned: 15 minutes to drain, and five for what is in between.
const DRAIN_WITHIN: SignedDuration = SignedDuration::from_mins(20);

/// What the check says.
pub(super) enum Guarded {
    /// Nothing speaks against it.
    GoOn,
    /// Stop, and take back what was done.
    Stop(Vec<Blocked>),
    /// The world could not be seen, or a budget is full for now; ask again then. The steps stay pending.
    Wait(Timestamp),
}

/// Asks whether these steps may begin. Only plans of the optimizer are asked: whatever else is done must be done.
pub(super) async fn guard(ports: &Ports, site: &Site, record: &PlanRecord, steps: &[usize]) -> Result<Guarded, Trouble> {
    let plan = &record.plan;
    // Behind the point of no return there is no other way than forward.
    if !plan.kind.voluntary() || record.progress.past_return(plan) {
        return Ok(Guarded::GoOn);
    }
    let pending = |step: &&usize| record.progress.steps.get(**step).is_some_and(|state| state.status == Status::Pending);
    let actions = steps.iter().filter(pending).filter_map(|step| plan.steps.get(*step)).map(|step| &step.action);
    let Some(before) = Before::any(actions) else {
        return Ok(Guarded::GoOn);
    };
    let going = plan.stakes.as_deref().map(safety::going).unwrap_or_default();
    let sight = match safety::look(ports, site, &going).await? {
        Ok(sight) => sight,
        Err(safety::Blind(why)) => {
            info!(plan.id = %plan.key, why, "The safety check cannot see; the plan waits");
            return Ok(Guarded::Wait(ports.clock.now() + BLIND_REST));
        }
    };
    let prices = match before {
        Before::Cordon => safety::spot_prices(ports, site, plan, &record.progress).await,
        Before::Launch | Before::Drain | Before::End => Vec::new(),
    };
    let now = ports.clock.now();
    let notes = sight.judge(site, plan, Some(&record.progress), before, &prices, now);
    Ok(match passes(&notes, plan.deadline, now) {
        Some(until) => {
            let why = notes.first().map(|note| note.why.as_str()).unwrap_or_default();
            ports.meter.count("plans_waited", "pod_budget");
            info!(plan.id = %plan.key, why, "The plan waits for a disruption budget");
            Guarded::Wait(until)
        }
        None if notes.is_empty() => Guarded::GoOn,
        None => Guarded::Stop(notes),
    })
}

/// When to look again, where nothing speaks against going on but budgets that are full. Pods become healthy by themselves, and the
/// moves of one answer often share a budget: each waits for those before it. What is moved then must still be done in time.
fn passes(notes: &[Blocked], deadline: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let full = !notes.is_empty() && notes.iter().all(|note| note.rule == Rule::PodBudgetFull);
    let until = now.saturating_add(BUDGET_REST).ok()?;
    (full && deadline.duration_since(until) >= DRAIN_WITHIN).then_some(until)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(rule: Rule) -> Blocked {
        Blocked { rule, object: "shop/web".to_owned(), why: "because".to_owned() }
    }

    #[test]
    fn a_full_budget_is_waited_for_while_there_is_time_to_drain_and_nothing_else_is() {
        let now = Timestamp::UNIX_EPOCH;
        let (full, other) = (note(Rule::PodBudgetFull), note(Rule::NotWorthIt));
        let far = now + SignedDuration::from_mins(60);
        let again = Some(now + BUDGET_REST);
        assert_eq!(passes(&[full.clone(), full.clone()], far, now), again);
        assert_eq!(passes(std::slice::from_ref(&full), now + BUDGET_REST + DRAIN_WITHIN, now), again);
        assert_eq!(passes(std::slice::from_ref(&full), now + DRAIN_WITHIN, now), None, "too late to drain in time");
        assert_eq!(passes(&[full, other.clone()], far, now), None);
        assert_eq!(passes(&[other], far, now), None);
        assert_eq!(passes(&[], far, now), None);
    }
}
