//! What a person has agreed to: looked at again, and opened, or stale.

use super::super::Optimizer;
use super::scene::Scene;
use super::{Judged, Sizing, judge, mark, next, workload_of};
use crate::perform::sizes::{Found, compare};
use crate::ports::{Site, Trouble};
use domain::optimization::{Proposal, ProposalState};
use domain::plan::check::{Blocked, Rule};
use domain::plan::{Action, Plan, PlanKind};
use domain::ports::StoreError;

impl Optimizer {
    /// Opens what was agreed to, if it still holds.
    pub(super) async fn agreed_sizes(
        &self,
        site: &Site,
        sizing: &Sizing,
        scene: &Scene,
        open: &[Proposal],
        judged: &mut Judged,
    ) -> Result<(), Trouble> {
        let agreed = open.iter().filter(|one| matches!(one.state, ProposalState::Approved { .. }) && workload_of(&one.plan).is_some());
        for proposal in agreed {
            let blocked = against(site, sizing, scene, &proposal.plan, judged);
            let state = if blocked.is_empty() { ProposalState::Opened } else { ProposalState::Stale { blocked } };
            let mut after = next(proposal, state);
            // Its time begins when it is opened, not when it was proposed.
            (after.plan.created_at, after.plan.deadline) = (scene.now, scene.now + judge::PLAN_WITHIN);
            match self.optimizations.put_proposal(&after, None).await {
                Ok(()) => {}
                Err(StoreError::Conflict) => continue,
                Err(other) => return Err(other.into()),
            }
            if after.state == ProposalState::Opened {
                mark(&mut judged.usages, &after.plan, &site.cluster.policy.workloads);
                self.open(&after).await?;
            }
        }
        Ok(())
    }
}

fn against(site: &Site, sizing: &Sizing, scene: &Scene, plan: &Plan, judged: &Judged) -> Vec<Blocked> {
    let note = |rule, object: String, why| vec![Blocked { rule, object, why }];
    let name = plan.key.plan.to_string();
    let Some(Action::PatchRequests { workload, changes, .. }) = plan.steps.first().map(|step| &step.action) else {
        return note(Rule::Malformed, name, "it changes no workload".to_owned());
    };
    let (enabled, switch) = match plan.kind == PlanKind::RemedyOom {
        true => (sizing.oom, "OOM_REMEDIATION_ENABLED"),
        false => (sizing.rightsizing, "RIGHTSIZING_ENABLED"),
    };
    if !enabled {
        return note(Rule::Policy, name, format!("{switch} is false by now"));
    }
    let Some(view) = scene.view(workload) else {
        return note(Rule::NodeUnknown, workload.to_string(), format!("{workload} is gone"));
    };
    match compare(view, changes) {
        Found::Before => {}
        Found::After => return note(Rule::NotWorthIt, workload.to_string(), format!("{workload} has these sizes already")),
        Found::Other(why) => return note(Rule::HandsOff, workload.to_string(), why),
    }
    // More memory is given at once: what speaks against a roll-out is what it mends.
    if plan.kind == PlanKind::RemedyOom { Vec::new() } else { judge::objections(site, scene, view, &judged.usages) }
}
