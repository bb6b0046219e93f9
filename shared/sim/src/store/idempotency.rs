//! Idempotency keys.

use super::MemoryStore;
use async_trait::async_trait;
use domain::ids::CustomerId;
use domain::ports::{Idempotency, IdempotencyState, StoreError};
use domain::{SignedDuration, Timestamp};

/// How long an unfinished claim holds.
const CLAIM: SignedDuration = SignedDuration::from_secs(60);
/// How long an answer is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

pub(super) struct Claim {
    fingerprint: String,
    at: Timestamp,
    answer: Option<(u16, String)>,
}

impl Claim {
    fn holds(&self, now: Timestamp) -> bool {
        now < self.at + if self.answer.is_some() { KEPT } else { CLAIM }
    }
}

#[async_trait]
impl Idempotency for MemoryStore {
    async fn begin(&self, customer: &CustomerId, key: &str, fingerprint: &str, now: Timestamp) -> Result<IdempotencyState, StoreError> {
        let mut state = self.lock();
        let id = (customer.clone(), key.to_owned());
        if let Some(claim) = state.idempotency.get(&id).filter(|c| c.holds(now)) {
            return Ok(match &claim.answer {
                _ if claim.fingerprint != fingerprint => IdempotencyState::Mismatch,
                None => IdempotencyState::InFlight,
                Some((status, body)) => IdempotencyState::Done(*status, body.clone()),
            });
        }
        state.idempotency.insert(id, Claim { fingerprint: fingerprint.to_owned(), at: now, answer: None });
        Ok(IdempotencyState::New)
    }

    async fn finish(&self, customer: &CustomerId, key: &str, status: u16, body: &str, now: Timestamp) -> Result<(), StoreError> {
        let mut state = self.lock();
        let claim = state.idempotency.get_mut(&(customer.clone(), key.to_owned())).ok_or(StoreError::Conflict)?;
        // The first answer stays: its caller may have seen it already.
        if claim.answer.is_none() {
            claim.answer = Some((status, body.to_owned()));
            claim.at = now;
        }
        Ok(())
    }

    async fn release(&self, customer: &CustomerId, key: &str) -> Result<(), StoreError> {
        let mut state = self.lock();
        let id = (customer.clone(), key.to_owned());
        // An answer is never let go.
        if state.idempotency.get(&id).is_some_and(|claim| claim.answer.is_none()) {
            state.idempotency.remove(&id);
        }
        Ok(())
    }
}
