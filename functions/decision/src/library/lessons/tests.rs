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
