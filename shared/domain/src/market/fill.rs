//! Holes in what is known of spot prices, and their filling: what is asked for, how far it is, and what it changed.

use super::{Part, PricePoint, PriceSeries};
use crate::ids::{InstanceType, Region};
use crate::offering::Pool;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How many types are filled by one call of the source: some pages of its answer.
pub const FILL_BATCH: usize = 10;
/// After so many failures in a row a filling ends.
pub const FILL_FAILURES_MAX: u32 = 5;

/// That a Region's holes are to be filled: written by whoever asks, read by whoever reads the market.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FillWish {
    /// Its name.
    pub id: String,
    /// The Region.
    pub region: Region,
    /// The types whose pools are filled, in every zone that the market names.
    pub types: Vec<InstanceType>,
    /// Since when prices are wanted.
    pub since: Timestamp,
    /// Who asked.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Who wants it undone, and since when.
    pub undo: Option<Asked>,
}

/// Who asked for something, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Asked {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// How a filling stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum FillState {
    /// Batch after batch is read.
    Running,
    /// All were.
    Done,
    /// The source failed too often. What was filled stays, and can be undone.
    Failed,
    /// What it added was taken out again.
    Undone,
}

/// How far a filling is: written by whoever reads the market.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FillProgress {
    /// The filling.
    pub id: String,
    /// How it stands.
    pub state: FillState,
    /// Batches that are done.
    pub batches_done: u32,
    /// Batches in all.
    pub batches: u32,
    /// Pools whose series grew.
    pub pools: u32,
    /// Points that were added.
    pub points: u32,
    /// Failures in a row.
    pub failures: u32,
    /// When its first batch began.
    pub began_at: Timestamp,
    /// When it was last gone on with.
    pub updated_at: Timestamp,
    /// What went wrong last.
    pub why: Option<String>,
}

impl FillProgress {
    /// Of a filling that begins.
    pub fn begin(wish: &FillWish, now: Timestamp) -> FillProgress {
        FillProgress {
            id: wish.id.clone(),
            state: FillState::Running,
            batches_done: 0,
            batches: u32::try_from(wish.types.len().div_ceil(FILL_BATCH)).unwrap_or(u32::MAX),
            pools: 0,
            points: 0,
            failures: 0,
            began_at: now,
            updated_at: now,
            why: None,
        }
    }

    /// How much is done, in percent.
    pub fn percent(&self) -> u32 {
        match self.state {
            FillState::Running | FillState::Failed => 100_u32.saturating_mul(self.batches_done) / self.batches.max(1),
            FillState::Done | FillState::Undone => 100,
        }
    }

    /// How long the rest will take, if it goes on as it went; `None`: nothing is known of that, or nothing is left.
    pub fn left(&self) -> Option<SignedDuration> {
        let (done, rest) = (self.batches_done, self.batches.saturating_sub(self.batches_done));
        if self.state != FillState::Running || done == 0 || rest == 0 {
            return None;
        }
        let took = self.updated_at.duration_since(self.began_at).as_secs().max(0);
        Some(SignedDuration::from_secs(took.saturating_mul(i64::from(rest)) / i64::from(done)))
    }
}

/// What a filling changed in the series of one pool: enough to take it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilledPool {
    /// The filling.
    pub job: String,
    /// The pool.
    pub pool: Pool,
    /// Points that were not known before.
    pub added: Vec<PricePoint>,
    /// Points that were known and say nothing beside those: the price was the same already.
    pub removed: Vec<PricePoint>,
}

impl FilledPool {
    /// What points out of the past add to a series, and the series with them. Only what lies before all that is known is a hole: in
    /// between nothing is missing, because each read tells all changes since the one before. `None`: nothing is added.
    pub fn new(
        job: &str,
        pool: &Pool,
        known: &PriceSeries,
        past: impl IntoIterator<Item = PricePoint>,
    ) -> Option<(FilledPool, PriceSeries)> {
        let first = known.points().first().map(|point| point.at);
        let older = past.into_iter().filter(|point| first.is_none_or(|first| point.at < first));
        let after = PriceSeries::from(known.points().iter().copied().chain(older).collect::<Vec<_>>());
        let (old, new): (BTreeSet<&PricePoint>, BTreeSet<&PricePoint>) = (known.points().iter().collect(), after.points().iter().collect());
        let added: Vec<PricePoint> = new.difference(&old).map(|point| **point).collect();
        let removed = old.difference(&new).map(|point| **point).collect();
        let filled = FilledPool { job: job.to_owned(), pool: pool.clone(), added, removed };
        (!filled.added.is_empty()).then_some((filled, after))
    }

    /// The series without what was added.
    #[must_use]
    pub fn undone(&self, series: &PriceSeries) -> PriceSeries {
        let kept = series.points().iter().filter(|point| !self.added.contains(point));
        // What was left out has aged with the rest: older than all that is kept it would come back from the dead.
        let oldest = series.points().first().map(|point| point.at);
        let back = self.removed.iter().filter(|point| oldest.is_none_or(|oldest| point.at >= oldest));
        PriceSeries::from(kept.chain(back).copied().collect::<Vec<_>>())
    }
}

