//! Faulty twins of the optimizer's ports.

use super::Gate;
use super::store::store;
use async_trait::async_trait;
use domain::Timestamp;
use domain::ids::{ClusterId, CustomerId, PlanId, RunId};
use domain::optimization::{Proposal, Round, Run, Standing};
use domain::ports::{Ledger, Optimizations, Page, QueueError, Rounds, StoreError};
use domain::savings::{Baseline, Books, Hour, Metered, Month};
use std::sync::Arc;

/// Optimizations behind the gate.
pub struct FaultyOptimizations {
    inner: Arc<dyn Optimizations>,
    gate: Arc<Gate>,
}

impl FaultyOptimizations {
    /// Puts Optimizations behind the gate.
    pub fn new(inner: Arc<dyn Optimizations>, gate: Arc<Gate>) -> Arc<Self> {
        Arc::new(Self { inner, gate })
    }
}

#[async_trait]
impl Optimizations for FaultyOptimizations {
    async fn decide(&self, run: &Run, proposals: &[Proposal]) -> Result<(), StoreError> {
        self.gate.pass("optimizations.decide", self.inner.decide(run, proposals), store).await
    }
    async fn decide_nothing(&self, runs: &[Run]) -> Result<(), StoreError> {
        self.gate.pass("optimizations.decide_nothing", self.inner.decide_nothing(runs), store).await
    }
    async fn run(&self, customer: &CustomerId, id: &RunId) -> Result<Option<Run>, StoreError> {
        self.gate.pass("optimizations.run", self.inner.run(customer, id), store).await
    }
    async fn named_runs(&self, customer: &CustomerId, ids: &[RunId]) -> Result<Vec<Run>, StoreError> {
        self.gate.pass("optimizations.named_runs", self.inner.named_runs(customer, ids), store).await
    }
    async fn runs(&self, customer: &CustomerId, after: Option<&str>, limit: usize) -> Result<Page<Run>, StoreError> {
        self.gate.pass("optimizations.runs", self.inner.runs(customer, after, limit), store).await
    }
    async fn proposal(&self, customer: &CustomerId, plan: &PlanId) -> Result<Option<Proposal>, StoreError> {
        self.gate.pass("optimizations.proposal", self.inner.proposal(customer, plan), store).await
    }
    async fn open_proposals(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Vec<Proposal>, StoreError> {
        self.gate.pass("optimizations.open_proposals", self.inner.open_proposals(customer, cluster), store).await
    }
    async fn put_proposal(&self, proposal: &Proposal, books: Option<&Books>) -> Result<(), StoreError> {
        self.gate.pass("optimizations.put_proposal", self.inner.put_proposal(proposal, books), store).await
    }
    async fn standing(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Standing, StoreError> {
        self.gate.pass("optimizations.standing", self.inner.standing(customer, cluster), store).await
    }
    async fn put_standing(&self, customer: &CustomerId, cluster: &ClusterId, standing: &Standing) -> Result<(), StoreError> {
        self.gate.pass("optimizations.put_standing", self.inner.put_standing(customer, cluster, standing), store).await
    }
}

/// A Ledger behind the gate.
pub struct FaultyLedger {
    inner: Arc<dyn Ledger>,
    gate: Arc<Gate>,
}

impl FaultyLedger {
    /// Puts a Ledger behind the gate.
    pub fn new(inner: Arc<dyn Ledger>, gate: Arc<Gate>) -> Arc<Self> {
        Arc::new(Self { inner, gate })
    }
}

#[async_trait]
impl Ledger for FaultyLedger {
    async fn freeze(&self, baseline: &Baseline) -> Result<Baseline, StoreError> {
        self.gate.pass("ledger.freeze", self.inner.freeze(baseline), store).await
    }
    async fn baseline(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Option<Baseline>, StoreError> {
        self.gate.pass("ledger.baseline", self.inner.baseline(customer, cluster), store).await
    }
    async fn books(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Books, StoreError> {
        self.gate.pass("ledger.books", self.inner.books(customer, cluster), store).await
    }
    async fn close(&self, hour: &Hour) -> Result<bool, StoreError> {
        self.gate.pass("ledger.close", self.inner.close(hour), store).await
    }
    async fn metered(&self, customer: &CustomerId, month: Month) -> Result<Vec<Metered>, StoreError> {
        self.gate.pass("ledger.metered", self.inner.metered(customer, month), store).await
    }
    async fn hours(&self, customer: &CustomerId, cluster: &ClusterId, from: Timestamp, limit: usize) -> Result<Vec<Hour>, StoreError> {
        self.gate.pass("ledger.hours", self.inner.hours(customer, cluster, from, limit), store).await
    }
}

/// The optimizer's queue behind the gate.
pub struct FaultyRounds {
    inner: Arc<dyn Rounds>,
    gate: Arc<Gate>,
}

impl FaultyRounds {
    /// Puts the queue behind the gate.
    pub fn new(inner: Arc<dyn Rounds>, gate: Arc<Gate>) -> Arc<Self> {
        Arc::new(Self { inner, gate })
    }
}

#[async_trait]
impl Rounds for FaultyRounds {
    async fn ask(&self, round: &Round) -> Result<(), QueueError> {
        self.gate.pass("rounds.ask", self.inner.ask(round), |_| QueueError("injected".to_owned())).await
    }
}
