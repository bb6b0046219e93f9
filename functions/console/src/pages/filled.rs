//! Which price changes were read when they were new, and which a filling added afterwards.

use crate::ask::Ask;
use crate::failure::Failure;
use crate::show;
use crate::view::{Cell, Column, Table, Tone};
use domain::Timestamp;
use domain::ids::{InstanceType, Region};
use domain::market::{PricePoint, PriceSeries};
use domain::offering::Pool;
use std::collections::BTreeMap;

/// Rows of the table.
const ROWS: usize = 40;

/// Points that fillings added to the pools of a type, each with its filling.
#[derive(Debug, Default)]
pub struct Marks(BTreeMap<Pool, BTreeMap<PricePoint, String>>);

/// The marks of a type.
///
/// # Errors
/// The table did not answer.
pub async fn marks(ask: &Ask, region: &Region, kind: &InstanceType) -> Result<Marks, Failure> {
    let mut marks = Marks::default();
    for filled in ask.deps.fillings.filled_in(region, kind).await? {
        let of_pool = marks.0.entry(filled.pool).or_default();
        of_pool.extend(filled.added.into_iter().map(|point| (point, filled.job.clone())));
    }
    Ok(marks)
}

impl Marks {
    /// The filling that added a point; `None`: it was read when it was new.
    pub fn job(&self, pool: &Pool, point: &PricePoint) -> Option<&str> {
        self.0.get(pool)?.get(point).map(String::as_str)
    }

    /// The point that holds at an instant, and whether a filling added it.
    pub fn at<'a>(&self, pool: &Pool, series: &'a PriceSeries, at: Timestamp) -> Option<(&'a PricePoint, bool)> {
        let point = series.points().iter().rev().find(|point| point.at <= at)?;
        Some((point, self.job(pool, point).is_some()))
    }

    /// How many points of a series a filling added.
    pub fn count(&self, pool: &Pool, series: &PriceSeries) -> usize {
        series.points().iter().filter(|point| self.job(pool, point).is_some()).count()
    }
}

/// Every change that is kept, newest first, or only those that were filled.
pub fn table(kind: &InstanceType, series: &[(Pool, PriceSeries)], marks: &Marks, only_filled: bool, ask: &Ask) -> Table {
    let mut all: Vec<(&Pool, &PricePoint, Option<&str>)> = series
        .iter()
        .flat_map(|(pool, series)| series.points().iter().map(move |point| (pool, point, marks.job(pool, point))))
        .filter(|(_, _, job)| !only_filled || job.is_some())
        .collect();
    all.sort_by(|a, b| b.1.at.cmp(&a.1.at).then_with(|| a.0.cmp(b.0)));
    let filled = all.iter().filter(|(_, _, job)| job.is_some()).count();
    let shown = all.len().min(ROWS);
    let rows = all.iter().take(ROWS).map(|(pool, point, job)| {
        let known = match job {
            Some(job) => Cell::mark("filled", Tone::Warn).beneath(format!("by {job}")).csv(format!("filled by {job}")),
            None => Cell::mark("read", Tone::Good).beneath("when it was new").csv("read"),
        };
        vec![Cell::text(pool.zone.to_string()), Cell::ago(ask.now, point.at), Cell::hourly(point.price_per_hour), known]
    });
    let title = if only_filled { format!("Changes of {kind} that were filled") } else { format!("Changes of {kind} that are kept") };
    let empty = if only_filled {
        "No point of this type was filled: all were read when they were new."
    } else {
        "No price of this type was read here yet."
    };
    Table::new("changes", title)
        .columns([Column::text("Zone"), Column::text("Since"), Column::number("Price", "USD/h"), Column::text("How it is known")])
        .rows(rows)
        .age(format!(
            "newest {shown} of {}, {} filled",
            show::count_of(all.len(), "point"),
            show::grouped(filled.try_into().unwrap_or(u64::MAX))
        ))
        .empty(empty)
}
