//! On-demand prices of one Region.

use crate::{Deps, Trouble, within};
use domain::Timestamp;
use domain::ids::{InstanceType, Region};
use domain::market::{Part, PriceSource, Quote};
use planning::public_data::parse_price_list;
use runtime::deadline::Budget;
use std::collections::BTreeMap;

/// Reads the Price List and writes its prices. What it does not name keeps its price.
pub(crate) async fn refresh(deps: &Deps, budget: Budget, region: &Region) -> Result<(), Trouble> {
    let now = deps.clock.now();
    let documents = within(deps, budget, deps.source.on_demand(region)).await?;
    let sheet = parse_price_list(documents.iter().map(String::as_str), now)?;
    let observed = |price| Quote { price_per_hour: price, source: PriceSource::Observed { at: now } };
    let mut fresh: Vec<(InstanceType, Quote)> = sheet.column(region).map(|(name, price)| (name.clone(), observed(*price))).collect();
    if fresh.is_empty() {
        return Err(Trouble::Empty);
    }
    let known: BTreeMap<InstanceType, Quote> = deps.store.on_demand(region).await?.into_iter().collect();
    // What a worker with a later clock has written is not taken back.
    fresh.retain(|(name, _)| known.get(name).is_none_or(|quote| said_at(quote) <= now));
    deps.store.put_on_demand(region, &fresh).await?;
    Ok(deps.store.put_refreshed(region, Part::OnDemand, now).await?)
}

fn said_at(quote: &Quote) -> Timestamp {
    match quote.source {
        PriceSource::Observed { at } | PriceSource::PublicEstimate { as_of: at } => at,
    }
}
