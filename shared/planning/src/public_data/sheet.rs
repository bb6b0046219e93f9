//! A table with a column per Region and a row per type.

use domain::Timestamp;
use domain::ids::{InstanceType, Region};
use std::collections::BTreeMap;

/// A row of a table that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{table}, line {line}: {what}")]
pub struct BadTable {
    /// Which table.
    pub table: &'static str,
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong, in words.
    pub what: &'static str,
}

/// Values per Region and type, each with the date it is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet<T> {
    columns: BTreeMap<Region, Column<T>>,
}

type Row<T> = (InstanceType, (T, Timestamp));
type Column<T> = BTreeMap<InstanceType, (T, Timestamp)>;

impl<T> Default for Sheet<T> {
    fn default() -> Self {
        Sheet { columns: BTreeMap::new() }
    }
}

impl<T> Sheet<T> {
    /// The value of a type in a Region, and the date it is from.
    pub fn get(&self, region: &Region, instance_type: &InstanceType) -> Option<(&T, Timestamp)> {
        let (value, as_of) = self.columns.get(region)?.get(instance_type)?;
        Some((value, *as_of))
    }

    /// The Regions, by name.
    pub fn regions(&self) -> impl Iterator<Item = &Region> {
        self.columns.keys()
    }

    /// Every value, by Region and type.
    pub fn iter(&self) -> impl Iterator<Item = (&Region, &InstanceType, &T)> {
        self.columns.iter().flat_map(|(region, column)| column.iter().map(move |(name, (value, _))| (region, name, value)))
    }

    /// The values of one Region, by type: what is written into the table of a Region.
    pub fn column(&self, region: &Region) -> impl Iterator<Item = (&InstanceType, &T)> {
        self.columns.get(region).into_iter().flatten().map(|(name, (value, _))| (name, value))
    }

    /// The same with other values, of the same dates.
    pub fn map<U>(self, change: impl Fn(T, Timestamp) -> U) -> Sheet<U> {
        let column = |column: Column<T>| column.into_iter().map(|(name, (value, as_of))| (name, (change(value, as_of), as_of))).collect();
        Sheet { columns: self.columns.into_iter().map(|(region, cells)| (region, column(cells))).collect() }
    }

    /// Sets one value.
    pub fn insert(&mut self, region: &Region, instance_type: InstanceType, value: T, as_of: Timestamp) {
        self.columns.entry(region.clone()).or_default().insert(instance_type, (value, as_of));
    }

    /// Lays fresher values over these. What `fresh` lacks stays, with its own date; what is older than ours is passed over.
    pub fn overlay(&mut self, fresh: Sheet<T>) {
        for (region, new) in fresh.columns {
            let column = self.columns.entry(region).or_default();
            for (name, (value, as_of)) in new {
                if column.get(&name).is_none_or(|(_, old)| *old <= as_of) {
                    column.insert(name, (value, as_of));
                }
            }
        }
    }

    /// Reads a table: a line of Regions, a line of dates, then a line per type. Empty cells at the end may be left out.
    ///
    /// # Errors
    /// [`BadTable`] names the line: a name or a date that is none, a cell that `cell` refuses, more cells than Regions.
    pub fn read(table: &'static str, text: &str, cell: impl Fn(&str, Timestamp) -> Option<T>) -> Result<Sheet<T>, BadTable> {
        let bad = |line: usize, what: &'static str| BadTable { table, line, what };
        let mut lines = text.lines().enumerate();
        let mut heading = || lines.next().and_then(|(_, line)| line.split_once(',')).map_or("", |(_, rest)| rest);
        let regions: Vec<Region> =
            heading().split(',').map(Region::parse).collect::<Result<_, _>>().map_err(|_| bad(1, "a Region that is none"))?;
        let dates: Vec<Timestamp> =
            heading().split(',').map(midnight).collect::<Option<_>>().ok_or_else(|| bad(2, "a date that is none"))?;
        if dates.len() != regions.len() {
            return Err(bad(2, "not one date for each Region"));
        }
        // Lists first: a map is made of a sorted list much faster than by inserting.
        let mut columns: Vec<(Timestamp, Vec<Row<T>>)> = dates.into_iter().map(|as_of| (as_of, Vec::new())).collect();
        for (at, line) in lines {
            let (name, cells) = line.split_once(',').unwrap_or((line, ""));
            let name = InstanceType::parse(name).map_err(|_| bad(at + 1, "a type that is none"))?;
            for (place, text) in cells.split(',').enumerate().filter(|(_, text)| !text.is_empty()) {
                let (as_of, column) = columns.get_mut(place).ok_or_else(|| bad(at + 1, "more cells than Regions"))?;
                let value = cell(text, *as_of).ok_or_else(|| bad(at + 1, "a cell that cannot be read"))?;
                column.push((name.clone(), (value, *as_of)));
            }
        }
        let columns = columns.into_iter().map(|(_, column)| column.into_iter().collect());
        Ok(Sheet { columns: regions.into_iter().zip(columns).collect() })
    }
}

/// The beginning of a day in UTC: `2025-06-28`.
fn midnight(date: &str) -> Option<Timestamp> {
    format!("{date}T00:00:00Z").parse().ok()
}
