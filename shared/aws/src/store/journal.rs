//! The journal: plans, their audit rows, the spot events they handle, and what is due.

use super::errors::Written;
use super::item::{self, Item};
use super::keys;
use super::table::{Range, Sort, Table};
use async_trait::async_trait;
use domain::Timestamp;
use domain::audit::AuditRow;
use domain::ids::{ClusterId, CustomerId};
use domain::operation::Operation;
use domain::plan::{PlanKey, PlanRecord};
use domain::ports::{Change, Journal, NewPlan, Opened, StoreError};
use domain::spot_event::SpotEvent;

mod rows;

use rows::WRITE;

/// How often a plan is opened anew while another transaction has it in hand. Each try is one round trip; the other one needs
/// as long.
const OPEN_TRIES: usize = 3;

#[async_trait]
impl Journal for Table {
    async fn open(&self, new: &NewPlan) -> Result<Opened, StoreError> {
        let mark = write_mark();
        let operations = rows::opening(&self.name, new, &mark)?;
        let mut outcome = StoreError::Throttled;
        for _ in 0..OPEN_TRIES {
            outcome = match self.write_plan(operations.clone()).await {
                Ok(Written::Yes) => return Ok(Opened::Created),
                Ok(Written::Lost(_)) => StoreError::Conflict,
                Ok(Written::Busy) => StoreError::Throttled,
                Err(error @ (StoreError::Ambiguous(_) | StoreError::Throttled)) => error,
                Err(error) => return Err(error),
            };
            // Whatever was answered: what the table holds is the truth. A retry inside the SDK may even have lost to its own
            // first try, which is why the write carries a mark.
            if let Some(item) = self.get(keys::plan(&new.plan.key)).await? {
                return match wrote(&item, &mark) {
                    true => Ok(Opened::Created),
                    false => Ok(Opened::Exists(Box::new(rows::record(&new.plan.key, &item)?))),
                };
            }
            match outcome {
                StoreError::Throttled => {}
                // It may still land, so it is not sent again as if it had not.
                StoreError::Ambiguous(_) | StoreError::Conflict | StoreError::Corrupt(_) | StoreError::Refused(_) => break,
            }
        }
        Err(outcome)
    }

    async fn load(&self, key: &PlanKey) -> Result<Option<PlanRecord>, StoreError> {
        self.get(keys::plan(key)).await?.map(|item| rows::record(key, &item)).transpose()
    }

    async fn record(&self, key: &PlanKey, change: &Change) -> Result<(), StoreError> {
        let mark = write_mark();
        match self.write_plan(rows::recording(&self.name, key, change, &mark)?).await {
            Ok(Written::Yes) => Ok(()),
            Ok(Written::Lost(Some(item))) if wrote(&item, &mark) => Ok(()),
            Ok(Written::Lost(Some(_))) => Err(StoreError::Conflict),
            // DynamoDB does not always say what it compared with.
            Ok(Written::Lost(None)) => self.written_after_all(key, &mark, StoreError::Conflict).await,
            // Whoever has the item in hand will have moved the version: read again.
            Ok(Written::Busy) => Err(StoreError::Conflict),
            // An earlier try of the SDK may have got through before this answer.
            Err(error @ (StoreError::Ambiguous(_) | StoreError::Throttled)) => self.written_after_all(key, &mark, error).await,
            Err(error) => Err(error),
        }
    }

    async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<PlanKey>, StoreError> {
        let shards = (0..keys::DUE_SHARDS).map(|shard| {
            let range = Range::index(keys::due_partition(shard)).sort(Sort::Before(keys::after_instant(now)));
            self.range(range, limit, |item| {
                let place = item::text(item, keys::GSI1SK)?;
                keys::parse_due_place(place).ok_or_else(|| item::corrupt(item, "it names no plan"))
            })
        });
        let mut due: Vec<(Timestamp, PlanKey)> = futures::future::try_join_all(shards).await?.into_iter().flatten().collect();
        due.sort();
        Ok(due.into_iter().take(limit).map(|(_, key)| key).collect())
    }

    async fn open_plans(&self, customer: &CustomerId, cluster: &ClusterId) -> Result<Vec<PlanRecord>, StoreError> {
        let marks = Range::table(keys::open_marks(customer, cluster));
        let open = self
            .range(marks, usize::MAX, |item| {
                let plan = keys::marked_plan(customer, cluster, item::text(item, keys::SK)?);
                plan.ok_or_else(|| item::corrupt(item, "it names no plan"))
            })
            .await?;
        let items = self.get_many(open.iter().map(keys::plan).collect()).await?;
        let mut plans: Vec<PlanRecord> = items.iter().filter_map(readable).collect();
        // A plan may have ended between the two reads.
        plans.retain(|record| record.progress.outcome.is_none());
        plans.sort_by(|a, b| a.plan.key.cmp(&b.plan.key));
        Ok(plans)
    }

    async fn audit(&self, key: &PlanKey) -> Result<Vec<AuditRow>, StoreError> {
        let rows = Range::table(keys::plan(key).pk).sort(Sort::Prefix(keys::AUDIT_PREFIX));
        let mut rows: Vec<AuditRow> = self.range(rows, usize::MAX, item::body).await?;
        rows.sort_by(|a, b| (a.opened_at, &a.id).cmp(&(b.opened_at, &b.id)));
        Ok(rows)
    }

    async fn put_spot_event(&self, event: &SpotEvent) -> Result<(), StoreError> {
        let put = self.client.put_item().table_name(&self.name).set_item(Some(rows::spot_event(event)?));
        match put.condition_expression("attribute_not_exists(pk)").send().await {
            Ok(_) => Ok(()),
            // Once per id: what was recorded first stays, also when a plan has taken the event over since.
            Err(error) => match super::errors::store_error(&error) {
                StoreError::Conflict => Ok(()),
                other @ (StoreError::Ambiguous(_) | StoreError::Throttled | StoreError::Corrupt(_) | StoreError::Refused(_)) => Err(other),
            },
        }
    }

    async fn spot_events(&self, customer: &CustomerId, before: Option<Timestamp>, limit: usize) -> Result<Vec<SpotEvent>, StoreError> {
        let sort = before.map_or(Sort::All, |before| Sort::Before(keys::instant(before)));
        self.range(Range::index(keys::spot_events(customer)).sort(sort).descending(), limit, item::body).await
    }

    async fn operation(&self, customer: &CustomerId, id: &str) -> Result<Option<Operation>, StoreError> {
        self.get(keys::operation(customer, id)).await?.map(|item| item::body(&item)).transpose()
    }
}

impl Table {
    /// `Ok` if our write is in the table; else what was answered stands. A read that fails changes nothing about that.
    async fn written_after_all(&self, key: &PlanKey, mark: &str, answered: StoreError) -> Result<(), StoreError> {
        let there = self.get(keys::plan(key)).await.ok().flatten();
        if there.is_some_and(|item| wrote(&item, mark)) { Ok(()) } else { Err(answered) }
    }
}

/// A plan of a list, or a line in the log.
pub(super) fn readable(item: &Item) -> Option<PlanRecord> {
    let record = rows::any_record(item);
    record.inspect_err(|error| tracing::error!(%error, "A plan cannot be read and is left out of a list")).ok()
}

/// Marks one write, so that it can be told from an equal one of another worker.
fn write_mark() -> String {
    format!("{:032x}", fastrand::u128(..))
}

fn wrote(item: &Item, mark: &str) -> bool {
    item.get(WRITE).and_then(|value| value.as_s().ok()).is_some_and(|written| written == mark)
}