/// That parts of a Region's market are to be read anew, fresh or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RefreshWish {
    /// The Region.
    pub region: Region,
    /// The parts.
    pub parts: Vec<Part>,
    /// Who asked.
    pub by: String,
    /// When. What is read later than this fulfils it.
    pub at: Timestamp,
}

/// What became of one part of a Region in a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReadEntry {
    /// The Region.
    pub region: Region,
    /// The part.
    pub part: Part,
    /// What became of it.
    pub fate: ReadFate,
    /// Why it was not read.
    pub why: Option<String>,
}

/// Whether a part was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ReadFate {
    /// It was.
    Read,
    /// It could not be.
    Failed,
    /// The time was out: the next run reads it.
    Left,
}

/// One run over the market in which something was due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReadRun {
    /// When it began.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What was due, and what became of it.
    pub entries: Vec<ReadEntry>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::MicroDollars;
    use crate::offering::CapacityType;

    fn at(hours: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + 3_600 * hours).unwrap()
    }

    fn point(hours: i64, micros: i64) -> PricePoint {
        PricePoint { at: at(hours), price_per_hour: MicroDollars(micros) }
    }

    fn pool() -> Pool {
        let (kind, zone) = ("m6i.large".to_owned(), "us-east-1a".to_owned());
        Pool { instance_type: kind.try_into().unwrap(), zone: zone.try_into().unwrap(), capacity: CapacityType::Spot }
    }

    fn fill(known: &[PricePoint], past: &[PricePoint]) -> Option<(FilledPool, PriceSeries)> {
        FilledPool::new("f-1", &pool(), &PriceSeries::from(known.to_vec()), past.iter().copied())
    }

    #[test]
    fn only_what_lies_before_all_that_is_known_is_added_and_undoing_it_leaves_what_was() {
        let known = [point(0, 50), point(2, 60)];
        let (filled, after) = fill(&known, &[point(-5, 40), point(-2, 45), point(1, 99), point(2, 60)]).unwrap();
        assert_eq!(filled.added, [point(-5, 40), point(-2, 45)]);
        assert_eq!(after.points(), [point(-5, 40), point(-2, 45), point(0, 50), point(2, 60)]);
        assert_eq!(filled.undone(&after).points(), known);
    }

    #[test]
    fn a_point_that_says_nothing_any_more_comes_back_when_the_filling_is_undone() {
        let known = [point(0, 50), point(2, 60)];
        let (filled, after) = fill(&known, &[point(-5, 50)]).unwrap();
        assert_eq!((filled.added.as_slice(), filled.removed.as_slice()), (&[point(-5, 50)][..], &[point(0, 50)][..]));
        assert_eq!(after.points(), [point(-5, 50), point(2, 60)]);
        assert_eq!(filled.undone(&after).points(), known);
    }

    #[test]
    fn what_came_later_survives_the_undoing_and_what_was_forgotten_stays_forgotten() {
        let (filled, after) = fill(&[point(0, 50), point(2, 60)], &[point(-5, 50)]).unwrap();
        let later = after.merged([point(9, 70)], at(10), SignedDuration::from_hours(100));
        assert_eq!(filled.undone(&later).points(), [point(0, 50), point(2, 60), point(9, 70)]);
        let aged = later.merged([], at(10), SignedDuration::from_hours(4));
        assert_eq!(filled.undone(&aged).points(), aged.points());
    }

    #[test]
    fn where_nothing_is_known_all_of_the_past_is_added_and_where_all_is_known_nothing() {
        let (filled, after) = fill(&[], &[point(-5, 40), point(-1, 45)]).unwrap();
        assert_eq!((filled.added.len(), filled.undone(&after)), (2, PriceSeries::default()));
        assert_eq!(fill(&[point(-9, 40)], &[point(-5, 40), point(-1, 45)]), None);
    }

    #[test]
    fn progress_is_in_percent_and_the_rest_takes_as_long_as_what_was_done() {
        let types = (0..40).map(|n| format!("m{n}.large").try_into().unwrap()).collect();
        let wish = FillWish {
            id: "f-1".to_owned(),
            region: "us-east-1".to_owned().try_into().unwrap(),
            types,
            since: at(-192),
            by: "ann".to_owned(),
            at: at(0),
            undo: None,
        };
        let begun = FillProgress::begin(&wish, at(0));
        assert_eq!((begun.batches, begun.percent(), begun.left()), (4, 0, None));
        let one = FillProgress { batches_done: 1, updated_at: at(1), ..begun.clone() };
        assert_eq!((one.percent(), one.left()), (25, Some(SignedDuration::from_hours(3))));
        let done = FillProgress { batches_done: 4, state: FillState::Done, ..one };
        assert_eq!((done.percent(), done.left()), (100, None));
    }
}
