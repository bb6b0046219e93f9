//! What the pods could cost at the least: nothing else considered, and then step by step with what stands in the way. The difference
//! that a step makes is the price of what it adds.
//!
//! Each step is the bound of the configuration program ([`crate::packing::bound()`]) for a problem of its own. The first is proven for
//! every placement of these pods. The later ones add what a decision of this kind, now, cannot change.

use super::bound;
use super::desk::Desk;
use crate::packing::{self, Allowed, Effort, Shape};
use crate::placement::{CPU, MEMORY, NodeId};
use domain::ids::Zone;
use domain::offering::CapacityType;
use domain::snapshot::Placed;
use std::collections::{BTreeMap, BTreeSet};

mod places;

use places::{Place, Places};

/// What a step adds to those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// Every pod may lie anywhere, on whatever may be bought or is there.
    Least,
    /// Nodes are bought as the ones were from which their pods come. Pods of on-demand nodes may also lie on the spot nodes that are
    /// there, since a scheduler may put them there: in the room beside the pods of those, as no move empties a node that stays.
    Bought,
    /// Nodes that may not be moved stay, with what is on them; what is free on them costs nothing.
    Stays,
    /// Selectors, taints, zones and instruction sets; pods that keep apart.
    Constraints,
}

/// The bound of a step.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outlook {
    /// Micro-dollars per hour.
    pub(crate) cost: i64,
    /// By class: what a pod is worth at it, micro-dollars per hour; of an on-demand node, then of a spot node.
    worth: Vec<[f64; 2]>,
}

/// Pods that this step cannot tell apart, beside their class.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Load {
    class: usize,
    /// How their node was bought, where the step looks at it.
    bought: Option<CapacityType>,
    /// The zone that they are in, where they must stay in it.
    zone: Option<Zone>,
}

impl Load {
    /// Its part of what is given by class and by way to buy.
    fn of(&self, worth: &[[f64; 2]]) -> f64 {
        let [on_demand, spot] = worth[self.class];
        match self.bought {
            Some(CapacityType::OnDemand) => on_demand,
            Some(CapacityType::Spot) => spot,
            None => f64::midpoint(on_demand, spot),
        }
    }
}

/// More shapes than these take the program more than its share of the time; the requests are cut down until there are fewer.
const SHAPES_MAX: usize = 240;

/// What the first step may take: a third of a hundredth is near enough, and a small cluster is not worth the effort of a large one.
fn first(nodes: usize) -> Effort {
    Effort { rounds: 30, branches: (nodes as u64 * 500).clamp(1_000, 40_000), repacks: 0, gap_ppm: 3_000 }
}

/// The later steps begin where the one before ended.
fn later(nodes: usize) -> Effort {
    Effort { rounds: 14, branches: (nodes as u64 * 100).clamp(500, 20_000), repacks: 0, gap_ppm: 4_000 }
}

impl Outlook {
    /// What pods on nodes that were bought so are worth, cut to whole micro-dollars.
    pub(crate) fn value(&self, pods: &[(usize, u32)], bought: CapacityType) -> i64 {
        whole(pods.iter().map(|(class, count)| self.worth[*class][way(bought)] * f64::from(*count)).sum())
    }

    /// The least.
    pub(crate) fn least(desk: &mut Desk<'_>) -> Outlook {
        let vessels = desk.vessels();
        let worth = bound::worth(&vessels, &desk.demand());
        // Of resources alone: the value of the pods, less what the nodes without a known price could take for nothing.
        let known = worth.bound(&desk.demand_on_priced()).0;
        let of_class = |class: usize| [worth.of(desk.index.need(class)); 2];
        let guess: Vec<[f64; 2]> = (0..desk.index.classes.len()).map(of_class).collect();
        let effort = first(desk.nodes.len());
        match solve(desk, Step::Least, &guess, &effort) {
            Some(found) if found.cost > known => found,
            Some(_) | None => Outlook { cost: known, worth: guess },
        }
    }

    /// The next step's, beginning at this one; no less than it. Where the program finds no answer, the step adds nothing.
    pub(crate) fn next(&self, desk: &mut Desk<'_>, step: Step) -> Outlook {
        let effort = later(desk.nodes.len());
        match solve(desk, step, &self.worth, &effort) {
            Some(found) if found.cost > self.cost => found,
            Some(_) | None => self.clone(),
        }
    }
}

/// The place of a way to buy.
fn way(bought: CapacityType) -> usize {
    match bought {
        CapacityType::OnDemand => 0,
        CapacityType::Spot => 1,
    }
}

fn solve(desk: &mut Desk<'_>, step: Step, guess: &[[f64; 2]], effort: &Effort) -> Option<Outlook> {
    let Places { all: places, kept } = places::all(desk, step);
    let loads = loads(desk, step);
    let mut grain = 0;
    let mut shapes = shapes(desk, step, &places, &loads, grain);
    while shapes.len() > SHAPES_MAX && grain < GRAINS {
        grain += 1;
        shapes = self::shapes(desk, step, &places, &loads, grain);
    }
    let mut asked = Vec::with_capacity(shapes.len());
    let mut guessed = Vec::with_capacity(shapes.len());
    for (shape, members) in &shapes {
        let count: u32 = members.iter().map(|at| loads[*at].1).sum();
        let value: f64 = members.iter().map(|at| loads[*at].0.of(guess) * f64::from(loads[*at].1)).sum();
        asked.push(Shape { count, ..shape.clone() });
        guessed.push(value / f64::from(count.max(1)));
    }
    let bins: Vec<packing::Bin> = places.iter().map(Place::bin).collect();
    let found = packing::bound(&asked, &bins, domain::money::MicroDollars(0), effort, Some(&guessed)).ok()?;
    let stays: i64 =
        if step < Step::Stays { 0 } else { desk.nodes.iter().filter(|node| node.blocked.is_some()).map(|node| node.price).sum() };
    let mut worth_of: BTreeMap<&Load, f64> = BTreeMap::new();
    for ((_, members), worth) in shapes.iter().zip(&found.worth) {
        worth_of.extend(members.iter().map(|at| (&loads[*at].0, *worth)));
    }
    let rooms: BTreeMap<usize, f64> = kept
        .iter()
        .map(|kept| kept.room)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .map(|room| (room, packing::most_worth(&asked, &bins, room, &found.worth)))
        .collect();
    let beyond: f64 = kept.iter().map(|kept| beyond(desk, step, kept.node, rooms[&kept.room], &worth_of)).sum();
    let cost = whole(found.cost.0 as f64 - beyond) + stays;
    Some(Outlook { cost, worth: by_class(&loads, &worth_of, guess) })
}

