//! The market function: what spot and on-demand instances cost, and how often spot is taken back, read on schedule for the
//! Regions of all clusters into the decision server's table.
//!
//! Not here, and never: a customer's data, a customer's role, a decision.

mod advisor;
mod fill;
mod on_demand;
mod site;
mod spot;

pub use site::AdvisorSite;

use domain::Timestamp;
use domain::ids::Region;
use domain::market::{Part, ReadEntry, ReadFate, ReadRun, Refreshed};
use domain::ports::{Clock, MarketSource, MarketStore, MarketWishes, MarketWork, Meter, Registry, SourceError, StoreError};
use futures::future::{Either, select};
use futures::stream::{self, StreamExt};
use planning::public_data::{AdvisorFault, PriceListFault};
use runtime::deadline::Budget;
use std::collections::BTreeSet;
use std::sync::Arc;
use tracing::{info, warn};

/// What the function works with.
#[derive(Clone)]
pub struct Deps {
    /// Which Regions have clusters.
    pub registry: Arc<dyn Registry>,
    /// Where the market is read.
    pub source: Arc<dyn MarketSource>,
    /// Where what was read is kept.
    pub store: Arc<dyn MarketStore>,
    /// What people ask for: that a part is read anew, that holes are filled, that a filling is undone.
    pub wishes: Arc<dyn MarketWishes>,
    /// What became of it, and of each run.
    pub work: Arc<dyn MarketWork>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Counters.
    pub meter: Arc<dyn Meter>,
}

