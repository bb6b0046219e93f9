//! The arithmetic of cost reports, as OpenCost and Kubecost have made it known. The worked examples of their documents are the
//! tests.

use crate::money::MicroDollars;
use crate::scheduling::Resources;

/// Hours of a month: 365 days of 24 hours, a twelfth of them (OpenCost, Kubecost and the AWS price pages).
pub const HOURS_PER_MONTH: f64 = 730.0;
/// What a core costs per hour where nothing better is known, millionths of a US dollar (OpenCost's default for AWS: 0.031611).
pub const CORE_HOUR: u128 = 31_611;
/// And a GiB of memory (OpenCost's default for AWS: 0.004237).
pub const GIB_HOUR: u128 = 4_237;

/// One figure for CPU and memory together: what they would cost at OpenCost's default prices. Only ratios of it mean anything.
pub fn weight(amount: &Resources) -> u128 {
    // Millicores to GiB-bytes: both terms over the same denominator, 1000 * 2^30.
    u128::from(amount.cpu_millis) * CORE_HOUR * (1 << 30) + u128::from(amount.memory_bytes) * GIB_HOUR * 1000
}

/// Splits the price of a node among its resources, in proportion to what each would cost alone at its base price.
/// `parts` are (base price of one unit, units). The shares are prices of one unit, in the same currency as `price`.
pub fn split(price: f64, parts: &[(f64, f64)]) -> Vec<f64> {
    let whole: f64 = parts.iter().map(|(base, units)| base * units).sum();
    parts.iter().map(|(base, _)| if whole > 0.0 { price * base / whole } else { 0.0 }).collect()
}

/// What a month saves, judged by what was saved within a window: `(allocated - target) * hours run * price`, stretched from the
/// hours of data to a month. Below zero where the target is above what is allocated: an upsize costs.
pub fn per_month(allocated: f64, target: f64, run_hours: f64, price: f64, data_hours: f64) -> f64 {
    if data_hours <= 0.0 {
        return 0.0;
    }
    (allocated - target) * run_hours * price * HOURS_PER_MONTH / data_hours
}

/// What an amount per hour is in a month, rounded to the millionth.
pub fn month_of(per_hour: MicroDollars) -> MicroDollars {
    // 730 is whole.
    MicroDollars(per_hour.0.saturating_mul(730))
}

/// How much of what is paid for is used: the shares of CPU and memory, weighted by their cost. Each is (requested, used, price).
pub fn efficiency(cpu: (f64, f64, f64), memory: (f64, f64, f64)) -> f64 {
    let cost = |(requested, _, price): (f64, f64, f64)| requested * price;
    let used = |(requested, used, price): (f64, f64, f64)| if requested > 0.0 { used / requested * requested * price } else { 0.0 };
    let whole = cost(cpu) + cost(memory);
    if whole > 0.0 { (used(cpu) + used(memory)) / whole } else { 0.0 }
}

/// What is idle of an asset: never below zero, though more may be allocated than there is.
pub fn idle(asset: f64, allocated: f64) -> f64 {
    (asset - allocated).max(0.0)
}

/// What a pod is charged for: the greater of what it requests and what it uses.
pub fn allocation(requested: f64, used: f64) -> f64 {
    requested.max(used)
}

/// What to request so that this use is the target share of it.
pub fn request_for(used: f64, target: f64) -> f64 {
    if target > 0.0 { used / target } else { used }
}

/// An amount with room over it, rounded up: what is asked for where so much is used.
pub fn with_margin(used: u64, percent: u32) -> u64 {
    used.saturating_add(used.saturating_mul(u64::from(percent)).div_ceil(100))
}