/// What a node that keeps its pods if it stays is worth beyond its price, with what the room beside them is worth: as much less do the
/// pods of all cost at the least, where these are the prices of a bound without it.
fn beyond(desk: &Desk<'_>, step: Step, node: NodeId, room: f64, worth: &BTreeMap<&Load, f64>) -> f64 {
    let own = |placed: &Placed| worth.get(&load(desk, step, node, placed.class as usize)).copied().unwrap_or(0.0) * f64::from(placed.count);
    let moving = desk.node(node).pods.iter().filter(|placed| desk.index.classes[placed.class as usize].moves);
    (moving.map(own).sum::<f64>() + room - desk.nodes[node].price as f64).max(0.0)
}

/// The mean of what loads are worth, by class and way to buy; the guess where there are none.
fn by_class(loads: &[(Load, u32)], worth: &BTreeMap<&Load, f64>, guess: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let mut sums = vec![[(0.0, 0.0); 2]; guess.len()];
    for (load, count) in loads {
        for way in load.bought.map_or(0..2, |bought| way(bought)..way(bought) + 1) {
            let sum = &mut sums[load.class][way];
            *sum = (sum.0 + worth.get(load).copied().unwrap_or(0.0) * f64::from(*count), sum.1 + f64::from(*count));
        }
    }
    let mean = |class: usize, way: usize| {
        let (sum, count) = sums[class][way];
        if count > 0.0 { sum / count } else { guess[class][way] }
    };
    (0..guess.len()).map(|class| [mean(class, 0), mean(class, 1)]).collect()
}

/// A pod of the class on the node, as the step sees it.
fn load(desk: &Desk<'_>, step: Step, node: NodeId, class: usize) -> Load {
    let bought = (step >= Step::Bought && desk.keeps_bought()).then_some(desk.nodes[node].capacity);
    let zonal = step >= Step::Constraints && desk.index.classes[class].zonal;
    let zone = desk.node(node).pool.as_ref().filter(|_| zonal).map(|pool| pool.zone.clone());
    Load { class, bought, zone }
}

/// The pods that the step is about.
fn loads(desk: &Desk<'_>, step: Step) -> Vec<(Load, u32)> {
    let mut loads: BTreeMap<Load, u32> = BTreeMap::new();
    for (id, node) in desk.index.snapshot.nodes.iter().enumerate() {
        if step >= Step::Stays && desk.nodes[id].blocked.is_some() {
            continue;
        }
        for placed in &node.pods {
            let class = placed.class as usize;
            if desk.index.classes[class].moves && placed.count > 0 {
                *loads.entry(load(desk, step, id, class)).or_default() += placed.count;
            }
        }
    }
    loads.into_iter().collect()
}

/// How often requests may be cut down further.
const GRAINS: u32 = 4;

/// Keeps the leading bits of an amount: all, then seven, five, three, one. Cut down, never up: the bound stays true.
fn cut(amount: u64, grain: u32) -> u64 {
    if grain == 0 {
        return amount;
    }
    let bits = 64 - amount.leading_zeros();
    let gone = bits.saturating_sub(9 - 2 * grain);
    amount >> gone << gone
}

type Key = (u64, u64, Option<u32>, Vec<bool>);

/// Loads that ask for the same in the same places, together.
fn shapes(desk: &Desk<'_>, step: Step, places: &[Place], loads: &[(Load, u32)], grain: u32) -> Vec<(Shape, Vec<usize>)> {
    let mut shapes: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
    for (at, (load, _)) in loads.iter().enumerate() {
        let need = desk.index.need(load.class);
        let amount = |dim: usize| cut(u64::try_from(need[dim]).unwrap_or(0), grain);
        let most = (step >= Step::Constraints && desk.index.apart(load.class)).then_some(1);
        let allowed = places.iter().map(|place| place.takes(desk, step, load)).collect();
        shapes.entry((amount(CPU), amount(MEMORY), most, allowed)).or_default().push(at);
    }
    let shape = |((cpu_millis, memory_bytes, most_per_bin, allowed), members): (Key, Vec<usize>)| {
        let allowed = if allowed.iter().all(|allowed| *allowed) {
            Allowed::Anywhere
        } else {
            Allowed::Only(allowed.iter().enumerate().filter(|(_, allowed)| **allowed).map(|(at, _)| at).collect())
        };
        (Shape { cpu_millis, memory_bytes, count: 0, most_per_bin, allowed }, members)
    };
    shapes.into_iter().map(shape).collect()
}

/// Cut down to whole micro-dollars.
#[expect(clippy::cast_possible_truncation, reason = "costs are far below 2^53 micro-dollars")]
pub(super) fn whole(amount: f64) -> i64 {
    amount.max(0.0).floor() as i64
}

#[cfg(test)]
mod tests;
