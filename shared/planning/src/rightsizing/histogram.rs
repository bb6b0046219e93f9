//! Weights in buckets.

use super::buckets::Buckets;
use domain::usage::Weights;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The largest weight of a checkpoint.
const CHECKPOINT_MAX: f64 = 10_000.0;

/// A histogram.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    buckets: Cow<'static, Buckets>,
    weights: Vec<f64>,
    total: f64,
    /// The first and the last bucket with a weight.
    min: usize,
    max: usize,
}

/// A histogram as the Vertical Pod Autoscaler stores it: weights scaled so that the largest is 10,000, rounded, without zeros.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Checkpoint {
    /// The sum of the weights before they were scaled.
    pub total_weight: f64,
    /// Weight by bucket.
    pub bucket_weights: BTreeMap<i64, u32>,
}

/// A checkpoint that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the checkpoint is broken: {0}")]
pub struct BadCheckpoint(pub String);

impl Histogram {
    /// An empty one.
    pub fn new(buckets: impl Into<Cow<'static, Buckets>>) -> Histogram {
        let buckets = buckets.into();
        let count = buckets.count();
        Histogram { buckets, weights: vec![0.0; count], total: 0.0, min: count - 1, max: 0 }
    }

    /// One with these weights.
    pub fn of(buckets: &'static Buckets, weights: &Weights) -> Histogram {
        let mut made = Histogram::new(buckets);
        for (bucket, weight) in weights {
            if let Some(place) = made.weights.get_mut(usize::from(*bucket)) {
                *place += weight;
                made.total += weight;
            }
        }
        made.derive_ends();
        made
    }

    /// Its weights, as they are kept.
    pub fn weights(&self) -> Weights {
        let kept = self.weights.iter().enumerate().filter(|(_, weight)| **weight >= self.buckets.epsilon);
        kept.filter_map(|(bucket, weight)| Some((u8::try_from(bucket).ok()?, *weight))).collect()
    }

    /// Adds a sample.
    pub fn add(&mut self, value: f64, weight: f64) {
        self.add_to(self.buckets.find(value), weight);
    }

    /// Adds a sample whose bucket is known; a bucket that there is not takes none.
    pub fn add_to(&mut self, bucket: usize, weight: f64) {
        let Some(place) = self.weights.get_mut(bucket) else { return };
        *place += weight;
        self.total += weight;
        if *place >= self.buckets.epsilon {
            self.min = self.min.min(bucket);
            self.max = self.max.max(bucket);
        }
    }

    /// Takes a sample back.
    pub fn subtract(&mut self, value: f64, weight: f64) {
        let left = |from: f64| if from - weight < self.buckets.epsilon { 0.0 } else { from - weight };
        let bucket = self.buckets.find(value);
        self.total = left(self.total);
        let rest = self.weights.get(bucket).copied().map_or(0.0, left);
        if let Some(place) = self.weights.get_mut(bucket) {
            *place = rest;
        }
        self.widen_and_derive_ends();
    }

    /// Adds all of another with the same buckets.
    pub fn merge(&mut self, other: &Histogram) {
        for (place, weight) in self.weights.iter_mut().zip(&other.weights) {
            *place += weight;
        }
        self.total += other.total;
        self.widen_and_derive_ends();
    }

    /// Multiplies every weight.
    pub fn scale(&mut self, factor: f64) {
        self.weights.iter_mut().for_each(|weight| *weight *= factor);
        self.total *= factor;
        self.widen_and_derive_ends();
    }

    /// Whether it holds nothing that counts.
    pub fn is_empty(&self) -> bool {
        self.weights.get(self.min).is_none_or(|weight| *weight < self.buckets.epsilon)
    }

    /// The sum of its weights.
    pub fn total(&self) -> f64 {
        self.total
    }

    /// The end of the bucket in which this share of the weight is reached; nothing where it is empty.
    pub fn percentile(&self, share: f64) -> f64 {
        if self.is_empty() {
            return 0.0;
        }
        let threshold = share * self.total;
        let mut sum = 0.0;
        let mut bucket = self.min;
        while bucket < self.max {
            sum += self.weights.get(bucket).copied().unwrap_or(0.0);
            if sum >= threshold {
                break;
            }
            bucket += 1;
        }
        self.buckets.end(bucket)
    }

    /// As it is stored elsewhere.
    pub fn checkpoint(&self) -> Checkpoint {
        let largest = self.weights.iter().copied().fold(0.0, f64::max);
        let mut bucket_weights = BTreeMap::new();
        if largest > 0.0 {
            for (bucket, weight) in self.weights.iter().enumerate().take(self.max + 1).skip(self.min) {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 10,000")]
                let scaled = (weight * (CHECKPOINT_MAX / largest)).round() as u32;
                if scaled > 0 {
                    bucket_weights.insert(i64::try_from(bucket).unwrap_or(i64::MAX), scaled);
                }
            }
        }
        Checkpoint { total_weight: self.total, bucket_weights }
    }

    /// Adds what a checkpoint holds.
    ///
    /// # Errors
    /// [`BadCheckpoint`]: a bucket that there is not, or a total below zero.
    pub fn load(&mut self, checkpoint: &Checkpoint) -> Result<(), BadCheckpoint> {
        if checkpoint.total_weight < 0.0 {
            return Err(BadCheckpoint(format!("its total is {}", checkpoint.total_weight)));
        }
        let place = |bucket: i64| {
            let known = usize::try_from(bucket).ok().filter(|bucket| *bucket < self.buckets.count());
            known.ok_or_else(|| BadCheckpoint(format!("there is no bucket {bucket}")))
        };
        let mut found = Vec::new();
        for (bucket, weight) in &checkpoint.bucket_weights {
            found.push((place(*bucket)?, f64::from(*weight)));
        }
        let sum: f64 = found.iter().map(|(_, weight)| weight).sum();
        if sum == 0.0 {
            return Ok(());
        }
        for (bucket, weight) in found {
            if let Some(place) = self.weights.get_mut(bucket) {
                *place += weight * (checkpoint.total_weight / sum);
            }
        }
        self.total += checkpoint.total_weight;
        self.widen_and_derive_ends();
        Ok(())
    }

    fn widen_and_derive_ends(&mut self) {
        (self.min, self.max) = (0, self.weights.len() - 1);
        self.derive_ends();
    }

    /// The first and the last bucket that count: rounding and subtraction leave weights that do not.
    fn derive_ends(&mut self) {
        let counts = |weight: &f64| *weight >= self.buckets.epsilon;
        self.min = self.weights.iter().position(counts).unwrap_or(self.weights.len() - 1);
        self.max = self.weights.iter().rposition(counts).unwrap_or(0);
    }
}

impl From<Buckets> for Cow<'static, Buckets> {
    fn from(buckets: Buckets) -> Self {
        Cow::Owned(buckets)
    }
}

impl From<&'static Buckets> for Cow<'static, Buckets> {
    fn from(buckets: &'static Buckets) -> Self {
        Cow::Borrowed(buckets)
    }
}
