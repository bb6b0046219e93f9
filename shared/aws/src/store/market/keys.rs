//! Keys of the decision server's table. Nothing else in the crate spells one.
//!
//! All of them begin with `M#`: what the market says to everybody. Nothing here is a customer's, so no wall is needed.

use super::super::keys::Key;
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
