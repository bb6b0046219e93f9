//! The safety check before each step of what only saves money.

use crate::ports::{Ports, Site, Trouble};
use crate::safety;
use domain::plan::check::{Before, Blocked};
use domain::plan::{PlanRecord, Status};
use domain::{SignedDuration, Timestamp};
use tracing::info;

/// How long a plan rests when the world cannot be looked at.
const BLIND_REST: SignedDuration = SignedDuration::from_secs(10);

/// What the check says.
pub(super) enum Guarded {
    /// Nothing speaks against it.
    GoOn,
    /// Stop, and take back what was done.
    Stop(Vec<Blocked>),
    /// The world could not be seen; ask again then.
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
    let notes = sight.judge(site, plan, Some(&record.progress), before, &prices, ports.clock.now());
    Ok(if notes.is_empty() { Guarded::GoOn } else { Guarded::Stop(notes) })
}
