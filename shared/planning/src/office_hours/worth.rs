//! What sleep is worth, as an estimate of capacity that is freed.
//!
//! A pod that goes away saves nothing by itself: money is saved when a node goes. So this is a price of freed capacity, and the books
//! count only what ended with a node.

use super::Situation;
use super::scopes::{self, Wanted};
use domain::SignedDuration;
use domain::money::MicroDollars;

/// A vCPU for an hour: OpenCost's default for AWS, 0.031611 USD.
pub const CORE_HOUR: MicroDollars = MicroDollars(31_611);
/// A GiB of memory for an hour: OpenCost's default for AWS, 0.004237 USD.
pub const GIB_HOUR: MicroDollars = MicroDollars(4_237);
/// Hours of a month, as AWS and OpenCost reckon.
pub const HOURS_OF_MONTH: i64 = 730;

/// What the requests of this many pods cost per hour.
pub fn per_hour(pods: u32, cpu_millis: u64, memory_bytes: u64) -> MicroDollars {
    let cores = u128::from(cpu_millis) * u128::from(CORE_HOUR.0.unsigned_abs()) / 1_000;
    let gibs = (u128::from(memory_bytes) * u128::from(GIB_HOUR.0.unsigned_abs())) >> 30;
    MicroDollars(i64::try_from((cores + gibs) * u128::from(pods)).unwrap_or(i64::MAX))
}

/// In how many of the half hours of the coming week an object is to sleep, and out of how many: (part, whole).
pub fn share_asleep(on: &Situation<'_>) -> (i64, i64) {
    const HALF_HOURS: i64 = 7 * 48;
    let Ok(scopes) = scopes::of(on) else { return (0, HALF_HOURS) };
    let asleep = (0..HALF_HOURS).filter(|step| {
        let now = on.now.checked_add(SignedDuration::from_mins(30 * step)).unwrap_or(on.now);
        let then = Situation { now, ..*on };
        let excluded = scopes::excluded(&then, &scopes).map_or(true, |why| why.is_some());
        !excluded && matches!(scopes::wanted(&then, &scopes), Ok(Wanted::Down(_)))
    });
    (i64::try_from(asleep.count()).unwrap_or(0), HALF_HOURS)
}

/// What a month of this schedule frees: capacity per hour, for the share of 730 hours that it sleeps.
pub fn per_month(freed_per_hour: MicroDollars, (part, whole): (i64, i64)) -> MicroDollars {
    let month = i128::from(freed_per_hour.0) * i128::from(HOURS_OF_MONTH) * i128::from(part) / i128::from(whole.max(1));
    MicroDollars(i64::try_from(month).unwrap_or(i64::MAX))
}
