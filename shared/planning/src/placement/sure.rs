//! Whether pods find their places wherever a scheduler puts the others: an argument, not a sample.
//!
//! A pod is left without a place only if the others fill every node that it could use. The least number of pods that it takes to fill
//! a node, summed over the nodes, must be more than there are others; or the room that would have to be filled must be more than the
//! others take in all.

use super::state::{NodeId, State};

/// Blocked by no number of the others.
const NEVER: i64 = i64::MAX / 4;

/// What can stand in the way of one pod.
struct Rivals<'r> {
    /// How many others there are.
    others: i64,
    /// What the largest of the others takes, by dimension.
    largest: &'r [i64],
    /// What all pods, the one included, take.
    all: &'r [i64],
    /// One of the others, by being on a node, makes the node forbidden.
    quarrel: bool,
}

impl State<'_> {
    /// Whether each of these pods is sure to find a place. To be asked after their nodes were emptied and new ones launched, and
    /// before any is placed; `strangers` more pods may come from elsewhere.
    ///
    /// # Errors
    /// A class that is not sure of a place.
    pub fn sure(&mut self, pods: &[(usize, u32)], strangers: &[(usize, u32)]) -> Result<(), usize> {
        let everybody: Vec<(usize, u32)> = pods.iter().chain(strangers).copied().collect();
        let all = self.index.demand(&everybody);
        let count: i64 = everybody.iter().map(|(_, count)| i64::from(*count)).sum();
        let mut largest = vec![0_i64; self.index.dims];
        for (class, _) in &everybody {
            largest.iter_mut().zip(self.index.need(*class)).for_each(|(most, need)| *most = (*most).max(*need));
        }
        for (class, own) in pods {
            let rivals = Rivals { others: count - 1, largest: &largest, all: &all, quarrel: self.quarrels(*class, *own, &everybody) };
            if !self.sure_of(*class, *own, &everybody, &rivals) {
                return Err(*class);
            }
        }
        Ok(())
    }

    /// How many of these pods, one of the class left out, feed a counter.
    fn feeding(&self, counter: usize, class: usize, everybody: &[(usize, u32)]) -> i64 {
        let feeds = |other: usize| self.index.classes[other].feeds.contains(&counter);
        let sum: i64 = everybody.iter().filter(|(other, _)| feeds(*other)).map(|(_, count)| i64::from(*count)).sum();
        sum - i64::from(feeds(class))
    }

    /// Whether one of the others could make a node forbidden by being there.
    fn quarrels(&self, class: usize, own: u32, everybody: &[(usize, u32)]) -> bool {
        let compiled = &self.index.classes[class];
        let ports = compiled.ports.iter().any(|port| everybody.iter().any(|(other, _)| other == port && (*other != class || own > 1)));
        let single = |counter: &usize| self.single(*counter);
        let spreads = compiled.spreads.iter().map(|rule| rule.counter).filter(single);
        ports || compiled.forbids.iter().copied().chain(spreads).any(|counter| self.feeding(counter, class, everybody) > 0)
    }

    fn sure_of(&mut self, class: usize, own: u32, everybody: &[(usize, u32)], rivals: &Rivals<'_>) -> bool {
        let index = self.index;
        let compiled = &index.classes[class];
        // The first of its kind may go anywhere, and the others must follow it: only one may be such a first.
        if !compiled.requires.is_empty() && own > 1 && compiled.requires.iter().all(|counter| self.total(*counter) == 0) {
            return false;
        }
        let wide = |counter: usize| !self.single(counter);
        if compiled.forbids.iter().any(|counter| wide(*counter) && self.feeding(*counter, class, everybody) > 0) {
            return false;
        }
        // In each domain that may become the emptiest while the others are placed, there must be room for it.
        let mut parts: Vec<Option<(usize, usize)>> = Vec::new();
        for rule in compiled.spreads.iter().filter(|rule| wide(rule.counter)) {
            let more = self.feeding(rule.counter, class, everybody);
            let emptiest = self.emptiest(rule.counter, rule.min_domains, more);
            if emptiest.is_empty() {
                return false;
            }
            parts.extend(emptiest.into_iter().map(|domain| Some((rule.counter, domain))));
        }
        if parts.is_empty() {
            parts.push(None);
        }
        parts.into_iter().all(|part| self.holds_out(class, part, rivals))
    }

    /// Whether the others cannot fill all nodes that the class could use (within a domain).
    fn holds_out(&mut self, class: usize, part: Option<(usize, usize)>, rivals: &Rivals<'_>) -> bool {
        let mut pods_needed = 0_i64;
        let mut share_needed = 0.0_f64;
        let dims = self.index.need(class).iter().filter(|need| **need > 0).count() as f64;
        for signature in 0..self.signatures.len() {
            if !self.signatures[signature].allows[class] {
                continue;
            }
            let mut below = (i64::MAX, NodeId::MAX);
            while let Some((score, node)) = self.signatures[signature].order.range(..below).next_back().copied() {
                below = (score, node);
                let inside = part.is_none_or(|(counter, domain)| self.domain(counter, node) == domain);
                if !inside || !self.fits_but(class, node, part.map(|(counter, _)| counter)) {
                    continue;
                }
                let (pods, share) = self.to_fill(class, node, rivals);
                pods_needed = pods_needed.saturating_add(pods);
                share_needed += share;
                if pods_needed > rivals.others || (share_needed > dims && !rivals.quarrel) {
                    return true;
                }
            }
        }
        false
    }

    /// The least number of the others that keep the class off the node, and the least share of what all take that this needs.
    fn to_fill(&self, class: usize, node: NodeId, rivals: &Rivals<'_>) -> (i64, f64) {
        let (mut pods, mut share) = (NEVER, f64::INFINITY);
        let need = self.index.need(class);
        let free = &self.free[node * self.index.dims..(node + 1) * self.index.dims];
        for dim in (0..need.len()).filter(|dim| need[*dim] > 0) {
            // This much more has to be taken before the pod does not fit.
            let lack = free[dim] - need[dim] + 1;
            if rivals.all[dim] - need[dim] < lack {
                continue;
            }
            pods = pods.min((lack + rivals.largest[dim] - 1) / rivals.largest[dim].max(1)).max(1);
            share = share.min(lack as f64 / (rivals.all[dim] - need[dim]).max(1) as f64);
        }
        if rivals.quarrel { (pods.min(1), 0.0) } else { (pods, share) }
    }
}
