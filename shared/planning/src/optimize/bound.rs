//! A proven lower bound, and what a unit of CPU, of memory and a pod are worth at it.
//!
//! The linear program: prices of resources as high as they may be, while no node that could exist holds more value than it costs. Any
//! prices that meet this prove a bound: the value of all pods together.

use domain::money::MicroDollars;

/// Something that pods can be put into: what it holds and costs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Vessel {
    /// CPU, thousandths of a core.
    pub(crate) cpu: i64,
    /// Memory, bytes.
    pub(crate) memory: i64,
    /// Pods.
    pub(crate) pods: i64,
    /// What it costs per hour.
    pub(crate) cost: i64,
}

/// What resources are worth, in micro-dollars per hour.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Worth {
    /// One thousandth of a core.
    pub(crate) cpu: f64,
    /// One byte.
    pub(crate) memory: f64,
    /// One pod.
    pub(crate) pod: f64,
}

impl Worth {
    /// The value of these pods.
    pub(crate) fn of(&self, demand: &[i64]) -> f64 {
        let at = |dim: usize| demand.get(dim).copied().unwrap_or(0) as f64;
        self.cpu * at(crate::placement::CPU) + self.memory * at(crate::placement::MEMORY) + self.pod * at(crate::placement::PODS)
    }

    /// The same, cut to whole micro-dollars: a bound must not be rounded up.
    pub(crate) fn bound(&self, demand: &[i64]) -> MicroDollars {
        #[expect(clippy::cast_possible_truncation, reason = "cut down on purpose; costs are far below 2^53 micro-dollars")]
        let whole = (self.of(demand) * (1.0 - 1e-9)).floor() as i64;
        MicroDollars(whole.max(0))
    }
}

/// The best prices of resources for this demand (by dimension). Found by a search over the two ratios, made valid at the end:
/// whatever the search found, no vessel holds more value than it costs.
pub(crate) fn worth(vessels: &[Vessel], demand: &[i64]) -> Worth {
    let vessels = &tight(vessels);
    if vessels.is_empty() {
        return Worth::default();
    }
    // The share of the value that pods as such have is searched in steps, coarse at first; for each, the one between CPU and memory.
    let best_of = |pods: f64| peak(|tilt| value(vessels, demand, tilt, pods).0);
    let pods = peak(|pods| best_of(pods).1).0;
    let tilt = best_of(pods).0;
    value(vessels, demand, tilt, pods).1
}

/// The vessels that can be the tightest: those that no other matches at no higher cost.
fn tight(vessels: &[Vessel]) -> Vec<Vessel> {
    let mut sorted = vessels.to_vec();
    sorted.sort_by_key(|v| (v.cost, std::cmp::Reverse((v.cpu, v.memory, v.pods))));
    let mut kept: Vec<Vessel> = Vec::new();
    for vessel in sorted {
        if !kept.iter().any(|other| other.cpu >= vessel.cpu && other.memory >= vessel.memory && other.pods >= vessel.pods) {
            kept.push(vessel);
        }
    }
    kept
}

/// The top of a function on 0 to 1 that rises, then falls (a concave one along each search), and its value.
fn peak(of: impl Fn(f64) -> f64) -> (f64, f64) {
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    let mut best = (0.0, of(0.0));
    for _ in 0..28 {
        let (left, right) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
        let (at_left, at_right) = (of(left), of(right));
        for found in [(left, at_left), (right, at_right)] {
            if found.1 > best.1 {
                best = found;
            }
        }
        if at_left < at_right {
            low = left;
        } else {
            high = right;
        }
    }
    best
}

/// Prices along a direction, stretched until the tightest vessel is worth what it costs; and the value of the demand at them.
fn value(vessels: &[Vessel], demand: &[i64], tilt: f64, pods: f64) -> (f64, Worth) {
    // A GiB beside a core, and a pod beside both, so that the ratios are near one.
    let direction = Worth {
        cpu: (1.0 - pods) * (1.0 - tilt) / 1_000.0,
        memory: (1.0 - pods) * tilt / (4.0 * 1024.0 * 1024.0 * 1024.0),
        pod: pods / 10.0,
    };
    let mut stretch = f64::INFINITY;
    for vessel in vessels {
        let holds = direction.of(&[vessel.cpu, vessel.memory, vessel.pods]);
        if holds > 0.0 {
            stretch = stretch.min(vessel.cost as f64 / holds);
        }
    }
    if !stretch.is_finite() {
        return (0.0, Worth::default());
    }
    let worth = Worth { cpu: direction.cpu * stretch, memory: direction.memory * stretch, pod: direction.pod * stretch };
    (worth.of(demand), worth)
}

#[cfg(test)]
mod tests;
