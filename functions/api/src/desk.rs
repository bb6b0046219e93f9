//! What handlers are given in place of what the function works with: the same, bound to whoever asks. A handler has no other way to the
//! table, the queues and the clusters, and the session makes the handle, so none can name another customer and be answered.

use crate::Deps;
use crate::auth::Caller;
use crate::problem::Problem;
use axum::extract::FromRequestParts;
use domain::ids::CustomerId;
use domain::interruption::Notice;
use domain::ports::{Routes, StoreError};
use domain::tenant::Cluster;
use execution::held::held;
use http::request::Parts;
use std::sync::Arc;

/// Everything, bound to the caller's customer.
pub struct Desk(pub Arc<Deps>);

/// For the rooms in which whoever runs this control plane looks after its customers: unbound for them, and a [`Desk`] for everybody else.
pub struct Office(pub Arc<Deps>);

/// Whether a role or an instance is another customer's: all that one may learn of another.
pub struct Claims(Arc<dyn Routes>);

impl Deps {
    fn bound(&self, customer: &CustomerId) -> Deps {
        Deps {
            registry: held(&self.registry, customer),
            journal: held(&self.journal, customer),
            optimizations: held(&self.optimizations, customer),
            ledger: held(&self.ledger, customer),
            outbox: held(&self.outbox, customer),
            nights: held(&self.nights, customer),
            rounds: held(&self.rounds, customer),
            findings: held(&self.findings, customer),
            scans: held(&self.scans, customer),
            routes: held(&self.routes, customer),
            idempotency: held(&self.idempotency, customer),
            queue: held(&self.queue, customer),
            clusters: held(&self.clusters, customer),
            trail: held(&self.trail, customer),
            ..self.clone()
        }
    }
}

impl FromRequestParts<Arc<Deps>> for Desk {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, deps: &Arc<Deps>) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, deps).await?;
        Ok(Desk(Arc::new(deps.bound(&caller.customer))))
    }
}

impl FromRequestParts<Arc<Deps>> for Office {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, deps: &Arc<Deps>) -> Result<Self, Problem> {
        if Caller::from_request_parts(parts, deps).await?.is_operator() {
            return Ok(Office(Arc::clone(deps)));
        }
        Desk::from_request_parts(parts, deps).await.map(|Desk(deps)| Office(deps))
    }
}

impl FromRequestParts<Arc<Deps>> for Claims {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, deps: &Arc<Deps>) -> Result<Self, Problem> {
        Caller::from_request_parts(parts, deps).await?;
        Ok(Claims(Arc::clone(&deps.routes)))
    }
}

impl Claims {
    /// Whether what a notice is about is theirs alone, as far as is known ([`execution::theirs`]).
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn are_theirs(&self, caller: &Caller, notice: &Notice) -> Result<bool, StoreError> {
        execution::theirs(self.0.as_ref(), &caller.customer, notice).await
    }

    /// Whether another customer has registered the role of this cluster.
    ///
    /// # Errors
    /// The table did not answer.
    pub async fn another_has_the_role(&self, of: &Cluster) -> Result<bool, StoreError> {
        let there = self.0.clusters_of(&of.account).await?;
        Ok(there.iter().any(|cluster| cluster.customer != of.customer && cluster.aws_role_arn == of.aws_role_arn))
    }
}
