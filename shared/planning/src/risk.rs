//! How risky a spot pool is: one number out of four, each with its source, and what was not known said beside it.
//!
//! `risk = 0.60 public rate + 0.25 volatility + 0.10 gap + 0.05 time`, the weights of the product. Every term lies in [0, 1],
//! so the risk does: 0 is the calmest pool that can be, 1 the worst. It is for comparing pools; a probability is
//! [`crate::predict`]'s.

mod history;

pub use history::{VOLATILITY_FULL, coefficient_of_variation, steady_price};

use crate::predict::monthly_rate;
use domain::market::{Advice, Band, PricePoint, PriceSource, Quote};
use domain::money::MicroDollars;
use domain::{SignedDuration, Timestamp};

/// Weight of the public rate (the product's).
pub const WEIGHT_PUBLIC_RATE: f64 = 0.60;
/// Weight of the volatility (the product's).
pub const WEIGHT_VOLATILITY: f64 = 0.25;
/// Weight of the gap (the product's).
pub const WEIGHT_GAP: f64 = 0.10;
/// Weight of the time (the product's).
pub const WEIGHT_TIME: f64 = 0.05;

/// What a term counts as when nothing is known: the middle, neither good nor bad. The public rate takes the middle band.
pub const NEUTRAL: f64 = 0.5;

/// After this time a trouble counts half. Own choice between two known mistakes: three minutes (Karpenter's memory of a
/// shortage) invite churn, and days keep good pools away. After a day one sixteenth is left.
pub const TROUBLE_HALF_LIFE: SignedDuration = SignedDuration::from_hours(6);

/// When a pool last interrupted an instance of ours or had no capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Nobody has kept records of this pool.
    Unknown,
    /// Records are kept, and there is none.
    NoneSeen,
    /// Then.
    At(Timestamp),
}

impl Trouble {
    /// How fresh the trouble is: 1 now, a half after [`TROUBLE_HALF_LIFE`], 0 for none. `None`: nobody knows.
    /// A trouble in the future (another clock) is one of now.
    pub fn freshness(self, now: Timestamp) -> Option<f64> {
        match self {
            Trouble::Unknown => None,
            Trouble::NoneSeen => Some(0.0),
            Trouble::At(at) => {
                let age = now.duration_since(at).as_secs_f64().max(0.0);
                Some((-age / TROUBLE_HALF_LIFE.as_secs_f64()).exp2())
            }
        }
    }
}

/// What is known of a pool.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// What the Spot Advisor says of its type in its Region.
    pub advice: Option<Advice>,
    /// Its spot prices of the last days, in any order.
    pub history: &'a [PricePoint],
    /// Its spot price now.
    pub price: Option<Quote>,
    /// The on-demand price of its type.
    pub on_demand: Option<MicroDollars>,
    /// Its last trouble.
    pub trouble: Trouble,
}

/// Something that was not known, so that a term is neutral or rests on an estimate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gap {
    /// The Spot Advisor does not name the type in the Region.
    NoAdvice,
    /// The price history covers less than a day.
    ShortHistory,
    /// The spot or the on-demand price is not known.
    NoPrice,
    /// The spot price is an estimate made of public files. The term is used; it is only as good as they are.
    EstimatedPrice,
    /// Nobody has kept records of troubles.
    NoRecords,
}

impl Gap {
    /// The code in answers and logs. It never changes.
    pub fn code(self) -> &'static str {
        match self {
            Gap::NoAdvice => "no-advice",
            Gap::ShortHistory => "short-history",
            Gap::NoPrice => "no-price",
            Gap::EstimatedPrice => "estimated-price",
            Gap::NoRecords => "no-records",
        }
    }
}

/// The four terms, each in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    /// The middle of the Spot Advisor's band over the middle of the highest: 1/9, 3/9, 5/9, 7/9, 1.
    pub public_rate: f64,
    /// The coefficient of variation of the spot price over seven days, in parts of [`VOLATILITY_FULL`], at most 1.
    pub volatility: f64,
    /// The spot price over the on-demand price, at most 1: the smaller the gap between them, the scarcer the pool.
    pub gap: f64,
    /// How fresh the last trouble is: see [`Trouble::freshness`].
    pub time: f64,
}

/// The risk of a pool and what it is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Risk {
    /// In [0, 1].
    pub score: f64,
    /// What it is made of.
    pub terms: Terms,
    /// What was not known.
    pub gaps: Vec<Gap>,
    /// The share of the weights that rests on knowledge and not on [`NEUTRAL`], in [0, 1].
    pub confidence: f64,
}

/// The risk of a pool. It never fails: what is not known is neutral, named in `gaps`, and taken off `confidence`.
///
/// # Guarantees
/// The score is in [0, 1]. It never falls when the band, the volatility or the spot price rises, or the last trouble is later.
pub fn assess(evidence: &Evidence<'_>, now: Timestamp) -> Risk {
    let mut gaps = Vec::new();
    let mut confidence = 0.0;
    let mut known = |term: Option<f64>, weight: f64, gap: Gap, neutral: f64| match term {
        Some(term) => {
            confidence += weight;
            term.clamp(0.0, 1.0)
        }
        None => {
            gaps.push(gap);
            neutral
        }
    };
    let terms = Terms {
        public_rate: known(
            evidence.advice.map(|advice| public_rate(advice.band)),
            WEIGHT_PUBLIC_RATE,
            Gap::NoAdvice,
            public_rate(Band::From10),
        ),
        volatility: known(volatility(evidence.history, now), WEIGHT_VOLATILITY, Gap::ShortHistory, NEUTRAL),
        gap: known(price_gap(evidence), WEIGHT_GAP, Gap::NoPrice, NEUTRAL),
        time: known(evidence.trouble.freshness(now), WEIGHT_TIME, Gap::NoRecords, NEUTRAL),
    };
    if evidence.price.is_some_and(|quote| estimated(quote.source)) {
        gaps.push(Gap::EstimatedPrice);
    }
    let score =
        WEIGHT_PUBLIC_RATE * terms.public_rate + WEIGHT_VOLATILITY * terms.volatility + WEIGHT_GAP * terms.gap + WEIGHT_TIME * terms.time;
    // Four roundings may add up to a hair above 1.
    Risk { score: score.clamp(0.0, 1.0), terms, gaps, confidence: f64::min(confidence, 1.0) }
}

fn estimated(source: PriceSource) -> bool {
    match source {
        PriceSource::Observed { .. } => false,
        PriceSource::PublicEstimate { .. } => true,
    }
}

fn public_rate(band: Band) -> f64 {
    monthly_rate(band) / monthly_rate(Band::Above20)
}

/// The volatility term: `None` where the history is too short to tell.
pub(crate) fn volatility(history: &[PricePoint], now: Timestamp) -> Option<f64> {
    coefficient_of_variation(history, now).map(|variation| (variation / VOLATILITY_FULL).min(1.0))
}

fn price_gap(evidence: &Evidence<'_>) -> Option<f64> {
    let spot = evidence.price?.price_per_hour;
    let full = evidence.on_demand.filter(|price| price.0 > 0)?;
    (spot.0 >= 0).then(|| (history::dollars(spot) / history::dollars(full)).min(1.0))
}

#[cfg(test)]
mod tests;
