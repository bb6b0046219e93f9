//! What the journal writes: the items of one write, with the condition on the plan's item, which goes first.

use crate::store::item::{self, Item, n, s};
use crate::store::keys::{self, EXPIRES_AT, GSI1PK, GSI1SK};
use crate::store::schema::incomplete;
use aws_sdk_dynamodb::types::{Delete, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update};
use domain::Timestamp;
use domain::audit::AuditRow;
use domain::operation::Operation;
use domain::plan::{Plan, PlanKey, PlanRecord, Progress};
use domain::ports::{Change, NewPlan, StoreError};
use domain::spot_event::SpotEvent;
use std::collections::BTreeMap;

/// The progress of a plan as JSON, beside the plan in `body`: every write replaces it, the plan never changes.
const PROGRESS: &str = "progress";
/// The version of the progress: what the condition compares.
const VERSION: &str = "version";
/// The mark of the last write.
pub(super) const WRITE: &str = "write";

/// How long history is kept after it was made: finished plans, spot events and operations, in days.
const HISTORY_DAYS: i64 = 90;
/// And audit rows: a year and the month in which auditors ask for it.
const AUDIT_DAYS: i64 = 400;

/// The one write that opens a plan.
pub(super) fn opening(table: &str, new: &NewPlan, mark: &str) -> Result<Vec<TransactWriteItem>, StoreError> {
    let key = &new.plan.key;
    let mut plan = item::item(keys::plan(key), "plan", &new.plan)?;
    plan.insert(PROGRESS.to_owned(), s(item::to_json(&new.progress)?));
    plan.insert(VERSION.to_owned(), n(new.progress.version));
    plan.insert(WRITE.to_owned(), s(mark));
    let mut operations = Vec::new();
    if new.progress.outcome.is_some() {
        item::expire(&mut plan, finished_until(&new.progress));
        operations.push(item::put_if_free(table, plan)?);
    } else {
        item::index(&mut plan, keys::due_shard(key), keys::due_place(new.progress.due_at, key));
        operations.push(item::put_if_free(table, plan)?);
        operations.push(item::put(table, item::key_attributes(keys::open_mark(key)))?);
    }
    let mut listed = item::key_attributes(keys::listed_plan(key, new.plan.created_at));
    item::expire(&mut listed, item::days_after(new.plan.deadline.max(new.plan.created_at), HISTORY_DAYS));
    operations.push(item::put(table, listed)?);
    operations.extend(belongings(table, key, &new.audit, new.spot_event.as_ref())?);
    if let Some(operation) = &new.operation {
        operations.push(item::put(table, operation_item(key, operation)?)?);
    }
    Ok(operations)
}

/// The one write that goes on with a plan.
pub(super) fn recording(table: &str, key: &PlanKey, change: &Change, mark: &str) -> Result<Vec<TransactWriteItem>, StoreError> {
    let progress = &change.progress;
    // Version 0 is what `open` writes; nothing can come before it.
    let expected = progress.version.checked_sub(1).ok_or(StoreError::Conflict)?;
    let finished = progress.outcome.is_some();
    let update = Update::builder()
        .table_name(table)
        .set_key(Some(item::key_attributes(keys::plan(key))))
        .condition_expression("#version = :expected")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .expression_attribute_names("#progress", PROGRESS)
        .expression_attribute_names("#version", VERSION)
        .expression_attribute_names("#write", WRITE)
        .expression_attribute_names("#due", GSI1PK)
        .expression_attribute_names("#place", GSI1SK)
        .expression_attribute_names("#expires", EXPIRES_AT)
        .expression_attribute_values(":progress", s(item::to_json(progress)?))
        .expression_attribute_values(":version", n(progress.version))
        .expression_attribute_values(":expected", n(expected))
        .expression_attribute_values(":write", s(mark));
    let set = "SET #progress = :progress, #version = :version, #write = :write";
    let update = if finished {
        update
            .update_expression(format!("{set}, #expires = :expires REMOVE #due, #place"))
            .expression_attribute_values(":expires", n(finished_until(progress).as_second()))
    } else {
        update
            .update_expression(format!("{set}, #due = :due, #place = :place REMOVE #expires"))
            .expression_attribute_values(":due", s(keys::due_shard(key)))
            .expression_attribute_values(":place", s(keys::due_place(progress.due_at, key)))
    };
    let mut operations = vec![TransactWriteItem::builder().update(update.build().map_err(incomplete)?).build()];
    if finished {
        let mark = Delete::builder().table_name(table).set_key(Some(item::key_attributes(keys::open_mark(key))));
        operations.push(TransactWriteItem::builder().delete(mark.build().map_err(incomplete)?).build());
    }
    operations.extend(belongings(table, key, &change.audit, change.spot_event.as_ref())?);
    Ok(operations)
}

