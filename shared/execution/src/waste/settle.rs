//! What became of findings that a plan deals with.

use super::Scanner;
use crate::ports::{Site, Trouble};
use domain::finding::{Finding, FindingState};
use domain::plan::{Effect, Outcome, PlanKey, PlanRecord};
use domain::ports::{Moment, Notice};

impl Scanner {
    /// Brings findings up to date with their plans, tells people, and gives all findings as they are then.
    pub(super) async fn settle(&self, site: &Site, before: Vec<Finding>) -> Result<Vec<Finding>, Trouble> {
        let mut after = Vec::with_capacity(before.len());
        for finding in before {
            let FindingState::Acting { plan } = &finding.state else {
                after.push(finding);
                continue;
            };
            let key = PlanKey { customer: finding.customer.clone(), cluster: finding.cluster.clone(), plan: plan.clone() };
            let Some(record) = self.ports.journal.load(&key).await? else {
                // Whoever wrote the finding died before the plan, or the plan is older than the table keeps it.
                after.push(self.settled(&finding, FindingState::Open).await?);
                continue;
            };
            let Some(outcome) = &record.progress.outcome else {
                after.push(finding);
                continue;
            };
            let (state, sentence) = self.ended(&finding, &record, outcome);
            let whose = (&site.cluster.customer, &site.cluster.id);
            let what = (finding.kind.as_str(), Moment::After);
            let notice = Notice::new(whose, what, (&finding.subject, record.plan.created_at), vec![sentence], self.ports.clock.now());
            self.notices.tell(&notice).await?;
            after.push(self.settled(&finding, state).await?);
        }
        Ok(after)
    }

    async fn settled(&self, finding: &Finding, state: FindingState) -> Result<Finding, Trouble> {
        let next = finding.with(state);
        self.put(&next).await?;
        Ok(next)
    }

    fn ended(&self, finding: &Finding, record: &PlanRecord, outcome: &Outcome) -> (FindingState, String) {
        let (subject, plan) = (&finding.subject, &record.plan.key.plan);
        let was_gone = record.progress.steps.iter().any(|step| step.effect == Effect::WasGone);
        let at = self.ports.clock.now();
        match outcome {
            Outcome::Succeeded if was_gone => {
                let why = format!("{subject} was gone before plan {plan} could end it; nothing is counted as saved.");
                (FindingState::Resolved { at, why: why.clone() }, why)
            }
            Outcome::Succeeded => {
                let saved = finding.cost_per_month.map_or_else(|| "an unknown amount".to_owned(), |cost| cost.to_string());
                let why = format!("Plan {plan} has ended {subject}; it cost {saved} per month.");
                (FindingState::Resolved { at, why: why.clone() }, why)
            }
            Outcome::RolledBack { why } | Outcome::Cancelled { why } | Outcome::Expired { why } | Outcome::Parked { why } => {
                (FindingState::Open, format!("Plan {plan} has not ended {subject}: {why}"))
            }
        }
    }
}
