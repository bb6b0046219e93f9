//! Where knowledge comes from: the table that the function `market` writes, read when it is needed, kept in the process for some
//! minutes, and done without when it cannot be read.

use crate::knowledge::Knowledge;
use domain::ids::{Region, Zone};
use domain::market::Refreshed;
use domain::offering::{CapacityType, Pool};
use domain::ports::{Clock, MarketStore, Outcomes, StoreError};
use domain::{SignedDuration, Timestamp};
use futures::future::{Either, select, try_join_all};
use planning::public_data::Catalogue;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

mod lessons;

use lessons::Lessons;

/// How long what was read is used without looking again. Half of the time after which spot prices are read anew
/// ([`domain::market::Part::interval`]): so an answer rests on prices of at most a quarter of an hour.
pub const FRESH_FOR: SignedDuration = SignedDuration::from_mins(5);
/// How old what was read may be when the table cannot be read: older than that, the public data is no worse, and says what it is.
pub const KEPT_FOR: SignedDuration = SignedDuration::from_hours(2);
/// How long the table may take. A decision has 20 s in all.
const READ_WITHIN: SignedDuration = SignedDuration::from_secs(5);
/// How long a table that could not be read is left alone: the next questions do not wait for it, too.
const LEFT_ALONE_FOR: SignedDuration = SignedDuration::from_secs(30);
/// Spot prices of this age are told: three reads of the market have failed or did not take place.
const OLD: SignedDuration = SignedDuration::from_mins(30);
/// How many pools one call asks for; the calls run side by side.
const POOLS_PER_CALL: usize = 500;

/// Knowledge of every Region that was asked about.
pub struct Library {
    shelf: Option<Shelf>,
    lessons: Option<Lessons>,
}

struct Shelf {
    store: Arc<dyn MarketStore>,
    clock: Arc<dyn Clock>,
    kept: Mutex<BTreeMap<Region, Kept>>,
    failed_at: Mutex<Option<Timestamp>>,
}

/// What was read of a Region, and when.
#[derive(Clone)]
struct Kept {
    at: Timestamp,
    /// The pools that were asked for: one that has no series is not asked for twice.
    asked: BTreeSet<Pool>,
    knowledge: Arc<Knowledge>,
}

/// Why nothing was read.
#[derive(Debug, thiserror::Error)]
enum Unread {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the table did not answer within {} s", READ_WITHIN.as_secs())]
    Slow,
    #[error("the table could not be read a moment ago")]
    LeftAlone,
}

impl Library {
    /// Without a table: day zero, for ever.
    pub fn embedded() -> Library {
        Library { shelf: None, lessons: None }
    }

    /// Over the decision server's table.
    pub fn new(store: Arc<dyn MarketStore>, clock: Arc<dyn Clock>) -> Library {
        Library { shelf: Some(Shelf { store, clock, kept: Mutex::default(), failed_at: Mutex::default() }), lessons: None }
    }

    /// The same, with corrections learnt from what became of predictions.
    #[must_use]
    pub fn learning_from(self, outcomes: Arc<dyn Outcomes>, clock: Arc<dyn Clock>) -> Library {
        Library { lessons: Some(Lessons::new(outcomes, clock)), ..self }
    }

    /// What is known of everything that a Region sells in these zones. It never fails: what cannot be read is done without, and the
    /// knowledge says so.
    pub async fn of_zones(&self, region: &Region, zones: &BTreeSet<Zone>) -> Arc<Knowledge> {
        let catalogue = Catalogue::embedded();
        let sold = catalogue.iter().filter(|info| catalogue.on_demand(region, &info.name).is_some());
        let pool = |info: &domain::catalog::TypeInfo, zone: &Zone| Pool {
            instance_type: info.name.clone(),
            zone: zone.clone(),
            capacity: CapacityType::Spot,
        };
        self.of_pools(region, sold.flat_map(|info| zones.iter().map(move |zone| pool(info, zone))).collect()).await
    }

    /// What is known of these spot pools of a Region. It never fails either.
    pub async fn of_pools(&self, region: &Region, pools: BTreeSet<Pool>) -> Arc<Knowledge> {
        let Some(lessons) = &self.lessons else {
            return self.of_market(region, pools).await;
        };
        let (known, learnt) = futures::join!(self.of_market(region, pools), lessons.learnt());
        Arc::new(Knowledge { learnt, ..Knowledge::clone(&known) })
    }

