//! Which of the nodes that fit is the best one, by kube-scheduler's default plugins and weights. Scores go to 10,000, so that fewer
//! nodes are equal than with kube-scheduler's 100.

use super::super::state::Pod;
use super::rules::Rules;
use super::view::{Spot, View, asked};

const BEST: i64 = 10_000;

/// Weights of kube-scheduler's default profile.
const TAINTS: i64 = 3;
const NODE_AFFINITY: i64 = 2;
const POD_AFFINITY: i64 = 2;
const SPREAD: i64 = 2;

/// The emptier, the better: the mean of what would be left of CPU and of memory.
fn least_allocated(spot: &Spot<'_>, pod: &Pod) -> i64 {
    let (cpu, memory) = asked(&pod.shape);
    let part = |asked: u64, of: u64| match of.checked_sub(asked) {
        // Amounts are far below 2^50, so that this does not overflow.
        Some(left) if of > 0 => i64::try_from(left.saturating_mul(10_000) / of).unwrap_or(0),
        Some(_) | None => 0,
    };
    let node = spot.node;
    (part(spot.cpu_asked + cpu, node.cpu_millis) + part(spot.memory_asked + memory, node.memory_bytes)) / 2
}

/// Brings scores to 0 to 10,000, the highest to the top.
fn normal(scores: &mut [i64], lowest: i64) {
    let highest = scores.iter().copied().max().unwrap_or(0);
    for score in scores {
        *score = if highest > lowest { (*score - lowest) * BEST / (highest - lowest) } else { 0 };
    }
}

fn add(total: &mut [i64], part: &[i64], weight: i64) {
    for (sum, score) in total.iter_mut().zip(part) {
        *sum += score * weight;
    }
}

impl View<'_> {
    /// The best of these nodes; the first of equals.
    pub(super) fn best(&self, pod: &Pod, rules: &Rules, nodes: &[usize]) -> Option<usize> {
        if nodes.len() <= 1 {
            return nodes.first().copied();
        }
        let mut total: Vec<i64> = nodes.iter().map(|node| self.spots.get(*node).map_or(0, |spot| least_allocated(spot, pod))).collect();
        if !rules.disliked.is_empty() {
            let mut part: Vec<i64> = nodes.iter().map(|node| -rules.disliked.get(*node).copied().unwrap_or(0)).collect();
            let lowest = part.iter().copied().min().unwrap_or(0);
            normal(&mut part, lowest);
            add(&mut total, &part, TAINTS);
        }
        if !rules.liked.is_empty() {
            let mut part: Vec<i64> = nodes.iter().map(|node| rules.liked.get(*node).copied().unwrap_or(0)).collect();
            normal(&mut part, 0);
            add(&mut total, &part, NODE_AFFINITY);
        }
        if !rules.pulls.is_empty() {
            let mut part: Vec<i64> = nodes.iter().map(|node| self.pull(rules, *node)).collect();
            let lowest = part.iter().copied().min().unwrap_or(0).min(0);
            normal(&mut part, lowest);
            add(&mut total, &part, POD_AFFINITY);
        }
        if !rules.soft.is_empty() {
            add(&mut total, &self.spread(rules, nodes), SPREAD);
        }
        let best = total.iter().copied().max()?;
        nodes.iter().zip(&total).filter(|(_, score)| **score == best).map(|(node, _)| *node).min()
    }

    fn pull(&self, rules: &Rules, node: usize) -> i64 {
        let one = |(weight, tally): &(i64, usize)| {
            let tally = self.tallies.get(*tally)?;
            let count = tally.in_domain(self.domain(tally.topology, node)?);
            Some(weight * i64::from(count))
        };
        rules.pulls.iter().filter_map(one).sum()
    }

    /// The fewer of its kind in the domain, the better. Domains of which there are many weigh more.
    fn spread(&self, rules: &Rules, nodes: &[usize]) -> Vec<i64> {
        let weigh = |domains: usize| {
            let domains = u32::try_from(domains).unwrap_or(u32::MAX);
            (f64::from(domains) + 2.0).ln()
        };
        let of: Vec<_> =
            rules.soft.iter().filter_map(|soft| self.tallies.get(soft.tally).map(|tally| (soft, tally, weigh(tally.domains)))).collect();
        let one = |node: &usize| -> Option<f64> {
            let mut sum = 0.0;
            for (soft, tally, weight) in &of {
                match self.domain(tally.topology, *node) {
                    Some(domain) => sum += f64::from(tally.in_domain(domain)) * weight + f64::from(soft.max_skew.saturating_sub(1)),
                    None if rules.soft_is_own => return None,
                    None => {}
                }
            }
            Some(sum)
        };
        let raw: Vec<Option<f64>> = nodes.iter().map(one).collect();
        let known = || raw.iter().flatten().copied();
        let (low, high) = (known().fold(f64::INFINITY, f64::min), known().fold(0.0, f64::max));
        let normal = |score: &Option<f64>| match score {
            Some(_) if high <= 0.0 => BEST,
            Some(score) => whole((high + low - score) / high * 10_000.0),
            None => 0,
        };
        raw.iter().map(normal).collect()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "between 0 and 10,000 by what calls it")]
fn whole(score: f64) -> i64 {
    score.round() as i64
}
