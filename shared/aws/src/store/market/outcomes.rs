//! What became of predictions.

use super::super::item;
use super::super::routes::put;
use super::super::table::{Range, Sort};
use super::{DecisionTable, keys};
use async_trait::async_trait;
use domain::decision::{JUDGED_DAYS, PredictionOutcome};
use domain::ports::{Outcomes, StoreError};
use domain::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

#[async_trait]
impl Outcomes for DecisionTable {
    async fn put_outcomes(&self, outcomes: &[PredictionOutcome]) -> Result<(), StoreError> {
        // A batch may name an item once.
        let wanted: BTreeMap<(Timestamp, &str), &PredictionOutcome> =
            outcomes.iter().map(|outcome| ((outcome.predicted_at, outcome.id.as_str()), outcome)).collect();
        let item = |outcome: &PredictionOutcome| {
            let mut item = item::item(keys::outcome(outcome), "prediction outcome", outcome)?;
            // A month more than they are judged.
            item::expire(&mut item, item::days_after(outcome.predicted_at, JUDGED_DAYS + 31));
            put(item)
        };
        self.0.write_many(wanted.into_values().map(item).collect::<Result<_, _>>()?).await
    }

    async fn outcomes(&self, since: Timestamp, now: Timestamp, limit: usize) -> Result<Vec<PredictionOutcome>, StoreError> {
        let mut found = Vec::new();
        for day in keys::outcome_days(since, now) {
            if found.len() >= limit {
                break;
            }
            let range = Range::table(day).sort(Sort::After(keys::from_instant(since))).descending();
            found.extend(self.0.range(range, limit - found.len(), item::body::<PredictionOutcome>).await?);
        }
        // A prediction of the future is another clock's.
        found.retain(|outcome| outcome.predicted_at <= now + SignedDuration::from_mins(5));
        Ok(found)
    }
}
