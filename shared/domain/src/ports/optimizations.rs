//! What is kept of optimising, and the queue of its rounds.

use super::{Page, QueueError, StoreError};
use crate::ids::{ClusterId, CustomerId, PlanId, RunId};
use crate::optimization::{Proposal, Round, Run, Standing};
use crate::plan::Plan;
use crate::savings::Books;
use async_trait::async_trait;

/// Runs, proposals and what stands between rounds.
///
/// # Guarantees
/// A run and its proposals are written together or not at all, once. A proposal changes against its version.
#[async_trait]
pub trait Optimizations: Send + Sync {
    /// Writes a run and its proposals (at most [`crate::optimization::PROPOSALS_MAX`]), if the run is not there yet.
    ///
    /// # Errors
    /// [`StoreError::Conflict`]: another worker has decided. [`StoreError::Ambiguous`]: read the run and compare.
    async fn decide(&self, run: &Run, proposals: &[Proposal]) -> Result<(), StoreError>;
    /// Writes runs that lead to nothing, together: those of one round of one cluster, of one instant ([`Run::at`]), if none of that round were
    /// written together yet. Most rounds lead to nothing, and one row costs a third of what three do.
    ///
    /// # Errors
    /// [`StoreError::Conflict`]: another worker has. [`StoreError::Refused`]: they are not of one round, or too large together.
    async fn decide_nothing(&self, runs: &[Run]) -> Result<(), StoreError>;
    /// A run of a customer, read consistently.
    async fn run(&self, customer: &CustomerId, id: &RunId) -> Result<Option<Run>, StoreError>;
    /// Some runs of a customer by their names, at most a hundred, as they were a moment ago at the latest; in no order. Those that are not there
    /// are absent.
    async fn named_runs(&self, customer: &CustomerId, ids: &[RunId]) -> Result<Vec<Run>, StoreError>;
    /// Runs of a customer, newest first; `after` is the cursor of the page before.
    async fn runs(&self, customer: &CustomerId, after: Option<&str>, limit: usize) -> Result<Page<Run>, StoreError>;
    /// A proposal of a customer, read consistently.
    async fn proposal(&self, customer: &CustomerId, plan: &PlanId) -> Result<Option<Proposal>, StoreError>;
    /// Proposals of a cluster from which something may still come, read consistently, by the name of their plan.
    async fn open_proposals(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Vec<Proposal>, StoreError>;
    /// Writes a proposal, if the version in the table is `proposal.version - 1`; with books, both or none, where the books' version
    /// holds, too.
    ///
    /// # Errors
    /// [`StoreError::Conflict`]: somebody else wrote.
    async fn put_proposal(&self, proposal: &Proposal, books: Option<&Books>) -> Result<(), StoreError>;
    /// What stands between the rounds of a cluster; the default where nothing was written yet.
    async fn standing(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Standing, StoreError>;
    /// Writes it, if the version in the table is `standing.version - 1`.
    ///
    /// # Errors
    /// [`StoreError::Conflict`]: another round wrote.
    async fn put_standing(&self, customer: &CustomerId, cluster: &ClusterId, standing: &Standing) -> Result<(), StoreError>;
}

/// The customer and cluster of a plan, for the keys of what is kept with it.
pub fn of(plan: &Plan) -> (&CustomerId, &ClusterId) {
    (&plan.key.customer, &plan.key.cluster)
}

/// The optimizer's queue: one message per cluster and round. Delivery is at least once, in no order.
#[async_trait]
pub trait Rounds: Send + Sync {
    /// Asks for a round.
    async fn ask(&self, round: &Round) -> Result<(), QueueError>;
    /// Asks for many. Where some could not be asked for, the others may be.
    async fn ask_all(&self, rounds: &[Round]) -> Result<(), QueueError> {
        for round in rounds {
            self.ask(round).await?;
        }
        Ok(())
    }
}
