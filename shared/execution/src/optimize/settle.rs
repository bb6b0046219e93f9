//! What became of proposals: opened where they are not yet, expired, or ended, with what they have really saved.

use super::Optimizer;
use crate::ports::{Site, Trouble};
use domain::SignedDuration;
use domain::optimization::{Proposal, ProposalState};
use domain::plan::stakes::saved;
use domain::plan::{PlanRecord, Progress, Urgency};
use domain::ports::{NewPlan, StoreError};
use domain::savings::Books;
use tracing::info;

/// How long the word of a person holds: rounds that could look at the cluster would have come by then.
const AGREED_FOR: SignedDuration = SignedDuration::from_hours(2);
/// When the sweeper takes up a plan whose message was lost.
const DUE_AFTER: SignedDuration = SignedDuration::from_secs(60);

impl Optimizer {
    /// Brings every open proposal of a cluster up to date. All of it bears repeating.
    pub(super) async fn settle(&self, site: &Site) -> Result<(), Trouble> {
        let open = self.optimizations.open_proposals(&site.cluster.customer, &site.cluster.id).await?;
        self.settle_these(&open).await
    }

    /// The same with what was just read.
    pub(super) async fn settle_these(&self, open: &[Proposal]) -> Result<(), Trouble> {
        for proposal in open {
            let now = self.ports.clock.now();
            match &proposal.state {
                ProposalState::Waiting { until } if now > *until => self.put(proposal, ProposalState::Expired, None).await?,
                ProposalState::Approved { at, .. } if now > *at + AGREED_FOR => self.put(proposal, ProposalState::Expired, None).await?,
                ProposalState::Opened => match self.ports.journal.load(&proposal.plan.key).await? {
                    // Decided, and not opened: whoever decided has died. If it is too old by now, the safety check ends it.
                    None => self.open(proposal).await?,
                    Some(record) => self.end(proposal, &record).await?,
                },
                ProposalState::Waiting { .. }
                | ProposalState::Approved { .. }
                | ProposalState::Recommended
                | ProposalState::Rejected { .. }
                | ProposalState::Expired
                | ProposalState::Stale { .. }
                | ProposalState::Ended { .. } => {}
            }
        }
        Ok(())
    }

    /// Opens the plan of a proposal that is to be carried out, and has the executor begin it. The plan's key makes it one plan.
    pub(super) async fn open(&self, proposal: &Proposal) -> Result<(), Trouble> {
        if proposal.state != ProposalState::Opened {
            return Ok(());
        }
        let plan = proposal.plan.clone();
        let mut progress = Progress::new(&plan, Urgency::Normal, None);
        progress.due_at = self.ports.clock.now() + DUE_AFTER;
        let key = plan.key.clone();
        self.ports.journal.open(&NewPlan { plan, progress, audit: Vec::new(), spot_event: None, operation: None }).await?;
        // The plan is written: a lost message only makes it begin a minute later, when the sweeper finds it.
        if let Err(error) = self.ports.queue.continue_plan(&key, SignedDuration::ZERO).await {
            tracing::warn!(plan.id = %key, %error, "A plan was opened and not announced; the sweeper begins it");
        }
        Ok(())
    }

    /// Enters a plan that has ended: the proposal and the books, both or none, so that nothing is counted twice.
    async fn end(&self, proposal: &Proposal, record: &PlanRecord) -> Result<(), Trouble> {
        let Some(outcome) = &record.progress.outcome else {
            return Ok(());
        };
        let key = &proposal.plan.key;
        let books = self.ledger.books(&key.customer, &key.cluster).await?;
        let entered = books.entered(&record.plan, &record.progress);
        let saved_per_hour = saved(&record.plan, &record.progress);
        info!(plan.id = %key, %saved_per_hour, expected = %record.plan.expected_saving, "A plan of the optimizer has ended");
        let state = ProposalState::Ended { outcome: outcome.clone(), saved_per_hour, at: self.ports.clock.now() };
        self.put(proposal, state, entered.as_ref()).await
    }

    async fn put(&self, proposal: &Proposal, state: ProposalState, books: Option<&Books>) -> Result<(), Trouble> {
        let next = Proposal { state, version: proposal.version + 1, ..proposal.clone() };
        match self.optimizations.put_proposal(&next, books).await {
            // Whoever was faster has written the same, or a person has spoken; the next round sees it.
            Ok(()) | Err(StoreError::Conflict) => Ok(()),
            Err(other) => Err(other.into()),
        }
    }
}
