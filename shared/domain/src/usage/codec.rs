//! The form that usage has in the table: bytes, at most [`ENCODED_MAX`] of them, whatever was measured.
//!
//! Decaying weights are kept as logarithms with 2048 steps per doubling (an error below two hundredths of a percent, and none is added
//! by writing them again: the base is a power of two). Today's counts are exact. A day that is over is kept in shares whose cumulated
//! sum is rounded, so that every percentile of it stays where it was to within half a share. Where all of it together would be too
//! long, shares get coarser, and nothing is dropped.

use super::{DAYS_KEPT, Day, Decayed, OOMS_KEPT, RAISES_KEPT, Usage, Weights};
use buckets::{put_buckets, take_buckets};
use bytes::{Reader, put_int, put_option, put_uint};

mod buckets;
mod bytes;

/// The most that one container takes, in bytes. With its names and key it stays below the 4 KB of one item.
pub const ENCODED_MAX: usize = 3_000;
/// The form of this version; another one is refused.
const FORM: u64 = 1;
/// Into how many shares a day that is over is rounded, finest first.
const SHARES: [u32; 6] = [1_000, 400, 200, 100, 50, 25];
/// Steps per doubling of a weight.
const STEPS: f64 = 2_048.0;

/// Usage that cannot be read: written by another version, or broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("usage cannot be read: {0}")]
pub struct BadUsage(pub &'static str);

impl Usage {
    /// As bytes, at most [`ENCODED_MAX`].
    pub fn encode(&self) -> Vec<u8> {
        for shares in SHARES {
            let bytes = self.encode_with(shares, None);
            if bytes.len() <= ENCODED_MAX {
                return bytes;
            }
        }
        // Millions of samples on one date, in every bucket: then today is rounded, too.
        self.encode_with(25, Some(10_000))
    }

    fn encode_with(&self, shares: u32, today: Option<u32>) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        put_uint(&mut out, FORM);
        put_decayed(&mut out, &self.cpu);
        put_decayed(&mut out, &self.memory);
        for days in [&self.cpu_days, &self.memory_days] {
            put_uint(&mut out, days.len() as u64);
            for (index, day) in days.iter().enumerate() {
                put_day(&mut out, day, if index + 1 == days.len() { today } else { Some(shares) });
            }
        }
        for time in [self.first_cpu_s, self.last_cpu_s, self.last_memory_s, self.window_end_s, self.resized_s] {
            put_option(&mut out, time);
        }
        for number in [self.cpu_samples, self.rounds, self.memory_peak, self.oom_peak, self.floor_bytes] {
            put_uint(&mut out, number);
        }
        put_int(&mut out, self.floor_until_s);
        put_uint(&mut out, self.ooms.len() as u64);
        self.ooms.iter().for_each(|name| out.extend_from_slice(&name.to_be_bytes()));
        put_uint(&mut out, self.raises_s.len() as u64);
        self.raises_s.iter().for_each(|at| put_int(&mut out, *at));
        out
    }

    /// From bytes.
    ///
    /// # Errors
    /// [`BadUsage`]: they are not what [`Usage::encode`] writes.
    pub fn decode(bytes: &[u8]) -> Result<Usage, BadUsage> {
        let mut from = Reader::new(bytes);
        if from.uint()? != FORM {
            return Err(BadUsage("it has a form of another version"));
        }
        let (cpu, memory) = (take_decayed(&mut from)?, take_decayed(&mut from)?);
        let (cpu_days, memory_days) = (take_days(&mut from)?, take_days(&mut from)?);
        let mut usage = Usage { cpu, memory, cpu_days, memory_days, ..Usage::default() };
        usage.first_cpu_s = from.option()?;
        usage.last_cpu_s = from.option()?;
        usage.last_memory_s = from.option()?;
        usage.window_end_s = from.option()?;
        usage.resized_s = from.option()?;
        usage.cpu_samples = from.uint()?;
        usage.rounds = from.uint()?;
        usage.memory_peak = from.uint()?;
        usage.oom_peak = from.uint()?;
        usage.floor_bytes = from.uint()?;
        usage.floor_until_s = from.int()?;
        for _ in 0..from.count(OOMS_KEPT)? {
            usage.ooms.push(from.word()?);
        }
        for _ in 0..from.count(RAISES_KEPT)? {
            usage.raises_s.push(from.int()?);
        }
        from.end()?;
        Ok(usage)
    }
}

