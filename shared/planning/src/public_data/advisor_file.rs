//! The Spot Advisor's file, as AWS publishes it. It comes from outside and is believed only as a whole.

use super::sheet::Sheet;
use domain::Timestamp;
use domain::ids::{InstanceType, Region};
use domain::market::{Advice, Band};
use serde::Deserialize;
use std::collections::BTreeMap;

/// How long the file may be, bytes. It had 0.7 MB in June 2025; ten times that is another file.
pub const ADVISOR_BYTES_MAX: usize = 8 << 20;

/// Where each band ends in the file (`ranges[].max`, percent), as it stood in June 2025. Other ends mean that the numbers have
/// another meaning now, and that somebody must look.
const BAND_ENDS: [u64; 5] = [5, 11, 16, 22, 100];

/// Why a file was not believed. What was known before stays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdvisorFault {
    /// Longer than [`ADVISOR_BYTES_MAX`].
    #[error("the Spot Advisor file has {0} bytes; more than {ADVISOR_BYTES_MAX} are not read")]
    TooLong(usize),
    /// Not JSON, or not of the known shape.
    #[error("the Spot Advisor file cannot be read: {0}")]
    Shape(String),
    /// The bands are not the five that we know.
    #[error("the Spot Advisor file has other bands than we know")]
    OtherBands,
    /// A Region, type, band or saving that cannot be; the text says which.
    #[error("the Spot Advisor file says what cannot be: {0}")]
    Nonsense(String),
    /// It names no Linux instance at all.
    #[error("the Spot Advisor file names no Linux instance")]
    Empty,
}

#[derive(Deserialize)]
struct File {
    ranges: Vec<Range>,
    spot_advisor: BTreeMap<String, Systems>,
}

#[derive(Deserialize)]
struct Range {
    index: u64,
    max: u64,
}

#[derive(Deserialize)]
struct Systems {
    #[serde(rename = "Linux", default)]
    linux: BTreeMap<String, Cell>,
}

#[derive(Deserialize)]
struct Cell {
    s: i64,
    r: u64,
}

/// Reads the file. `as_of` is its date (the `Last-Modified` of the answer): the file itself has none.
///
/// # Errors
/// [`AdvisorFault`]: one bad value refuses the whole file, for who writes nonsense in one place is not believed in another.
/// Parts of the file that we have no use for may change as they like.
pub fn parse_advisor(bytes: &[u8], as_of: Timestamp) -> Result<Sheet<Advice>, AdvisorFault> {
    if bytes.len() > ADVISOR_BYTES_MAX {
        return Err(AdvisorFault::TooLong(bytes.len()));
    }
    let file: File = serde_json::from_slice(bytes).map_err(|error| AdvisorFault::Shape(error.to_string()))?;
    let mut ends: Vec<(u64, u64)> = file.ranges.iter().map(|range| (range.index, range.max)).collect();
    ends.sort_unstable();
    if !ends.into_iter().eq((0..).zip(BAND_ENDS)) {
        return Err(AdvisorFault::OtherBands);
    }
    let mut sheet = Sheet::default();
    for (region, systems) in file.spot_advisor {
        let region = Region::parse(region).map_err(|error| AdvisorFault::Nonsense(error.to_string()))?;
        for (name, cell) in systems.linux {
            let name = InstanceType::parse(name).map_err(|error| AdvisorFault::Nonsense(error.to_string()))?;
            let advice =
                advice(&cell, as_of).ok_or_else(|| AdvisorFault::Nonsense(format!("{name} in {region}: s {}, r {}", cell.s, cell.r)))?;
            sheet.insert(&region, name, advice, as_of);
        }
    }
    if sheet.iter().next().is_none() { Err(AdvisorFault::Empty) } else { Ok(sheet) }
}

/// Savings may be below zero, where spot was dearer than on-demand: the file of June 2025 goes down to -62.
fn advice(cell: &Cell, as_of: Timestamp) -> Option<Advice> {
    let band = u8::try_from(cell.r).ok().and_then(|index| Band::try_from(index).ok())?;
    let savings_percent = i8::try_from(cell.s).ok().filter(|percent| (-100..=100).contains(percent))?;
    Some(Advice { band, savings_percent, as_of })
}
