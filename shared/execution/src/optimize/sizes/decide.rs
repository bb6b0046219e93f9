//! From plans to what is recorded, proposed or opened, as the mode says.

use super::super::Optimizer;
use super::{Judged, acts, mark};
use crate::ports::{Site, Trouble};
use domain::Timestamp;
use domain::decision::DecisionType;
use domain::money::MicroDollars;
use domain::optimization::{Proposal, ProposalState, Recommendation, Refusal, Round, Run, RunStatus, WAITS_FOR};
use domain::plan::{Plan, PlanKind};
use domain::policy::Mode;
use domain::ports::StoreError;

impl Optimizer {
    /// Writes the run of one kind of plan with its proposals, and opens what may be opened. Where there is no plan, nothing is written:
    /// what was found says why.
    pub(super) async fn decide_sizes(
        &self,
        site: &Site,
        round: &Round,
        kind: PlanKind,
        mode: Mode,
        judged: &mut Judged,
        now: Timestamp,
    ) -> Result<(), Trouble> {
        let plans: Vec<Plan> = judged.plans.iter().filter(|plan| plan.kind == kind).cloned().collect();
        let state = match mode {
            Mode::Observe => return Ok(()),
            Mode::Recommend => ProposalState::Recommended,
            Mode::Approve => ProposalState::Waiting { until: now.saturating_add(WAITS_FOR).unwrap_or(now) },
            Mode::Auto => ProposalState::Opened,
        };
        if plans.is_empty() {
            return Ok(());
        }
        let run = self.run_of(site, round, kind, mode, &plans, judged);
        let proposal = |plan: &Plan| Proposal { plan: plan.clone(), run: run.id.clone(), state: state.clone(), version: 1 };
        let proposals: Vec<Proposal> = plans.iter().map(proposal).collect();
        match self.optimizations.decide(&run, &proposals).await {
            // Another delivery of the same message has decided: the next round carries it out.
            Ok(()) | Err(StoreError::Conflict) => {}
            Err(other) => return Err(other.into()),
        }
        if acts(mode) {
            for proposal in &proposals {
                mark(&mut judged.usages, &proposal.plan, &site.cluster.policy.workloads);
                self.open(proposal).await?;
            }
        }
        Ok(())
    }

    fn run_of(&self, site: &Site, round: &Round, kind: PlanKind, mode: Mode, plans: &[Plan], judged: &Judged) -> Run {
        // A run of its own beside the one that decides on nodes.
        let word = if kind == PlanKind::RemedyOom { "oom" } else { "workloads" };
        let named = Round { round: format!("{}-{word}", round.round), ..round.clone() };
        let recommendation = |plan: &Plan| Recommendation {
            plan: plan.key.plan.clone(),
            remove: Vec::new(),
            launch: 0,
            saving_per_hour: plan.expected_saving,
            why: plan.reason.clone(),
        };
        let refused = judged.refused.iter().map(|note| Refusal { nodes: Vec::new(), blocked: vec![note.clone()] });
        Run {
            mode,
            status: match mode {
                Mode::Observe => RunStatus::Observed,
                Mode::Recommend => RunStatus::Recommended,
                Mode::Approve => RunStatus::Proposed,
                Mode::Auto => RunStatus::Planned,
            },
            engine: format!("{} of workloads", site.cluster.policy.workloads.estimator.as_str()),
            reasons: vec!["what containers use was held against what they request".to_owned()],
            recommendations: plans.iter().map(recommendation).collect(),
            refused: refused.take(200).collect(),
            estimated_saving: plans.iter().map(|plan| plan.expected_saving).sum::<MicroDollars>(),
            ..self.empty(site, &named, DecisionType::Rightsize, self.ports.clock.now())
        }
    }
}
