//! Whether pods find their places wherever a scheduler puts the others: an argument, not a sample.
//!
//! A pod is left without a place only if the others fill every node that it could use. The least number of pods that it takes to fill
//! a node, summed over the nodes, must be more than there are others; or what it takes to fill them all must be worth more than all of
//! the others are. Worth is what each unit of each resource counts for ([`Scale`]): a node may be filled in any of them, so it takes at
//! least the least of its worths; and a pod helps to fill a node in one of them, so it brings at most the largest of its own. Whatever
//! the units count for, that is a proof; a good choice makes it a sharp one. For the pods of a few nodes all of it is; for more see
//! [`ALL_OF`].

use super::state::{NodeId, State};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// Of so many others, all are reckoned with wherever they might go. Of more, those that would come by chance, [`MARGIN`] times over:
/// that thousands of pods with room everywhere all choose the same few nodes is not reckoned with.
const ALL_OF: i64 = 96;
/// See [`ALL_OF`].
const MARGIN: i64 = 4;

/// Blocked by no number of the others.
const NEVER: i64 = i64::MAX / 4;

/// What can stand in the way of one pod.
struct Rivals<'r> {
    /// How many others there are.
    others: i64,
    /// All pods, by class: their number, and how many nodes allow them.
    crowd: &'r [(i64, i64)],
    /// What the largest of the others takes, by dimension.
    largest: &'r [i64],
    /// What all pods, the one included, take.
    all: &'r [i64],
    /// What resources are made to count for.
    scales: &'r [Scale],
    /// What the others are worth to it, by scale.
    worths: &'r [i64],
    /// So many of the others make a node forbidden by being there.
    quarrels: i64,
}

impl Rivals<'_> {
    /// How many of the others are reckoned with on so many nodes.
    fn at(&self, nodes: i64) -> i64 {
        if self.others <= ALL_OF {
            return self.others;
        }
        let come = |(count, allowed): &(i64, i64)| (count * MARGIN * nodes + allowed - 1) / allowed;
        let sum: i64 = self.crowd.iter().map(|these| come(these).min(these.0)).sum();
        sum.clamp(ALL_OF, self.others)
    }

    /// What so many of the others are worth, by scale.
    fn limits(&self, others: i64) -> Vec<i64> {
        let part = |worth: &i64| i128::from(*worth) * i128::from(others) / i128::from(self.others.max(1));
        self.worths.iter().map(|worth| i64::try_from(part(worth)).unwrap_or(NEVER)).collect()
    }
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
        let crowd: Vec<(i64, i64)> =
            everybody.iter().map(|(class, count)| (i64::from(*count), self.nodes_for(*class, None).max(1))).collect();
        let scales = self.scales(&all);
        // By what a pod needs at all: most need the same resources, in whatever amounts.
        let mut known: BTreeMap<Vec<bool>, Vec<i64>> = BTreeMap::new();
        for (class, own) in pods {
            let need = self.index.need(*class);
            let mask = need.iter().map(|amount| *amount > 0).collect();
            let all_worth = |scale: &Scale| {
                let worth = |(other, count): &(usize, u32)| scale.most(self.index.need(*other), need).saturating_mul(i64::from(*count));
                everybody.iter().map(worth).fold(0, i64::saturating_add)
            };
            let sums = known.entry(mask).or_insert_with(|| scales.iter().map(all_worth).collect());
            let worths: Vec<i64> = sums.iter().zip(&scales).map(|(all, scale)| all - scale.most(need, need)).collect();
            let rivals = Rivals {
                others: count - 1,
                crowd: &crowd,
                largest: &largest,
                all: &all,
                scales: &scales,
                worths: &worths,
                quarrels: self.quarrels(*class, &everybody),
            };
            if !self.sure_of(*class, *own, &everybody, &rivals) {
                return Err(*class);
            }
        }
        Ok(())
    }

    /// How many nodes labels and taints leave to a class (within a domain; a domain is taken to be one for nodes that look alike).
    fn nodes_for(&self, class: usize, part: Option<(usize, usize)>) -> i64 {
        let inside = |node: NodeId| part.is_none_or(|(counter, domain)| self.domain(counter, node) == domain);
        let allowed = self.signatures.iter().filter(|signature| signature.allows[class]);
        let count = allowed.filter(|s| s.order.first().is_some_and(|(_, node)| inside(*node))).map(|s| s.order.len()).sum::<usize>();
        i64::try_from(count).unwrap_or(i64::MAX)
    }

    /// How many of these pods, one of the class left out, feed a counter.
    fn feeding(&self, counter: usize, class: usize, everybody: &[(usize, u32)]) -> i64 {
        let feeds = |other: usize| self.index.classes[other].feeds.contains(&counter);
        let sum: i64 = everybody.iter().filter(|(other, _)| feeds(*other)).map(|(_, count)| i64::from(*count)).sum();
        sum - i64::from(feeds(class))
    }

    /// How many of the others could make a node forbidden by being there.
    fn quarrels(&self, class: usize, everybody: &[(usize, u32)]) -> i64 {
        let compiled = &self.index.classes[class];
        let meets = |other: usize| {
            let feeds = |counter: &usize| self.index.classes[other].feeds.contains(counter);
            let mut spreads = compiled.spreads.iter().map(|rule| &rule.counter).filter(|counter| self.single(**counter));
            compiled.ports.contains(&other) || compiled.forbids.iter().any(feeds) || spreads.any(feeds)
        };
        let sum: i64 = everybody.iter().filter(|(other, _)| meets(*other)).map(|(_, count)| i64::from(*count)).sum();
        sum - i64::from(meets(class))
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

    /// Two ways to count: each resource by the part of the demand that it is, and the same with what there is plenty of counting less.
    fn scales(&self, all: &[i64]) -> [Scale; 2] {
        let dims = self.index.dims;
        let mut room = vec![0_i128; dims];
        for (_, node) in self.signatures.iter().flat_map(|signature| &signature.order) {
            for (dim, room) in room.iter_mut().enumerate() {
                *room += i128::from(self.free[node * dims + dim].max(0));
            }
        }
        let plenty = |dim: usize| i128::from(all[dim].max(0)) * i128::from(UNIT) / room[dim].max(1);
        let by_room: Vec<i64> = (0..dims).map(|dim| i64::try_from(plenty(dim)).unwrap_or(UNIT).clamp(1, UNIT)).collect();
        [Scale::new(&vec![UNIT; dims], all), Scale::new(&by_room, all)]
    }

    /// Whether the others cannot fill all nodes that the class could use (within a domain).
    fn holds_out(&mut self, class: usize, part: Option<(usize, usize)>, rivals: &Rivals<'_>) -> bool {
        let others = rivals.at(self.nodes_for(class, part));
        let need = self.index.need(class);
        let limits = rivals.limits(others);
        let mut tally = Tally::new(rivals.scales.len());
        let mut asked = 0;
        let sure = self.signatures.iter().filter(|signature| signature.allows[class]).any(|signature| {
            signature.order.iter().rev().any(|(_, node)| {
                asked += 1;
                let inside = part.is_none_or(|(counter, domain)| self.domain(counter, *node) == domain);
                if !inside || !self.judge(class, *node, part.map(|(counter, _)| counter)) {
                    return false;
                }
                let free = &self.free[node * self.index.dims..(node + 1) * self.index.dims];
                tally.add(need, free, rivals);
                tally.pods.sum > others || tally.worths.iter().zip(&limits).any(|(worth, limit)| worth.sum > *limit)
            })
        });
        self.work += asked;
        sure
    }
}

