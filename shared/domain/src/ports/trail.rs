//! The trail: what was asked of the API and what plans then did, for auditors.

use super::{Page, StoreError};
use crate::audit::{AuditRow, Request};
use crate::ids::CustomerId;
use crate::operation::Operation;
use crate::plan::PlanRecord;
use async_trait::async_trait;

/// The trail of a customer. Only ever added to; a request that is under way is closed once.
#[async_trait]
pub trait Trail: Send + Sync {
    /// Writes a request: once before it is handled, and once more, under the same id and instant, when its outcome is known.
    async fn note(&self, request: &Request) -> Result<(), StoreError>;
    /// Requests of a customer, newest first; `before` is the cursor of the page before.
    async fn requests(&self, customer: &CustomerId, before: Option<&str>, limit: usize) -> Result<Page<Request>, StoreError>;
    /// What plans of a customer did, newest first; `before` is the cursor of the page before.
    async fn actions(&self, customer: &CustomerId, before: Option<&str>, limit: usize) -> Result<Page<AuditRow>, StoreError>;
    /// Plans of a customer, of all clusters and kinds, newest first; `before` is the cursor of the page before.
    async fn plans(&self, customer: &CustomerId, before: Option<&str>, limit: usize) -> Result<Page<PlanRecord>, StoreError>;
    /// Operations of a customer with their plans, newest first; `before` is the cursor of the page before.
    async fn operations(
        &self,
        customer: &CustomerId,
        before: Option<&str>,
        limit: usize,
    ) -> Result<Page<(Operation, PlanRecord)>, StoreError>;
}