/// Why a part was not read. What was known before stays, grows older, and is read again by the next run.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The source.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The table.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The Spot Advisor's file is not believed.
    #[error(transparent)]
    Advisor(#[from] AdvisorFault),
    /// The Price List's answer is not believed.
    #[error(transparent)]
    PriceList(#[from] PriceListFault),
    /// The answer names no price at all, which no Region's market does.
    #[error("the answer names no price of this Region")]
    Empty,
    /// What befell another Region befell this one: they share a file.
    #[error("{0}")]
    Shared(String),
    /// The time was out in the middle. What was written stays.
    #[error("the time was out before it was read to the end")]
    OutOfTime,
}

/// What became of one part of one Region.
#[derive(Debug)]
pub enum Fate {
    /// Read, and written where it says something new.
    Read,
    /// Not read, and why.
    Failed(Trouble),
    /// Due, but the time was out before it was its turn. The next run begins with those that have waited longest.
    Left,
}

/// What one run did: an entry for each part that was due, in the order in which they ended.
#[derive(Debug, Default)]
pub struct Run(pub Vec<(Region, Part, Fate)>);

impl Run {
    /// How many parts were read, failed, and were left for the next run.
    pub fn sums(&self) -> [usize; 3] {
        let count = |wanted: fn(&Fate) -> bool| self.0.iter().filter(|(_, _, fate)| wanted(fate)).count();
        [count(|fate| matches!(fate, Fate::Read)), count(|fate| matches!(fate, Fate::Failed(_))), count(|fate| matches!(fate, Fate::Left))]
    }
}

/// How many calls are under way at once. A Region that does not answer blocks one lane, and not the others.
const LANES: usize = 4;
/// Reads what is due or asked for, once; then goes on with fillings for as long as there is time.
///
/// # Guarantees
/// A part that fails keeps no other from being read, and is in the answer, in the log and in the metrics. Nothing that is known is
/// replaced by something older. A run that is cut off anywhere leaves what it has written, and the next one goes on.
///
/// # Errors
/// [`StoreError`]: a table did not say what there is to do; nothing was read.
pub async fn handle(deps: &Deps, budget: Budget) -> Result<Run, StoreError> {
    let begun = deps.clock.now();
    let (mut regions, mut wanted) = (Vec::new(), BTreeSet::new());
    let schedule = deps.wishes.schedule().await?;
    for region in registered(deps).await? {
        let (state, wish) = futures::try_join!(deps.store.refreshed(&region), deps.wishes.refresh_wish(&region))?;
        wanted.extend(state.wanted(wish.as_ref(), &schedule, begun).into_iter().map(|part| (region.clone(), part)));
        regions.push((region, state));
    }
    let jobs = jobs(&regions, &wanted);
    let done = stream::iter(jobs).map(|job| job.run(deps, budget, &regions)).buffer_unordered(LANES).collect::<Vec<_>>().await;
    let run = Run(done.into_iter().flatten().collect());
    tell(deps, &run, begun).await;
    if let Err(error) = fill::go_on(deps, budget).await {
        warn!(%error, "Fillings were not gone on with; the next run does");
    }
    Ok(run)
}

/// The Regions of all clusters.
async fn registered(deps: &Deps) -> Result<BTreeSet<Region>, StoreError> {
    Ok(deps.registry.every_cluster().await?.into_iter().map(|cluster| cluster.region).collect())
}

/// One call of a source and what follows from it.
enum Job {
    /// Spot prices of a Region, and when they were last read.
    Spot(Region, Option<Timestamp>),
    /// On-demand prices of a Region.
    OnDemand(Region),
    /// The Spot Advisor's one file, for these Regions.
    Advisor(Vec<Region>),
}

/// What is wanted: the most perishable first, and of each part the Regions that have waited longest.
fn jobs(regions: &[(Region, Refreshed)], wanted: &BTreeSet<(Region, Part)>) -> Vec<Job> {
    let mut jobs = Vec::new();
    for part in Part::ALL {
        let mut due: Vec<&(Region, Refreshed)> = regions.iter().filter(|(region, _)| wanted.contains(&(region.clone(), part))).collect();
        due.sort_by_key(|(_, state)| state.at(part));
        let names = due.iter().map(|(region, _)| region.clone());
        match part {
            Part::SpotPrices => jobs.extend(due.iter().map(|(region, state)| Job::Spot(region.clone(), state.spot_prices))),
            Part::OnDemand => jobs.extend(names.map(Job::OnDemand)),
            Part::Advisor if !due.is_empty() => jobs.push(Job::Advisor(names.collect())),
            Part::Advisor => {}
        }
    }
    jobs
}

impl Job {
    async fn run(self, deps: &Deps, budget: Budget, regions: &[(Region, Refreshed)]) -> Vec<(Region, Part, Fate)> {
        let spent = budget.spent(&*deps.clock);
        let fate = |done: Result<(), Trouble>| done.map_or_else(Fate::Failed, |()| Fate::Read);
        match self {
            Job::Spot(region, _) if spent => vec![(region, Part::SpotPrices, Fate::Left)],
            Job::OnDemand(region) if spent => vec![(region, Part::OnDemand, Fate::Left)],
            Job::Advisor(due) if spent => due.into_iter().map(|region| (region, Part::Advisor, Fate::Left)).collect(),
            Job::Spot(region, last) => {
                let done = spot::refresh(deps, budget, &region, last).await;
                vec![(region, Part::SpotPrices, fate(done))]
            }
            Job::OnDemand(region) => {
                let done = on_demand::refresh(deps, budget, &region).await;
                vec![(region, Part::OnDemand, fate(done))]
            }
            Job::Advisor(due) => {
                let done = advisor::refresh(deps, budget, &due, regions).await;
                done.into_iter().map(|(region, done)| (region, Part::Advisor, fate(done))).collect()
            }
        }
    }
}

/// The answer of a source, unless the time is out first.
async fn within<T>(deps: &Deps, budget: Budget, call: impl Future<Output = Result<T, SourceError>>) -> Result<T, Trouble> {
    let end = deps.clock.sleep(budget.left(&*deps.clock));
    match select(std::pin::pin!(call), end).await {
        Either::Left((answer, _)) => Ok(answer?),
        Either::Right(((), _)) => Err(Trouble::OutOfTime),
    }
}

async fn tell(deps: &Deps, run: &Run, begun: Timestamp) {
    for (region, part, fate) in &run.0 {
        let kind = part.as_str();
        match fate {
            Fate::Read => deps.meter.count("market_reads", kind),
            Fate::Failed(why) => {
                deps.meter.count("market_failures", kind);
                warn!(%region, part = kind, error = %why, "A part of the market was not read; what was known stays");
            }
            Fate::Left => info!(%region, part = kind, "A part of the market is left for the next run"),
        }
    }
    deps.meter.count("market_runs", "finished");
    if run.0.is_empty() {
        return;
    }
    let [read, failed, left] = run.sums();
    info!(read, failed, left, "The market was read");
    let entry = |(region, part, fate): &(Region, Part, Fate)| {
        let (fate, why) = match fate {
            Fate::Read => (ReadFate::Read, None),
            Fate::Failed(why) => (ReadFate::Failed, Some(why.to_string())),
            Fate::Left => (ReadFate::Left, None),
        };
        ReadEntry { region: region.clone(), part: *part, fate, why }
    };
    let took_ms = u64::try_from(deps.clock.now().duration_since(begun).as_millis()).unwrap_or_default();
    let kept = ReadRun { at: begun, took_ms, entries: run.0.iter().map(entry).collect() };
    if let Err(error) = deps.work.put_run(&kept).await {
        warn!(%error, "A run is not in the history");
    }
}

#[cfg(test)]
mod tests;
