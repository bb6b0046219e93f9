//! A histogram whose old samples weigh less and less: instead of making old weights smaller, new ones are made larger.

use super::buckets::Buckets;
use super::histogram::Histogram;
use domain::usage::Decayed;
use std::borrow::Cow;

/// After how long a sample weighs half, for CPU and memory, in seconds.
pub const HALF_LIFE_S: i64 = 86_400;
/// How many half-lives the reference may lie behind before it is moved: weights must stay numbers.
const EXPONENT_MAX: i64 = 100;
/// Seconds from the start of year 1 to the start of 1970: the Vertical Pod Autoscaler's times are rounded from there.
const YEAR_ONE_S: i64 = 62_135_596_800;

/// A decaying histogram.
#[derive(Debug, Clone, PartialEq)]
pub struct Decaying {
    histogram: Histogram,
    half_life_s: i64,
    reference_s: Option<i64>,
}

/// Two histograms with different half-lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("histograms with half-lives of {0} s and {1} s cannot be merged")]
pub struct OtherHalfLife(i64, i64);

impl Decaying {
    /// An empty one.
    pub fn new(buckets: impl Into<Cow<'static, Buckets>>, half_life_s: i64) -> Decaying {
        Decaying { histogram: Histogram::new(buckets), half_life_s: half_life_s.max(1), reference_s: None }
    }

    /// From what is kept of it.
    pub fn of(buckets: &'static Buckets, kept: &Decayed) -> Decaying {
        Decaying { histogram: Histogram::of(buckets, &kept.weights), half_life_s: HALF_LIFE_S, reference_s: kept.reference_s }
    }

    /// What is kept of it.
    pub fn kept(&self) -> Decayed {
        Decayed { reference_s: self.reference_s, weights: self.histogram.weights() }
    }

    /// Adds a sample of this time.
    pub fn add(&mut self, value: f64, weight: f64, at_s: i64) {
        let factor = self.factor(at_s);
        self.histogram.add(value, weight * factor);
    }

    /// Adds a sample of this time whose bucket is known.
    pub fn add_to(&mut self, bucket: usize, weight: f64, at_s: i64) {
        let factor = self.factor(at_s);
        self.histogram.add_to(bucket, weight * factor);
    }

    /// Takes a sample of this time back.
    pub fn subtract(&mut self, value: f64, weight: f64, at_s: i64) {
        let factor = self.factor(at_s);
        self.histogram.subtract(value, weight * factor);
    }

    /// Adds all of another; the older reference is moved to the younger.
    ///
    /// # Errors
    /// [`OtherHalfLife`].
    pub fn merge(&mut self, other: &Decaying) -> Result<(), OtherHalfLife> {
        if self.half_life_s != other.half_life_s {
            return Err(OtherHalfLife(self.half_life_s, other.half_life_s));
        }
        let mut other = other.clone();
        match (self.reference_s, other.reference_s) {
            (Some(mine), Some(theirs)) if mine < theirs => self.move_reference(theirs),
            (Some(mine), Some(theirs)) if mine > theirs => other.move_reference(mine),
            (None, theirs) => self.reference_s = theirs,
            (Some(_), _) => {}
        }
        self.histogram.merge(&other.histogram);
        Ok(())
    }

    /// See [`Histogram::percentile`].
    pub fn percentile(&self, share: f64) -> f64 {
        self.histogram.percentile(share)
    }

    /// See [`Histogram::is_empty`].
    pub fn is_empty(&self) -> bool {
        self.histogram.is_empty()
    }

    /// The weights as they are now.
    pub fn histogram(&self) -> &Histogram {
        &self.histogram
    }

    /// The time at which a sample weighs just its weight.
    pub fn reference_s(&self) -> Option<i64> {
        self.reference_s
    }

    fn factor(&mut self, at_s: i64) -> f64 {
        let far = self.half_life_s.saturating_mul(EXPONENT_MAX);
        let reference = match self.reference_s {
            Some(reference) if at_s <= reference.saturating_add(far) => reference,
            Some(_) | None => {
                self.move_reference(at_s);
                self.reference_s.unwrap_or(at_s)
            }
        };
        (at_s.saturating_sub(reference) as f64 / self.half_life_s as f64).exp2()
    }

    fn move_reference(&mut self, to_s: i64) {
        let from_year_one = to_s.saturating_add(YEAR_ONE_S);
        let over = from_year_one.rem_euclid(self.half_life_s);
        let up = if over.saturating_mul(2) >= self.half_life_s { self.half_life_s } else { 0 };
        let rounded = from_year_one - over + up;
        let to = rounded - YEAR_ONE_S;
        if let Some(from) = self.reference_s {
            let exponent = (from.saturating_sub(to) as f64 / self.half_life_s as f64).round();
            self.histogram.scale(exponent.exp2());
        }
        self.reference_s = Some(to);
    }
}
