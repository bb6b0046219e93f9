//! Keys of the decision server's table. Nothing else in the crate spells one.
//!
//! What begins with `M#` is what the market says to everybody, and what was done to read it; only the function `market` writes it. What
//! became of predictions (`O#`), models and predictions (`D#`) and wishes (`J#`) are the decision server's. Nothing here is a customer's,
//! so no wall is needed.

use super::super::keys::{Key, instant};
use domain::Timestamp;
use domain::decision::PredictionOutcome;
use domain::ids::{InstanceType, Region};
use domain::market::{FilledPool, Part};
use domain::offering::Pool;

fn key(pk: String, sk: impl Into<String>) -> Key {
    Key { pk, sk: sk.into() }
}

/// The price series of a pool. A partition per type spreads a Region's thousands of pools: one partition takes 1,000 writes a
/// second.
pub(super) fn spot(region: &Region, pool: &Pool) -> Key {
    key(format!("M#{region}#SPOT#{}", pool.instance_type), pool.zone.as_str())
}

/// The partition of a Region's on-demand prices.
pub(super) fn on_demand_prices(region: &Region) -> String {
    format!("M#{region}#ON-DEMAND")
}

/// The on-demand price of a type.
pub(super) fn on_demand(region: &Region, instance_type: &InstanceType) -> Key {
    key(on_demand_prices(region), instance_type.as_str())
}

/// What the Spot Advisor says of a Region.
pub(super) fn advice(region: &Region) -> Key {
    key(format!("M#{region}#ADVICE"), "ADVICE")
}

/// The version of the Spot Advisor's file. A Region's name holds no capital, so none can be taken for this.
pub(super) fn advisor_version() -> Key {
    key("M#ADVISOR".to_owned(), "VERSION")
}

/// The partition of the times at which a Region was read.
pub(super) fn reads(region: &Region) -> String {
    format!("M#{region}#READ")
}

/// When a part of a Region was last read.
pub(super) fn read(region: &Region, part: Part) -> Key {
    let name = match part {
        Part::SpotPrices => "SPOT-PRICES",
        Part::OnDemand => "ON-DEMAND",
        Part::Advisor => "ADVISOR",
    };
    key(reads(region), name)
}

/// The partition of what fillings changed in the pools of a type.
pub(super) fn marks(region: &Region, instance_type: &InstanceType) -> String {
    format!("M#{region}#FILLED#{instance_type}")
}

/// What a filling changed in one pool, as the pool knows it.
pub(super) fn mark(region: &Region, of: &FilledPool) -> Key {
    key(marks(region, &of.pool.instance_type), format!("{}#{}", of.pool.zone, of.job))
}

/// The partition of what a filling changed.
pub(super) fn filled_by(job: &str) -> String {
    format!("M#FILL#{job}")
}

/// What a filling changed in one pool, as the filling knows it.
pub(super) fn filled(of: &FilledPool) -> Key {
    key(filled_by(&of.job), format!("{}/{}", of.pool.instance_type, of.pool.zone))
}

/// How far a filling is.
pub(super) fn fill_progress(job: &str) -> Key {
    key("M#FILLS".to_owned(), job)
}

/// The partition of a day's runs.
fn run_day(at: Timestamp) -> String {
    format!("M#RUNS#{}", at.strftime("%Y-%m-%d"))
}

/// What a run did.
pub(super) fn run(at: Timestamp) -> Key {
    key(run_day(at), format!("{}#RUN", instant(at)))
}

/// The partitions of runs in a period, newest first.
pub(super) fn run_days(since: Timestamp, now: Timestamp) -> Vec<String> {
    days(since, now, run_day)
}

/// The partition of wishes for fillings.
pub(super) fn fill_wishes() -> String {
    "J#FILLS".to_owned()
}

/// A wish for a filling.
pub(super) fn fill_wish(id: &str) -> Key {
    key(fill_wishes(), id)
}

/// The last wish for a Region to be read anew.
pub(super) fn refresh_wish(region: &Region) -> Key {
    key("J#REFRESH".to_owned(), region.as_str())
}

/// How often the market is read.
pub(super) fn schedule() -> Key {
    key("J#SCHEDULE".to_owned(), "SCHEDULE")
}

/// The partition of the list of models.
pub(super) fn models() -> String {
    "D#MODELS".to_owned()
}

/// The entry of a model.
pub(super) fn model(id: &str) -> Key {
    key(models(), id)
}

/// The partition of a model's file.
pub(super) fn model_file(id: &str) -> String {
    format!("D#MODEL#{id}")
}

/// A piece of a model's file.
pub(super) fn model_piece(id: &str, number: usize) -> Key {
    key(model_file(id), format!("{number:04}"))
}

/// What is known of an upload. A partition for each: nobody lists them.
pub(super) fn upload(id: &str) -> Key {
    key(format!("D#UPLOAD#{id}"), "UPLOAD")
}

/// Which model speaks.
pub(super) fn deployment() -> Key {
    key("D#STATE".to_owned(), "STATE")
}

/// The partition of a day's predictions: as large as a day's outcomes.
fn prediction_day(at: Timestamp) -> String {
    format!("D#LOG#{}", at.strftime("%Y-%m-%d"))
}

/// A batch of predictions.
pub(super) fn predictions(at: Timestamp, id: &str) -> Key {
    key(prediction_day(at), format!("{}#{id}", instant(at)))
}

/// The partitions of predictions in a period, newest first.
pub(super) fn prediction_days(since: Timestamp, now: Timestamp) -> Vec<String> {
    days(since, now, prediction_day)
}

/// One partition a day: a day's outcomes of a thousand clusters are some hundred megabytes at most, and old days are not touched.
fn outcome_day(at: Timestamp) -> String {
    format!("O#{}", at.strftime("%Y-%m-%d"))
}

/// What became of one prediction.
pub(super) fn outcome(of: &PredictionOutcome) -> Key {
    key(outcome_day(of.predicted_at), format!("{}#{}", instant(of.predicted_at), of.id))
}

/// The place before all of this instant, where places begin with theirs.
pub(super) fn from_instant(since: Timestamp) -> String {
    instant(since)
}

/// The partitions of outcomes in a period, newest first.
pub(super) fn outcome_days(since: Timestamp, now: Timestamp) -> Vec<String> {
    days(since, now, outcome_day)
}

/// The partitions of a period, newest first; no more than four months of them.
fn days(since: Timestamp, now: Timestamp, of: fn(Timestamp) -> String) -> Vec<String> {
    let mut days = Vec::new();
    let mut at = now;
    while at >= since && days.len() < 124 {
        days.push(of(at));
        at = at.saturating_add(-domain::SignedDuration::from_hours(24)).unwrap_or(Timestamp::MIN);
    }
    let first = of(since);
    if since <= now && !days.contains(&first) {
        days.push(first);
    }
    days
}
