//! What the market says: prices, where they come from, and how often spot instances are taken back.

mod fill;
mod refresh;
mod schedule;
mod series;

pub use fill::{
    Asked, FILL_BATCH, FILL_FAILURES_MAX, FillProgress, FillState, FillWish, FilledPool, ReadEntry, ReadFate, ReadRun, RefreshWish,
};
pub use refresh::{Part, Refreshed};
pub use schedule::Schedule;
pub use series::{POINTS_MAX, PriceSeries};

use crate::money::MicroDollars;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How a price is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum PriceSource {
    /// AWS answered it.
    Observed {
        /// When.
        at: Timestamp,
    },
    /// Worked out from a public file: day zero, or a Region whose market was never read.
    PublicEstimate {
        /// The date of the oldest file it rests on.
        as_of: Timestamp,
    },
}

/// A price and how it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Quote {
    /// Per hour of one instance.
    pub price_per_hour: MicroDollars,
    /// How it is known.
    pub source: PriceSource,
}

/// One change of a spot price: it holds from then until the next point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PricePoint {
    /// Since when.
    pub at: Timestamp,
    /// Per hour of one instance.
    pub price_per_hour: MicroDollars,
}

/// How often spot instances of a type were interrupted in a Region over the trailing 30 days, as the Spot Advisor tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Band {
    /// Band 0: below 5 %.
    Below5,
    /// Band 1: 5 to 10 %.
    From5,
    /// Band 2: 10 to 15 %.
    From10,
    /// Band 3: 15 to 20 %.
    From15,
    /// Band 4: above 20 %; nobody says how far.
    Above20,
}

impl Band {
    /// Every band, calmest first.
    pub const ALL: [Band; 5] = [Band::Below5, Band::From5, Band::From10, Band::From15, Band::Above20];

    /// The number that the Spot Advisor file gives it, 0 to 4.
    pub fn index(self) -> u8 {
        match self {
            Band::Below5 => 0,
            Band::From5 => 1,
            Band::From10 => 2,
            Band::From15 => 3,
            Band::Above20 => 4,
        }
    }
}

/// A number that is no band.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} is no band of the Spot Advisor: 0 to 4")]
pub struct NoBand(pub u8);

impl TryFrom<u8> for Band {
    type Error = NoBand;
    fn try_from(index: u8) -> Result<Band, NoBand> {
        Band::ALL.get(usize::from(index)).copied().ok_or(NoBand(index))
    }
}

impl From<Band> for u8 {
    fn from(band: Band) -> u8 {
        band.index()
    }
}

/// What the Spot Advisor says of a type in a Region. It knows no zones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advice {
    /// How often it was interrupted.
    pub band: Band,
    /// How much cheaper than on-demand spot was, in percent of the on-demand price. Below zero where spot was dearer.
    pub savings_percent: i8,
    /// The date of the file.
    pub as_of: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_is_a_number_from_0_to_4_on_the_wire() {
        assert!(Band::ALL.iter().all(|band| Band::try_from(band.index()) == Ok(*band)));
        assert_eq!(serde_json::from_str::<Band>("4").unwrap(), Band::Above20);
        assert!(serde_json::from_str::<Band>("5").is_err());
        assert!(serde_json::from_str::<Band>("-1").is_err());
    }
}
