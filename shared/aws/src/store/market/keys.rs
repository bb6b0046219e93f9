//! Keys of the decision server's table. Nothing else in the crate spells one.
//!
//! What begins with `M#` is what the market says to everybody, and what begins with `O#` is what became of predictions; the decision
//! server may write the latter only. Nothing here is a customer's, so no wall is needed.

use super::super::keys::{Key, instant};
use domain::Timestamp;
use domain::decision::PredictionOutcome;
use domain::ids::{InstanceType, Region};
use domain::market::Part;
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

/// One partition a day: a day's outcomes of a thousand clusters are some hundred megabytes at most, and old days are not touched.
fn outcome_day(at: Timestamp) -> String {
    format!("O#{}", at.strftime("%Y-%m-%d"))
}

/// What became of one prediction.
pub(super) fn outcome(of: &PredictionOutcome) -> Key {
    key(outcome_day(of.predicted_at), format!("{}#{}", instant(of.predicted_at), of.id))
}

/// The place before all outcomes of this instant.
pub(super) fn outcomes_from(since: Timestamp) -> String {
    instant(since)
}

/// The partitions of a period, newest first; no more than four months of them.
pub(super) fn outcome_days(since: Timestamp, now: Timestamp) -> Vec<String> {
    let mut days = Vec::new();
    let mut at = now;
    while at >= since && days.len() < 124 {
        days.push(outcome_day(at));
        at = at.saturating_add(-domain::SignedDuration::from_hours(24)).unwrap_or(Timestamp::MIN);
    }
    let first = outcome_day(since);
    if since <= now && !days.contains(&first) {
        days.push(first);
    }
    days
}
