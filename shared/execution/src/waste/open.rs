//! Opens plans for what is due.

use super::{Harvest, Scanner, hour};
use crate::ports::{Site, Trouble};
use domain::SignedDuration;
use domain::finding::{Finding, FindingKind, FindingState};
use domain::ids::PlanId;
use domain::money::MicroDollars;
use domain::plan::check::lint;
use domain::plan::{Action, OnFailure, Plan, PlanKey, Progress, Step, Urgency};
use domain::ports::{NewPlan, Opened};
use tracing::{info, warn};

/// How long an end may take: snapshots of large volumes take their time.
const WITHIN: SignedDuration = SignedDuration::from_hours(2);
/// When the sweeper takes up a plan whose message was lost.
const DUE_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// Something that is to be dealt with now.
pub(super) struct Due {
    pub(super) kind: FindingKind,
    pub(super) subject: String,
    pub(super) action: Action,
    pub(super) saving_per_hour: MicroDollars,
}

impl Scanner {
    /// Opens a plan for each thing that is due, unless a stop is pulled. Returns how many were opened.
    pub(super) async fn open(&self, site: &Site, harvest: &Harvest) -> Result<usize, Trouble> {
        let cluster = &site.cluster;
        if harvest.due.is_empty() {
            return Ok(0);
        }
        if let Some(halt) = self.ports.registry.halted(&cluster.customer, &cluster.id).await? {
            info!(cluster.id = %cluster.id, halt.scope = %halt.scope, "The kill switch is on; nothing is opened");
            return Ok(0);
        }
        let mut opened = 0;
        for due in &harvest.due {
            let id = Finding::id_of(&cluster.id, due.kind, &due.subject);
            let Some(finding) = self.findings.finding(&cluster.customer, &cluster.id, &id).await? else {
                continue;
            };
            let Some(plan) = self.plan(site, due, &finding) else {
                continue;
            };
            let key = plan.key.clone();
            let mut progress = Progress::new(&plan, Urgency::Normal, None);
            progress.due_at = self.ports.clock.now() + DUE_AFTER;
            let new = NewPlan { plan, progress, audit: Vec::new(), spot_event: None, operation: None };
            // First the finding, then the plan: whoever dies in between leaves a finding without a plan, which the next scan opens anew.
            self.put(&finding.with(FindingState::Acting { plan: key.plan.clone() })).await?;
            if self.ports.journal.open(&new).await? == Opened::Created {
                opened += 1;
            }
            // The plan is written: a lost message only makes it begin a minute later, when the sweeper finds it.
            if let Err(error) = self.ports.queue.continue_plan(&key, SignedDuration::ZERO).await {
                warn!(plan.id = %key, %error, "A plan was opened and not announced; the sweeper begins it");
            }
        }
        Ok(opened)
    }

    /// The plan. One per subject and hour: a scan that comes twice opens the same.
    fn plan(&self, site: &Site, due: &Due, finding: &Finding) -> Option<Plan> {
        let now = self.ports.clock.now();
        let plan = PlanId::parse(format!("{}-{}-{}", due.kind.as_str(), due.subject, hour(&self.ports))).ok()?;
        let kind = due.kind.ended_by()?;
        let plan = Plan {
            key: PlanKey { customer: site.cluster.customer.clone(), cluster: site.cluster.id.clone(), plan },
            kind,
            reason: format!("{} is waste: {}", due.subject, finding.evidence.last().cloned().unwrap_or_default()),
            requested_by: "scanner".to_owned(),
            created_at: now,
            deadline: now.checked_add(WITHIN).unwrap_or(now),
            on_failure: OnFailure::Unwind,
            steps: vec![Step { action: due.action.clone(), after: Vec::new(), after_unless_forced: Vec::new() }],
            expected_saving: due.saving_per_hour,
            evidence: finding.evidence.clone(),
            stakes: None,
        };
        lint(&plan).is_empty().then_some(plan)
    }
}
