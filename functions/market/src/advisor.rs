//! The Spot Advisor: one file for all Regions.

use crate::{Deps, Trouble, within};
use domain::ids::{InstanceType, Region};
use domain::market::{Advice, Part, Refreshed};
use domain::ports::StoreError;
use domain::{SignedDuration, Timestamp};
use planning::public_data::{ADVISOR_BYTES_MAX, Sheet, parse_advisor};
use runtime::deadline::Budget;

/// A Region that was read within this time has the version that is kept, or the one before; one that was not may have none.
const HAS_THE_VERSION: SignedDuration = SignedDuration::from_hours(24);

/// Reads the file where it is new, and writes what it says of every Region: also of those that are not yet due, because the next
/// run will not be given this version again. One answer per Region that was due; an error of the file is every Region's.
pub(crate) async fn refresh(
    deps: &Deps,
    budget: Budget,
    due: &[Region],
    regions: &[(Region, Refreshed)],
) -> Vec<(Region, Result<(), Trouble>)> {
    let now = deps.clock.now();
    let fresh = match read(deps, budget, regions, now).await {
        Ok(fresh) => fresh,
        Err(why) => return failed(due, why),
    };
    let mut done = Vec::new();
    for (region, _) in regions {
        let written = match &fresh {
            Some((sheet, _)) => write(deps, region, sheet, now).await,
            None if due.contains(region) => deps.store.put_refreshed(region, Part::Advisor, now).await,
            None => Ok(()),
        };
        if written.is_err() || due.contains(region) {
            done.push((region.clone(), written.map_err(Trouble::from)));
        }
    }
    // Last, and only when every Region has it: else the file is fetched again.
    if let Some((_, version)) = fresh
        && done.iter().all(|(_, written)| written.is_ok())
        && let Err(error) = deps.store.put_advisor_version(&version).await
    {
        return failed(due, error.into());
    }
    done
}

/// The first Region gets the error, the others are told of it: an error has one owner.
fn failed(due: &[Region], why: Trouble) -> Vec<(Region, Result<(), Trouble>)> {
    let text = why.to_string();
    let mut why = Some(why);
    let each = |region: &Region| {
        let why = why.take().unwrap_or_else(|| Trouble::Shared(text.clone()));
        (region.clone(), Err(why))
    };
    due.iter().map(each).collect()
}

/// The file and its version; `None`: it is the one that every Region has.
async fn read(
    deps: &Deps,
    budget: Budget,
    regions: &[(Region, Refreshed)],
    now: Timestamp,
) -> Result<Option<(Sheet<Advice>, String)>, Trouble> {
    let has_it = |state: &Refreshed| state.advisor.is_some_and(|at| at <= now && now.duration_since(at) < HAS_THE_VERSION);
    let known = if regions.iter().all(|(_, state)| has_it(state)) { deps.store.advisor_version().await? } else { None };
    let Some(file) = within(deps, budget, deps.source.advisor(known.as_deref(), ADVISOR_BYTES_MAX)).await? else { return Ok(None) };
    // A date in the future would keep every later file out.
    let sheet = parse_advisor(&file.bytes, file.as_of.min(now))?;
    Ok(Some((sheet, file.version)))
}

/// Replaces what is known of a Region, unless that is of a later date: a cache on the way may give us an old file. A Region that
/// the file does not name keeps what it has.
async fn write(deps: &Deps, region: &Region, sheet: &Sheet<Advice>, now: Timestamp) -> Result<(), StoreError> {
    let fresh: Vec<(InstanceType, Advice)> = sheet.column(region).map(|(name, advice)| (name.clone(), *advice)).collect();
    let date = fresh.iter().map(|(_, advice)| advice.as_of).max();
    let kept = deps.store.advice(region).await?.iter().map(|(_, advice)| advice.as_of).max();
    if date >= kept && !fresh.is_empty() {
        deps.store.put_advice(region, &fresh).await?;
    }
    deps.store.put_refreshed(region, Part::Advisor, now).await
}