/// What a unit of each resource counts for: as a part of all demand for it, in billionths; in thousandths of that where it counts
/// less. Kept as a factor and a shift, as it is asked for some million times for an answer.
struct Scale {
    rates: Vec<u128>,
}

/// One, as a scale counts.
const UNIT: i64 = 1_000;

/// Binary digits behind the point of a rate. An amount has up to 44 of them (16 TiB), a rate before the point up to 30.
const DIGITS: u32 = 48;

impl Scale {
    /// Of what each resource counts, and the demand for it.
    fn new(counts: &[i64], all: &[i64]) -> Scale {
        let whole = |amount: i64| u128::try_from(amount).unwrap_or(0);
        let rate = |(counts, all): (&i64, &i64)| (whole(WHOLE / UNIT * counts) << DIGITS) / whole(*all).max(1);
        Scale { rates: counts.iter().zip(all).map(rate).collect() }
    }

    /// The worth of an amount of a resource, in billionths.
    fn worth(&self, dim: usize, amount: i64) -> i64 {
        let amount = u128::try_from(amount).unwrap_or(0);
        i64::try_from(amount.saturating_mul(self.rates[dim]) >> DIGITS).unwrap_or(NEVER)
    }

    /// The most that a pod is worth in any resource that the one in question needs, too; rounded up: one for the digits that a rate lacks,
    /// one for those behind the point.
    fn most(&self, pod: &[i64], need: &[i64]) -> i64 {
        (0..need.len()).filter(|dim| need[*dim] > 0).map(|dim| self.worth(dim, pod[dim]) + 2).max().unwrap_or(0)
    }
}

/// A sum of what it takes to fill nodes, without those that quarrels can take away: whichever count most.
#[derive(Default)]
struct Sum {
    sum: i64,
    lost: BinaryHeap<Reverse<i64>>,
}

impl Sum {
    fn add(&mut self, more: i64, quarrels: usize) {
        self.lost.push(Reverse(more));
        if self.lost.len() > quarrels
            && let Some(Reverse(least)) = self.lost.pop()
        {
            self.sum = self.sum.saturating_add(least);
        }
    }
}

/// What it takes to fill the nodes seen so far.
struct Tally {
    /// Numbers of pods.
    pods: Sum,
    /// By scale: worths in billionths.
    worths: Vec<Sum>,
}

/// One, in shares.
const WHOLE: i64 = 1_000_000_000;

impl Tally {
    fn new(scales: usize) -> Tally {
        Tally { pods: Sum::default(), worths: (0..scales).map(|_| Sum::default()).collect() }
    }

    /// Adds a node: the least number of the others that keep the pod off it, and the least that those are worth.
    fn add(&mut self, need: &[i64], free: &[i64], rivals: &Rivals<'_>) {
        let quarrels = usize::try_from(rivals.quarrels).unwrap_or(0);
        let mut pods = NEVER;
        let mut worths = vec![NEVER; self.worths.len()];
        for dim in (0..need.len()).filter(|dim| need[*dim] > 0) {
            // This much more has to be taken before the pod does not fit.
            let lack = free[dim] - need[dim] + 1;
            if rivals.all[dim] - need[dim] < lack {
                continue;
            }
            pods = pods.min((lack + rivals.largest[dim] - 1) / rivals.largest[dim].max(1)).max(1);
            for (worth, scale) in worths.iter_mut().zip(rivals.scales) {
                *worth = (*worth).min(scale.worth(dim, lack));
            }
        }
        self.pods.add(pods, quarrels);
        self.worths.iter_mut().zip(worths).for_each(|(sum, worth)| sum.add(worth, quarrels));
    }
}