/// The item of a spot event. It stands under its id and is listed by the time at which it was received, so that it can be
/// written again with another time and is still one event.
pub(super) fn spot_event(event: &SpotEvent) -> Result<Item, StoreError> {
    let mut item = item::item(keys::spot_event(&event.customer, &event.event_id), "spot-event", event)?;
    item::index(&mut item, keys::spot_events(&event.customer), keys::spot_event_place(event.received_at, &event.event_id));
    item::expire(&mut item, item::days_after(event.received_at, HISTORY_DAYS));
    Ok(item)
}

/// Reads a plan that was asked for by its key.
pub(super) fn record(key: &PlanKey, item: &Item) -> Result<PlanRecord, StoreError> {
    let record = any_record(item)?;
    if record.plan.key != *key {
        return Err(item::corrupt(item, "it holds another plan"));
    }
    Ok(record)
}

/// Reads a plan.
pub(super) fn any_record(item: &Item) -> Result<PlanRecord, StoreError> {
    let plan: Plan = item::body(item)?;
    let progress: Progress = item::json(item, PROGRESS)?;
    // The condition compares the attribute, the step machine the progress: they must never part.
    if item::number::<u64>(item, VERSION)? != progress.version {
        return Err(item::corrupt(item, "its version is not that of its progress"));
    }
    if plan.steps.len() != progress.steps.len() {
        return Err(item::corrupt(item, "it has progress of other steps"));
    }
    Ok(PlanRecord { plan, progress })
}

/// Audit rows and spot event.
fn belongings(table: &str, key: &PlanKey, rows: &[AuditRow], event: Option<&SpotEvent>) -> Result<Vec<TransactWriteItem>, StoreError> {
    // A transaction may name an item once: a row that was opened and closed since the last write goes in as it is now.
    let latest: BTreeMap<&str, &AuditRow> = rows.iter().map(|row| (row.id.as_str(), row)).collect();
    let mut puts = Vec::with_capacity(latest.len() + 1);
    for row in latest.into_values() {
        let mut item = item::item(keys::audit(key, &row.id), "audit", row)?;
        item::expire(&mut item, item::days_after(row.opened_at, AUDIT_DAYS));
        item::index(&mut item, keys::actions(&key.customer), keys::action_place(row.opened_at, key, &row.id));
        puts.push(item::put(table, item)?);
    }
    if let Some(event) = event {
        if event.customer != key.customer {
            return Err(StoreError::Refused("the spot event is another customer's".to_owned()));
        }
        puts.push(item::put(table, spot_event(event)?)?);
    }
    Ok(puts)
}

fn operation_item(key: &PlanKey, operation: &Operation) -> Result<Item, StoreError> {
    let mut item = item::item(keys::operation(&key.customer, &operation.id), "operation", operation)?;
    item::index(&mut item, keys::operations(&key.customer), keys::operation_place(operation.created_at, &operation.id));
    item::expire(&mut item, item::days_after(operation.created_at, HISTORY_DAYS));
    Ok(item)
}

/// The last date that a finished plan's progress holds for certain is the one at which it would have been looked at again.
fn finished_until(progress: &Progress) -> Timestamp {
    item::days_after(progress.due_at, HISTORY_DAYS)
}
