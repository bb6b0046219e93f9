//! What is decided, saved, found and told of one customer.

use super::Held;
use async_trait::async_trait;
use domain::Timestamp;
use domain::finding::{Finding, FindingKind};
use domain::ids::{ClusterId, CustomerId, FindingId, PlanId, RunId, TargetId};
use domain::notify::{Delivery, Lane, LaneKey, Target, Waiting};
use domain::office_hours::Asleep;
use domain::optimization::{Proposal, Run, Standing};
use domain::ports::{Findings, Ledger, Nights, Optimizations, Outbox, Page, StoreError};
use domain::savings::{Baseline, Books, Hour, Metered, Month};
use domain::workload::ScaleRef;

#[async_trait]
impl Optimizations for Held<dyn Optimizations> {
    async fn decide(&self, run: &Run, proposals: &[Proposal]) -> Result<(), StoreError> {
        self.owns(&run.customer)?;
        proposals.iter().try_for_each(|proposal| self.owns(&proposal.plan.key.customer))?;
        self.port.decide(run, proposals).await
    }
    async fn decide_nothing(&self, runs: &[Run]) -> Result<(), StoreError> {
        runs.iter().try_for_each(|run| self.owns(&run.customer))?;
        self.port.decide_nothing(runs).await
    }
    async fn run(&self, customer: &CustomerId, id: &RunId) -> Result<Option<Run>, StoreError> {
        self.owns(customer)?;
        self.port.run(customer, id).await
    }
    async fn named_runs(&self, customer: &CustomerId, ids: &[RunId]) -> Result<Vec<Run>, StoreError> {
        self.owns(customer)?;
        self.port.named_runs(customer, ids).await
    }
    async fn runs(&self, customer: &CustomerId, after: Option<&str>, limit: usize) -> Result<Page<Run>, StoreError> {
        self.owns(customer)?;
        self.port.runs(customer, after, limit).await
    }
    async fn proposal(&self, customer: &CustomerId, plan: &PlanId) -> Result<Option<Proposal>, StoreError> {
        self.owns(customer)?;
        self.port.proposal(customer, plan).await
    }
    async fn open_proposals(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Vec<Proposal>, StoreError> {
        self.owns(customer)?;
        self.port.open_proposals(customer, cluster).await
    }
    async fn put_proposal(&self, proposal: &Proposal, books: Option<&Books>) -> Result<(), StoreError> {
        self.owns(&proposal.plan.key.customer)?;
        books.iter().try_for_each(|books| self.owns(&books.customer))?;
        self.port.put_proposal(proposal, books).await
    }
    async fn standing(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Standing, StoreError> {
        self.owns(customer)?;
        self.port.standing(customer, cluster).await
    }
    async fn put_standing(&self, customer: &CustomerId, cluster: &ClusterId, standing: &Standing) -> Result<(), StoreError> {
        self.owns(customer)?;
        self.port.put_standing(customer, cluster, standing).await
    }
}

#[async_trait]
impl Ledger for Held<dyn Ledger> {
    async fn freeze(&self, baseline: &Baseline) -> Result<Baseline, StoreError> {
        self.owns(&baseline.customer)?;
        self.port.freeze(baseline).await
    }
    async fn baseline(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Option<Baseline>, StoreError> {
        self.owns(customer)?;
        self.port.baseline(customer, cluster).await
    }
    async fn books(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Books, StoreError> {
        self.owns(customer)?;
        self.port.books(customer, cluster).await
    }
    async fn close(&self, hour: &Hour) -> Result<bool, StoreError> {
        self.owns(&hour.customer)?;
        self.port.close(hour).await
    }
    async fn metered(&self, customer: &CustomerId, month: Month) -> Result<Vec<Metered>, StoreError> {
        self.owns(customer)?;
        self.port.metered(customer, month).await
    }
    async fn hours(&self, customer: &CustomerId, cluster: &ClusterId, from: Timestamp, limit: usize) -> Result<Vec<Hour>, StoreError> {
        self.owns(customer)?;
        self.port.hours(customer, cluster, from, limit).await
    }
}

#[async_trait]
impl Outbox for Held<dyn Outbox> {
    async fn targets(&self, customer: &CustomerId) -> Result<Vec<Target>, StoreError> {
        self.owns(customer)?;
        self.port.targets(customer).await
    }
    async fn target(&self, customer: &CustomerId, id: &TargetId) -> Result<Option<Target>, StoreError> {
        self.owns(customer)?;
        self.port.target(customer, id).await
    }
    async fn put_target(&self, target: &Target) -> Result<(), StoreError> {
        self.owns(&target.customer)?;
        self.port.put_target(target).await
    }
    async fn delete_target(&self, customer: &CustomerId, id: &TargetId) -> Result<(), StoreError> {
        self.owns(customer)?;
        self.port.delete_target(customer, id).await
    }
    async fn accept(&self, lane: &LaneKey, waiting: &Waiting) -> Result<bool, StoreError> {
        self.owns(&lane.customer)?;
        self.port.accept(lane, waiting).await
    }
    async fn lane(&self, lane: &LaneKey) -> Result<Lane, StoreError> {
        self.owns(&lane.customer)?;
        self.port.lane(lane).await
    }
    async fn put_lane(&self, key: &LaneKey, lane: &Lane, delivery: Option<&Delivery>) -> Result<(), StoreError> {
        self.owns(&key.customer)?;
        self.port.put_lane(key, lane, delivery).await
    }
    async fn waiting(&self, lane: &LaneKey, limit: usize) -> Result<Vec<Waiting>, StoreError> {
        self.owns(&lane.customer)?;
        self.port.waiting(lane, limit).await
    }
    async fn due_lanes(&self, _now: Timestamp, _limit: usize) -> Result<Vec<LaneKey>, StoreError> {
        Err(self.of_all())
    }
    async fn deliveries(&self, lane: &LaneKey, after: Option<&str>, limit: usize) -> Result<Page<Delivery>, StoreError> {
        self.owns(&lane.customer)?;
        self.port.deliveries(lane, after, limit).await
    }
}

#[async_trait]
impl Nights for Held<dyn Nights> {
    async fn asleep(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Vec<Asleep>, StoreError> {
        self.owns(customer)?;
        self.port.asleep(customer, cluster).await
    }
    async fn put_asleep(&self, row: &Asleep) -> Result<(), StoreError> {
        self.owns(&row.customer)?;
        self.port.put_asleep(row).await
    }
    async fn remove_asleep(&self, customer: &CustomerId, cluster: &ClusterId, target: &ScaleRef) -> Result<(), StoreError> {
        self.owns(customer)?;
        self.port.remove_asleep(customer, cluster, target).await
    }
}

#[async_trait]
impl Findings for Held<dyn Findings> {
    async fn put_finding(&self, finding: &Finding) -> Result<(), StoreError> {
        self.owns(&finding.customer)?;
        self.port.put_finding(finding).await
    }
    async fn finding(&self, customer: &CustomerId, cluster: &ClusterId, id: &FindingId) -> Result<Option<Finding>, StoreError> {
        self.owns(customer)?;
        self.port.finding(customer, cluster, id).await
    }
    async fn findings_of(&self, customer: &CustomerId, cluster: &ClusterId, kind: Option<FindingKind>) -> Result<Vec<Finding>, StoreError> {
        self.owns(customer)?;
        self.port.findings_of(customer, cluster, kind).await
    }
    async fn findings(&self, customer: &CustomerId, after: Option<&str>, limit: usize) -> Result<Page<Finding>, StoreError> {
        self.owns(customer)?;
        self.port.findings(customer, after, limit).await
    }
}
