//! Spot prices of one Region.

use crate::{Deps, Trouble, within};
use domain::ids::Region;
use domain::market::Part;
use domain::offering::Pool;
use domain::{SignedDuration, Timestamp};
use planning::public_data::{HISTORY_KEPT, changed_series};
use runtime::deadline::Budget;
use std::collections::BTreeSet;

/// How far a read reaches back behind the last one: a change may be told some minutes late.
const OVERLAP: SignedDuration = SignedDuration::from_hours(1);
/// How many series are written between two looks at the time: two seconds at worst.
const WRITES: usize = 500;

/// Reads what has changed since the last read, and writes the pools whose price changed.
///
/// The first read of a Region takes [`HISTORY_KEPT`] of its past: some 100 pages. Later ones are a page per 1,000 pools.
pub(crate) async fn refresh(deps: &Deps, budget: Budget, region: &Region, last: Option<Timestamp>) -> Result<(), Trouble> {
    let now = deps.clock.now();
    // A time in the future is another clock's, and says nothing of what was read.
    let known_until = last.filter(|last| *last <= now).map(|last| last.saturating_add(-OVERLAP).unwrap_or(last));
    let oldest = now.saturating_add(-HISTORY_KEPT).unwrap_or(now);
    let since = known_until.map_or(oldest, |until| until.max(oldest));
    let mut read = within(deps, budget, deps.source.spot_prices(region, &[], since)).await?;
    // Each pool is told with the price that held at `since`, so a market without any is no market.
    if read.is_empty() {
        return Err(Trouble::Empty);
    }
    // A price that is to hold later is told again when it does. What held before was written by the read that found it.
    read.retain(|price| price.since <= now && known_until.is_none_or(|until| price.since >= until));
    let pools: Vec<Pool> = read.iter().map(|price| price.pool.clone()).collect::<BTreeSet<_>>().into_iter().collect();
    let known = deps.store.spot_series(region, &pools).await?;
    for some in changed_series(known, read, now).chunks(WRITES) {
        if budget.spent(&*deps.clock) {
            return Err(Trouble::OutOfTime);
        }
        deps.store.put_spot_series(region, some).await?;
    }
    // Last: a run that dies before reads the same again, and writes only what is missing.
    Ok(deps.store.put_refreshed(region, Part::SpotPrices, now).await?)
}
