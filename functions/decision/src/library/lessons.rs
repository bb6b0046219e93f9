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
mod tests {
    use super::*;
    use async_trait::async_trait;
    use domain::decision::{PoolName, PredictionOutcome};
    use domain::ports::StoreError;
    use sim::clock::SimClock;

    /// A table of outcomes that can be made to fail.
    #[derive(Default)]
    struct Told {
        outcomes: Mutex<Vec<PredictionOutcome>>,
        broken: Mutex<bool>,
    }

    #[async_trait]
    impl Outcomes for Told {
        async fn put_outcomes(&self, outcomes: &[PredictionOutcome]) -> Result<(), StoreError> {
            self.outcomes.lock().unwrap().extend_from_slice(outcomes);
            Ok(())
        }
        async fn outcomes(&self, _since: Timestamp, _now: Timestamp, limit: usize) -> Result<Vec<PredictionOutcome>, StoreError> {
            if *self.broken.lock().unwrap() {
                return Err(StoreError::Throttled);
            }
            Ok(self.outcomes.lock().unwrap().iter().take(limit).cloned().collect())
        }
    }

    /// A pool that was said to lose one in a hundred within the hour, and loses one in five.
    fn hours(many: u32) -> Vec<PredictionOutcome> {
        let one = |hour: u32| PredictionOutcome {
            id: format!("o-{hour}"),
            region: "us-east-1".to_owned().try_into().unwrap(),
            pool: PoolName { instance_type: "m6i.large".to_owned().try_into().unwrap(), zone: "us-east-1a".to_owned().try_into().unwrap() },
            predicted_at: Timestamp::from_second(1_790_000_000 - i64::from(hour) * 3_600).unwrap(),
            horizon_minutes: 60,
            probability: 0.01,
            uncorrected: None,
            instances: 100,
            interrupted: 20,
        };
        (0..many).map(one).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn outcomes_correct_predictions_and_a_table_that_fails_takes_nothing_back() {
        let (table, clock) = (Arc::new(Told::default()), SimClock::new());
        let lessons = Lessons::new(table.clone(), clock.clone());
        let hour = SignedDuration::from_hours(1);
        assert_eq!(lessons.learnt().await.correct(hour, 0.01), None, "nothing was told yet");
        table.put_outcomes(&hours(60)).await.unwrap();
        assert_eq!(lessons.learnt().await.correct(hour, 0.01), None, "it is not read at every question");
        clock.sleep(LEARNT_FOR).await;
        assert!(lessons.learnt().await.correct(hour, 0.01).is_some_and(|corrected| corrected > 0.15));
        *table.broken.lock().unwrap() = true;
        clock.sleep(LEARNT_FOR).await;
        assert!(lessons.learnt().await.correct(hour, 0.01).is_some(), "what was learnt before is used on");
    }
}
