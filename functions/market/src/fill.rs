//! Holes in price histories, filled from what the source remembers; and what was filled, taken out again.

use crate::{Deps, Trouble, within};
use domain::SignedDuration;
use domain::ids::InstanceType;
use domain::market::{FILL_BATCH, FILL_FAILURES_MAX, FillProgress, FillState, FillWish, FilledPool, PricePoint, PriceSeries};
use domain::offering::Pool;
use domain::ports::StoreError;
use runtime::deadline::Budget;
use std::collections::BTreeMap;
use tracing::{info, warn};

/// How many wishes are looked at, the newest: older ones have long ended.
const WISHES: usize = 50;
/// How many pools are written between two looks at the time.
const WRITES: usize = 250;
/// A batch that would begin with less time than this waits for the next run.
const BATCH_NEEDS: SignedDuration = SignedDuration::from_secs(5);

/// Goes on with what is asked for, the oldest first, for as long as there is time.
///
/// # Errors
/// The table did not answer; the next run goes on.
pub(crate) async fn go_on(deps: &Deps, budget: Budget) -> Result<(), StoreError> {
    let mut wishes = deps.wishes.fill_wishes(WISHES).await?;
    wishes.reverse();
    for wish in wishes {
        let progress = deps.work.fill_progress(&wish.id).await?;
        let state = progress.as_ref().map(|progress| progress.state);
        match (&wish.undo, state) {
            (_, Some(FillState::Undone)) => {}
            (Some(_), _) => undo(deps, budget, &wish, progress).await?,
            (None, None | Some(FillState::Running)) => fill(deps, budget, &wish, progress).await?,
            (None, Some(FillState::Done | FillState::Failed)) => {}
        }
        if spent(deps, budget) {
            break;
        }
    }
    Ok(())
}

fn spent(deps: &Deps, budget: Budget) -> bool {
    budget.left(&*deps.clock) < BATCH_NEEDS
}

/// Batch after batch. What is written says how far it is: a run that dies goes on at the batch it was at, and writes the same again.
async fn fill(deps: &Deps, budget: Budget, wish: &FillWish, progress: Option<FillProgress>) -> Result<(), StoreError> {
    let mut progress = progress.unwrap_or_else(|| FillProgress::begin(wish, deps.clock.now()));
    while let Some(types) = wish.types.chunks(FILL_BATCH).nth(usize::try_from(progress.batches_done).unwrap_or(usize::MAX)) {
        if spent(deps, budget) {
            return Ok(());
        }
        match batch(deps, budget, wish, types).await {
            Ok((pools, points)) => {
                progress.batches_done += 1;
                progress.pools += pools;
                progress.points += points;
                (progress.failures, progress.why) = (0, None);
            }
            Err(Trouble::OutOfTime) => return Ok(()),
            Err(Trouble::Store(error)) => return Err(error),
            Err(trouble) => {
                warn!(fill = wish.id, region = %wish.region, error = %trouble, "A batch of a filling was not read");
                progress.failures += 1;
                progress.why = Some(trouble.to_string());
            }
        }
        progress.updated_at = deps.clock.now();
        if progress.failures >= FILL_FAILURES_MAX {
            progress.state = FillState::Failed;
            deps.meter.count("market_fills", "failed");
        }
        deps.work.put_fill_progress(&progress).await?;
        if progress.failures > 0 {
            // The source is not asked again at once.
            return Ok(());
        }
    }
    progress.state = FillState::Done;
    progress.updated_at = deps.clock.now();
    deps.work.put_fill_progress(&progress).await?;
    deps.meter.count("market_fills", "done");
    info!(fill = wish.id, region = %wish.region, pools = progress.pools, points = progress.points, "Holes were filled");
    Ok(())
}

/// One batch: how many pools grew, and by how many points.
async fn batch(deps: &Deps, budget: Budget, wish: &FillWish, types: &[InstanceType]) -> Result<(u32, u32), Trouble> {
    let now = deps.clock.now();
    let read = within(deps, budget, deps.source.spot_prices(&wish.region, types, wish.since)).await?;
    let mut past: BTreeMap<Pool, Vec<PricePoint>> = BTreeMap::new();
    for price in read.into_iter().filter(|price| price.since <= now && price.price_per_hour.0 > 0) {
        past.entry(price.pool).or_default().push(PricePoint { at: price.since, price_per_hour: price.price_per_hour });
    }
    let pools: Vec<Pool> = past.keys().cloned().collect();
    let mut known: BTreeMap<Pool, PriceSeries> = deps.store.spot_series(&wish.region, &pools).await?.into_iter().collect();
    let (mut filled, mut series) = (Vec::new(), Vec::new());
    for (pool, points) in past {
        let before = known.remove(&pool).unwrap_or_default();
        if let Some((of, after)) = FilledPool::new(&wish.id, &pool, &before, points) {
            filled.push(of);
            series.push((pool, after));
        }
    }
    let points = filled.iter().map(|of| of.added.len()).sum::<usize>();
    for (filled, series) in filled.chunks(WRITES).zip(series.chunks(WRITES)) {
        // The mark first: a point is never there without it.
        deps.work.put_filled(&wish.region, filled).await?;
        deps.store.put_spot_series(&wish.region, series).await?;
    }
    Ok((u32::try_from(filled.len()).unwrap_or(u32::MAX), u32::try_from(points).unwrap_or(u32::MAX)))
}

async fn undo(deps: &Deps, budget: Budget, wish: &FillWish, progress: Option<FillProgress>) -> Result<(), StoreError> {
    let mut progress = progress.unwrap_or_else(|| FillProgress::begin(wish, deps.clock.now()));
    let filled = deps.work.filled_by(&wish.id, usize::MAX).await?;
    for some in filled.chunks(WRITES) {
        if spent(deps, budget) {
            // What was taken out is out: taking it out again changes nothing.
            return Ok(());
        }
        let pools: Vec<Pool> = some.iter().map(|of| of.pool.clone()).collect();
        let known: BTreeMap<Pool, PriceSeries> = deps.store.spot_series(&wish.region, &pools).await?.into_iter().collect();
        let without = some.iter().filter_map(|of| known.get(&of.pool).map(|series| (of.pool.clone(), of.undone(series))));
        deps.store.put_spot_series(&wish.region, &without.collect::<Vec<_>>()).await?;
        deps.work.unmark(&wish.region, some).await?;
    }
    progress.state = FillState::Undone;
    progress.updated_at = deps.clock.now();
    deps.work.put_fill_progress(&progress).await?;
    deps.meter.count("market_fills", "undone");
    info!(fill = wish.id, region = %wish.region, pools = filled.len(), "A filling was undone");
    Ok(())
}
