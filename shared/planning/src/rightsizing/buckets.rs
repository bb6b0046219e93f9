//! Which bucket a value falls into, and where buckets begin.

use std::sync::OnceLock;

/// The growth of a bucket over the one before (the Vertical Pod Autoscaler's; its margin of error is as much).
pub const RATIO: f64 = 1.05;
/// A weight below this is none: a thousandth of the least weight of a sample, 0.1.
pub const EPSILON: f64 = 1e-4;

/// How values are put into buckets.
#[derive(Debug, Clone, PartialEq)]
pub struct Buckets {
    scheme: Scheme,
    /// Weights below this are none.
    pub epsilon: f64,
    count: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Scheme {
    Linear { size: f64 },
    Exponential { first: f64, ratio: f64 },
}

impl Buckets {
    /// Buckets of one size, up to a largest value.
    pub fn linear(max: f64, size: f64, epsilon: f64) -> Buckets {
        Buckets { scheme: Scheme::Linear { size }, epsilon, count: whole((max / size).ceil()) + 1 }
    }

    /// Buckets that grow by a ratio, from a first one up to a largest value.
    pub fn exponential(max: f64, first: f64, ratio: f64, epsilon: f64) -> Buckets {
        let steps = (max * (ratio - 1.0) / first + 1.0).ln() / ratio.ln();
        Buckets { scheme: Scheme::Exponential { first, ratio }, epsilon, count: whole(steps.ceil()) + 1 }
    }

    /// For CPU, in cores: from a hundredth of a core to a thousand cores.
    pub fn cpu() -> &'static Buckets {
        static CPU: OnceLock<Buckets> = OnceLock::new();
        CPU.get_or_init(|| Buckets::exponential(1_000.0, 0.01, RATIO, EPSILON))
    }

    /// For memory, in bytes: from 10 MB to 1 TB.
    pub fn memory() -> &'static Buckets {
        static MEMORY: OnceLock<Buckets> = OnceLock::new();
        MEMORY.get_or_init(|| Buckets::exponential(1e12, 1e7, RATIO, EPSILON))
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The bucket of a value; below the first it is the first, beyond the last the last.
    pub fn find(&self, value: f64) -> usize {
        let steps = match self.scheme {
            Scheme::Linear { size } => value / size,
            Scheme::Exponential { first, .. } if value < first => 0.0,
            Scheme::Exponential { first, ratio } => (value * (ratio - 1.0) / first + 1.0).ln() / ratio.ln(),
        };
        whole(steps).min(self.count - 1)
    }

    /// Where a bucket begins.
    pub fn start(&self, bucket: usize) -> f64 {
        let bucket = i32::try_from(bucket).unwrap_or(i32::MAX);
        match self.scheme {
            Scheme::Linear { size } => f64::from(bucket) * size,
            Scheme::Exponential { first, ratio } => first * (ratio.powi(bucket) - 1.0) / (ratio - 1.0),
        }
    }

    /// What a percentile that lies in a bucket is said to be: where the next one begins; the last one has none.
    pub fn end(&self, bucket: usize) -> f64 {
        if bucket + 1 < self.count { self.start(bucket + 1) } else { self.start(bucket) }
    }
}

/// Cut off towards zero; nothing below it.
fn whole(value: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates, which is what is meant")]
    let whole = value as usize;
    whole
}