fn put_decayed(out: &mut Vec<u8>, decayed: &Decayed) {
    put_option(out, decayed.reference_s);
    let largest = decayed.weights.iter().map(|(_, weight)| *weight).fold(0.0, f64::max);
    let base = if largest > 0.0 { largest.log2().ceil() } else { 0.0 };
    #[expect(clippy::cast_possible_truncation, reason = "a binary exponent of a finite number is far within i64")]
    put_int(out, base as i64);
    let code = |weight: f64| {
        let steps = ((base - weight.log2()) * STEPS).round();
        // Weights below a four-billionth of the largest are nothing.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be within u16")]
        (steps >= 0.0 && steps <= f64::from(u16::MAX)).then_some(steps as u16)
    };
    let coded: Vec<(u8, u16)> = decayed.weights.iter().filter_map(|(bucket, weight)| Some((*bucket, code(*weight)?))).collect();
    put_buckets(out, coded.iter().map(|(bucket, _)| *bucket));
    coded.iter().for_each(|(_, code)| out.extend_from_slice(&code.to_be_bytes()));
}

fn take_decayed(from: &mut Reader<'_>) -> Result<Decayed, BadUsage> {
    let reference_s = from.option()?;
    // What a number of 64 bits can hold, with room for the sum of all buckets.
    let base =
        i32::try_from(from.int()?).ok().filter(|base| (-1_000..=1_000).contains(base)).ok_or(BadUsage("an exponent is too large"))?;
    let mut weights = Weights::new();
    for bucket in take_buckets(from)? {
        weights.push((bucket, (f64::from(base) - f64::from(from.half()?) / STEPS).exp2()));
    }
    Ok(Decayed { reference_s, weights })
}

fn put_day(out: &mut Vec<u8>, day: &Day, shares: Option<u32>) {
    put_int(out, day.date);
    put_uint(out, day.samples);
    put_uint(out, day.peak);
    let rounded = shares.map_or_else(|| day.counts.clone(), |shares| round(&day.counts, shares));
    put_buckets(out, rounded.iter().map(|(bucket, _)| *bucket));
    rounded.iter().for_each(|(_, count)| put_uint(out, u64::from(*count)));
}

fn take_days(from: &mut Reader<'_>) -> Result<Vec<Day>, BadUsage> {
    let mut days = Vec::new();
    for _ in 0..from.count(DAYS_KEPT)? {
        let mut day = Day { date: from.int()?, samples: from.uint()?, peak: from.uint()?, counts: Vec::new() };
        for bucket in take_buckets(from)? {
            day.counts.push((bucket, u32::try_from(from.uint()?).map_err(|_| BadUsage("a count is too large"))?));
        }
        days.push(day);
    }
    Ok(days)
}

/// Rounds the cumulated sum into so many shares: a percentile moves by half a share at most. What is coarse enough is left alone,
/// so that rounding twice changes nothing.
fn round(counts: &[(u8, u32)], shares: u32) -> Vec<(u8, u32)> {
    let total: u64 = counts.iter().map(|(_, count)| u64::from(*count)).sum();
    if total <= u64::from(shares) {
        return counts.to_vec();
    }
    let (mut sum, mut given) = (0_u64, 0_u64);
    let mut rounded = Vec::with_capacity(counts.len());
    for (bucket, count) in counts {
        sum += u64::from(*count);
        let upto = (sum * u64::from(shares) + total / 2) / total;
        if let Ok(share @ 1..) = u32::try_from(upto - given) {
            rounded.push((*bucket, share));
        }
        given = upto;
    }
    rounded
}

#[cfg(test)]
mod tests;
