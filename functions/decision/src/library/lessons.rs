//! Corrections of predictions, read now and then and kept in the process. Without them predictions are as they are reckoned.

use crate::learnt::{Learnt, RECORDS_MAX};
use domain::decision::JUDGED_DAYS;
use domain::ports::{Clock, Outcomes};
use domain::{SignedDuration, Timestamp};
use futures::future::{Either, select};
use std::sync::{Arc, Mutex, PoisonError};

/// How long what was learnt is used: an hour's outcomes change little among thousands.
const LEARNT_FOR: SignedDuration = SignedDuration::from_hours(6);
/// How long outcomes that could not be read are left alone; what was learnt before is used on.
const LEFT_ALONE_FOR: SignedDuration = SignedDuration::from_mins(10);
/// How long the table may take: beside the reads of the market, which take as long.
const READ_WITHIN: SignedDuration = SignedDuration::from_secs(5);

/// What was learnt, and where from.
pub(super) struct Lessons {
    outcomes: Arc<dyn Outcomes>,
    clock: Arc<dyn Clock>,
    kept: Mutex<Option<(Timestamp, Arc<Learnt>)>>,
}

impl Lessons {
    pub(super) fn new(outcomes: Arc<dyn Outcomes>, clock: Arc<dyn Clock>) -> Lessons {
        Lessons { outcomes, clock, kept: Mutex::default() }
    }

    /// What is learnt by now. It never fails: what cannot be read corrects nothing.
    pub(super) async fn learnt(&self) -> Arc<Learnt> {
        let now = self.clock.now();
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((until, learnt)) = &kept
            && now < *until
        {
            return Arc::clone(learnt);
        }
        let since = now.saturating_add(-SignedDuration::from_hours(24 * JUDGED_DAYS)).unwrap_or(now);
        let read = std::pin::pin!(self.outcomes.outcomes(since, now, RECORDS_MAX));
        let (learnt, rest) = match select(read, self.clock.sleep(READ_WITHIN)).await {
            Either::Left((Ok(outcomes), _)) => (Arc::new(Learnt::from(&outcomes)), LEARNT_FOR),
            Either::Left((Err(error), _)) => {
                tracing::warn!(%error, "Outcomes of predictions were not read");
                (kept.map(|(_, learnt)| learnt).unwrap_or_default(), LEFT_ALONE_FOR)
            }
            Either::Right(((), _)) => {
                tracing::warn!("Outcomes of predictions were not read in time");
                (kept.map(|(_, learnt)| learnt).unwrap_or_default(), LEFT_ALONE_FOR)
            }
        };
        let until = now.saturating_add(rest).unwrap_or(now);
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some((until, Arc::clone(&learnt)));
        learnt
    }
}

#[cfg(test)]
mod tests;