    async fn of_market(&self, region: &Region, pools: BTreeSet<Pool>) -> Arc<Knowledge> {
        let Some(shelf) = &self.shelf else {
            return Arc::new(Knowledge::day_zero());
        };
        let now = shelf.clock.now();
        let kept = shelf.kept(region);
        let fresh = kept.clone().filter(|kept| age(kept, now).is_some_and(|age| age < FRESH_FOR));
        if let Some(fresh) = &fresh
            && pools.is_subset(&fresh.asked)
        {
            return told(&fresh.knowledge, region, now, None);
        }
        match shelf.read(region, pools, fresh, now).await {
            Ok(knowledge) => told(&knowledge, region, now, None),
            Err(error) => {
                tracing::warn!(%region, %error, "The market's table was not read");
                let usable = kept.filter(|kept| age(kept, now).is_some_and(|age| age < KEPT_FOR));
                match usable {
                    Some(kept) => {
                        let note = format!("the market's table cannot be read now; what was read of it at {} is used", kept.at);
                        told(&kept.knowledge, region, now, Some(note))
                    }
                    None => {
                        let note =
                            "the market's table cannot be read now: prices and rates of interruption are those of embedded public data";
                        told(&Knowledge::day_zero(), region, now, Some(note.to_owned()))
                    }
                }
            }
        }
    }
}

/// How old it is; `None`: a clock went back.
fn age(kept: &Kept, now: Timestamp) -> Option<SignedDuration> {
    Some(now.duration_since(kept.at)).filter(|age| !age.is_negative())
}

/// The knowledge, with what there is to say of it at this time.
fn told(knowledge: &Knowledge, region: &Region, now: Timestamp, trouble: Option<String>) -> Arc<Knowledge> {
    let old = match knowledge.spot_read_at {
        _ if trouble.is_some() => None,
        None => Some(format!("the spot market of {region} was not read yet: spot prices are estimates out of public data")),
        Some(at) if now.duration_since(at) > OLD => Some(format!("the spot market of {region} was last read at {at}")),
        Some(_) => None,
    };
    Arc::new(Knowledge { notes: trouble.into_iter().chain(old).collect(), ..knowledge.clone() })
}

impl Shelf {
    fn kept(&self, region: &Region) -> Option<Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).get(region).cloned()
    }

    /// Reads what is missing, and puts it on the shelf. With `fresh` only pools are read, for the rest is there.
    async fn read(&self, region: &Region, pools: BTreeSet<Pool>, fresh: Option<Kept>, now: Timestamp) -> Result<Arc<Knowledge>, Unread> {
        let failed_at = *self.failed_at.lock().unwrap_or_else(PoisonError::into_inner);
        if failed_at.is_some_and(|at| at <= now && now.duration_since(at) < LEFT_ALONE_FOR) {
            return Err(Unread::LeftAlone);
        }
        let work = async {
            let mut kept = match fresh {
                Some(kept) => kept,
                None => self.region(region, now).await?,
            };
            let missing: Vec<Pool> = pools.difference(&kept.asked).cloned().collect();
            let calls = missing.chunks(POOLS_PER_CALL).map(|some| self.store.spot_series(region, some));
            let found = try_join_all(calls).await?;
            let mut knowledge = Knowledge::clone(&kept.knowledge);
            knowledge.series.extend(found.into_iter().flatten());
            kept.asked.extend(missing);
            kept.knowledge = Arc::new(knowledge);
            Ok::<Kept, StoreError>(kept)
        };
        let read = match select(std::pin::pin!(work), self.clock.sleep(READ_WITHIN)).await {
            Either::Left((read, _)) => read.map_err(Unread::from),
            Either::Right(((), _)) => Err(Unread::Slow),
        };
        *self.failed_at.lock().unwrap_or_else(PoisonError::into_inner) = read.is_err().then_some(now);
        let kept = read?;
        let knowledge = Arc::clone(&kept.knowledge);
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).insert(region.clone(), kept);
        Ok(knowledge)
    }

    /// What is not of a pool.
    async fn region(&self, region: &Region, now: Timestamp) -> Result<Kept, StoreError> {
        let (on_demand, advice, refreshed): (_, _, Refreshed) =
            futures::try_join!(self.store.on_demand(region), self.store.advice(region), self.store.refreshed(region))?;
        let mut knowledge = Knowledge::of(region, on_demand, advice);
        // A time in the future is another clock's.
        knowledge.spot_read_at = refreshed.spot_prices.map(|at| at.min(now));
        Ok(Kept { at: now, asked: BTreeSet::new(), knowledge: Arc::new(knowledge) })
    }
}

#[cfg(test)]
mod tests;
