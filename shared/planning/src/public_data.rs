//! What day zero knows without asking anybody: instance types, prices, and how often spot instances are taken back.
//!
//! The tables lie in `data/` beside the sources, 0.4 MB in all; `data/README.md` says where each comes from. They are read
//! once, when they are first asked for. What is fresher than they are is laid over them: [`Catalogue::with_advisor`],
//! [`Catalogue::with_on_demand`].

mod advisor_file;
mod decimal;
mod price_list;
mod refresh;
mod rows;
mod sheet;

pub use advisor_file::{ADVISOR_BYTES_MAX, AdvisorFault, parse_advisor};
pub use decimal::usd;
pub use price_list::{PRICE_LIST_BYTES_MAX, PriceListFault, parse_price_list};
pub use refresh::{HISTORY_KEPT, changed_series};
pub use sheet::{BadTable, Sheet};

use domain::catalog::TypeInfo;
use domain::ids::{InstanceType, Region};
use domain::market::{Advice, PriceSource, Quote};
use domain::money::MicroDollars;
use std::sync::LazyLock;

/// Every type, and what is known of its prices and its interruptions in each Region.
#[derive(Debug, Clone)]
pub struct Catalogue {
    /// By name, in order.
    types: Vec<TypeInfo>,
    on_demand: Sheet<Quote>,
    reserved: Sheet<MicroDollars>,
    advisor: Sheet<Advice>,
}

static EMBEDDED: LazyLock<Catalogue> = LazyLock::new(|| {
    // The tables are part of the program: a test reads them in every build, so a fault here is ours and not the world's.
    Catalogue::read(
        include_str!("../data/instance_types.csv"),
        include_str!("../data/on_demand.csv"),
        include_str!("../data/reserved.csv"),
        include_str!("../data/spot_advisor.csv"),
    )
    .unwrap_or_else(|fault| panic!("the embedded tables: {fault}"))
});

impl Catalogue {
    /// The embedded tables. The first call reads them, which takes some milliseconds; later calls cost nothing.
    pub fn embedded() -> &'static Catalogue {
        &EMBEDDED
    }

    fn read(types: &str, on_demand: &str, reserved: &str, advisor: &str) -> Result<Catalogue, BadTable> {
        Ok(Catalogue {
            types: rows::types(types)?,
            on_demand: Sheet::read("on_demand", on_demand, |cell, as_of| {
                Some(Quote { price_per_hour: usd(cell)?, source: PriceSource::PublicEstimate { as_of } })
            })?,
            reserved: Sheet::read("reserved", reserved, |cell, _| usd(cell))?,
            advisor: Sheet::read("spot_advisor", advisor, rows::advice)?,
        })
    }

    /// One type. `None` for a type that is newer than the tables, or so old that AWS sells it no more.
    pub fn get(&self, instance_type: &InstanceType) -> Option<&TypeInfo> {
        let at = self.types.binary_search_by(|known| known.name.cmp(instance_type)).ok()?;
        self.types.get(at)
    }

    /// Every type, by name.
    pub fn iter(&self) -> impl Iterator<Item = &TypeInfo> {
        self.types.iter()
    }

    /// The on-demand price of an hour: Linux, shared tenancy, without discounts. `None`: not sold there, or not known.
    pub fn on_demand(&self, region: &Region, instance_type: &InstanceType) -> Option<MicroDollars> {
        self.on_demand_quote(region, instance_type).map(|quote| quote.price_per_hour)
    }

    /// The on-demand price with how it is known: out of the embedded table, or answered by AWS since.
    pub fn on_demand_quote(&self, region: &Region, instance_type: &InstanceType) -> Option<Quote> {
        self.on_demand.get(region, instance_type).map(|(quote, _)| *quote)
    }

    /// What an hour costs under a standard reservation of one year without upfront payment. Known for three Regions
    /// (`us-east-1`, `us-west-2`, `eu-west-1`). For most types it is also the rate of an EC2 instance savings plan of one year.
    pub fn reserved(&self, region: &Region, instance_type: &InstanceType) -> Option<MicroDollars> {
        self.reserved.get(region, instance_type).map(|(price, _)| *price)
    }

    /// What the Spot Advisor says of Linux instances of a type in a Region, and of which date it is.
    pub fn advisor(&self, region: &Region, instance_type: &InstanceType) -> Option<Advice> {
        self.advisor.get(region, instance_type).map(|(advice, _)| *advice)
    }

    /// What an hour of spot should cost where no price was ever read: the on-demand price less the Spot Advisor's savings,
    /// marked as an estimate, rounded down. It knows no zones: the dearest zone of a type was 1.2 times the cheapest in the
    /// median of `us-east-1` and 3.3 times at worst (2022-05). `None` where either is unknown: a guess is never made of nothing.
    pub fn spot_estimate(&self, region: &Region, instance_type: &InstanceType) -> Option<Quote> {
        let (full, priced) = self.on_demand.get(region, instance_type)?;
        let (advice, advised) = self.advisor.get(region, instance_type)?;
        let share = 100 - i64::from(advice.savings_percent);
        let price_per_hour = MicroDollars(full.price_per_hour.0.saturating_mul(share) / 100);
        Some(Quote { price_per_hour, source: PriceSource::PublicEstimate { as_of: priced.min(advised) } })
    }

    /// The Regions with on-demand prices, by name.
    pub fn regions(&self) -> impl Iterator<Item = &Region> {
        self.on_demand.regions()
    }

    /// The same with a fresher Spot Advisor file. What the fresh file does not name keeps what was known.
    #[must_use]
    pub fn with_advisor(mut self, fresh: Sheet<Advice>) -> Catalogue {
        self.advisor.overlay(fresh);
        self
    }

    /// The same with fresher on-demand prices, as AWS answered them. What they do not name keeps its old price.
    #[must_use]
    pub fn with_on_demand(mut self, fresh: Sheet<MicroDollars>) -> Catalogue {
        self.on_demand.overlay(fresh.map(|price_per_hour, at| Quote { price_per_hour, source: PriceSource::Observed { at } }));
        self
    }
}

#[cfg(test)]
mod tests;
