//! The price of one spot pool as it wanders.

use super::MarketSpec;
use domain::money::MicroDollars;
use domain::offering::Pool;
use fastrand::Rng;
use jiff::Timestamp;

/// A price on its way: in logarithms a walk that is drawn back to its mean, with jumps upwards.
#[derive(Debug)]
pub(super) struct Walk {
    rng: Rng,
    mean: f64,
    on_demand: MicroDollars,
    /// The logarithm of price over mean.
    level: f64,
    next: Timestamp,
    short_until: Timestamp,
    points: Vec<(Timestamp, MicroDollars)>,
}

/// A seed of its own for every pool (FNV-1a).
fn seed_of(seed: u64, pool: &Pool) -> u64 {
    pool.to_string().bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Nearly a normal number with variance one: the sum of twelve uniform ones.
fn normal(rng: &mut Rng) -> f64 {
    (0..12).map(|_| rng.f64()).sum::<f64>() - 6.0
}

#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "prices are far below 2^52 micro-dollars")]
fn times(price: MicroDollars, factor: f64) -> MicroDollars {
    MicroDollars((price.0 as f64 * factor).round() as i64)
}

impl Walk {
    pub(super) fn new(spec: &MarketSpec, seed: u64, pool: &Pool, on_demand: MicroDollars, begins: Timestamp) -> Walk {
        let mut rng = Rng::with_seed(seed_of(seed, pool));
        let mean = f64::from(rng.u32(spec.mean_percent.0..=spec.mean_percent.1)) / 100.0;
        let points = vec![(Timestamp::MIN, times(on_demand, mean))];
        Walk { rng, mean, on_demand, level: 0.0, next: begins, short_until: Timestamp::MIN, points }
    }

    /// Goes on until now.
    pub(super) fn go(&mut self, spec: &MarketSpec, now: Timestamp) {
        while self.next <= now {
            let at = self.next;
            self.step(spec, at);
            match at.checked_add(spec.step) {
                Ok(next) if next > at => self.next = next,
                Ok(_) | Err(_) => return,
            }
        }
    }

    fn step(&mut self, spec: &MarketSpec, at: Timestamp) {
        self.level += spec.volatility * normal(&mut self.rng) - spec.reversion * self.level;
        if self.rng.f64() < spec.jump_chance {
            self.level += (1.0 + spec.jump).ln();
        }
        if self.rng.f64() < spec.shortage_chance {
            let steps = i32::try_from(self.rng.u32(1..=spec.shortage_steps.max(1))).unwrap_or(1);
            self.short_until = at.checked_add(spec.step * steps).unwrap_or(at);
        }
        // AWS never asks more for spot than on demand.
        let price = times(self.on_demand, (self.mean * self.level.exp()).clamp(0.05, 1.0));
        if self.points.last().is_none_or(|(_, last)| *last != price) {
            self.points.push((at, price));
        }
    }

    /// The prices so far; the first holds since ever.
    pub(super) fn points(&self) -> &[(Timestamp, MicroDollars)] {
        &self.points
    }

    pub(super) fn short_until(&self) -> Timestamp {
        self.short_until
    }
}
