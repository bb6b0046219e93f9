//! What became of the saving that the bound leaves: what is taken, and what every blocker costs.
//!
//! Nothing here is "the rest" under another name. What structure costs (how nodes are bought, nodes that must stay, constraints of
//! pods) is the difference between two bounds of the same program, one with it and one without. What rules cost (thresholds, the
//! budget, certainty) is the saving of moves that were found, do work, and were not made because of the rule. What neither explains
//! is said as such: it is what this search did not find, or what no search could.

use super::Effort;
use super::ahead::Ahead;
use super::desk::Desk;
use super::explain::excess;
use super::market::Market;
use super::outlook::{Outlook, Step};
use crate::eligibility::workload;
use domain::decision::{DecisionType, WhyNot};
use domain::money::MicroDollars;
use std::collections::BTreeMap;

/// What keeps a saving from being taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Blocker {
    /// Nodes are bought as those were that they stand for, and pods of on-demand nodes find on spot nodes the room that is free there
    /// and no more: how nodes are bought is another decision's.
    KeptAsBought,
    /// Nodes that may not be moved.
    Stays(WhyNot),
    /// Selectors, taints, zones, instruction sets, and pods that keep apart.
    Constraints,
    /// The decision replaces nodes one for one.
    OneForOne,
    /// Moves that were found, and not made for this reason.
    NotMade(WhyNot),
}

/// A blocker and its price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What stands in the way.
    pub blocker: Blocker,
    /// The object that costs most of it, where there is one: a workload, a budget, a group.
    pub object: Option<String>,
    /// How many nodes it is about; zero where it is about pods.
    pub nodes: usize,
    /// What it costs.
    pub per_hour: MicroDollars,
}

/// The account. `before - bound` is what the bound leaves; `before - after`, the entries and `rest` together are as much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// What the nodes cost now.
    pub before: MicroDollars,
    /// What they cost after the moves.
    pub after: MicroDollars,
    /// No placement costs less: proven, nothing that stands in the way considered.
    pub bound: MicroDollars,
    /// What stands in the way, the dearest first.
    pub entries: Vec<Entry>,
    /// What is not explained.
    pub rest: MicroDollars,
    /// By how much entries were cut because together they would be more than there is: where it is much, what is explained is too
    /// much, too.
    pub overlap: MicroDollars,
}

impl Account {
    /// Draws up the account of a desk on which everything is planned. Its state is used up.
    pub(crate) fn of(desk: &mut Desk<'_>, market: &Market, effort: &Effort) -> Account {
        let before: i64 = desk.nodes.iter().map(|node| node.price).sum();
        let taken: i64 = desk.planned.iter().map(|planned| planned.answer.saving_per_hour.0).sum();
        let bound = desk.outlook.cost.min(before - taken);
        let mut left = before - taken - bound;
        let mut entries = if left > 0 { not_made(Ahead::of(desk, market, effort)) } else { Vec::new() };
        if left > 0 {
            entries.extend(structure(desk));
        }
        entries.retain(|entry| entry.per_hour.0 > 0);
        entries.sort_by(|a, b| (b.per_hour, a.blocker).cmp(&(a.per_hour, b.blocker)));
        let wanted: i64 = entries.iter().map(|entry| entry.per_hour.0).sum();
        let overlap = (wanted - left).max(0);
        for entry in &mut entries {
            // The parts are priced apart; where they overlap, the dearer has it.
            entry.per_hour = entry.per_hour.min(MicroDollars(left));
            left -= entry.per_hour.0;
        }
        entries.retain(|entry| entry.per_hour.0 > 0);
        Account {
            before: MicroDollars(before),
            after: MicroDollars(before - taken),
            bound: MicroDollars(bound),
            entries,
            rest: MicroDollars(left),
            overlap: MicroDollars(overlap),
        }
    }

    /// The part of what the bound leaves that is taken or has a named blocker: 0 to 1.
    pub fn explained(&self) -> f64 {
        let all = (self.before - self.bound).0;
        if all <= 0 { 1.0 } else { 1.0 - self.rest.0 as f64 / all as f64 }
    }

    /// A sentence for each entry, and one for the rest.
    pub fn sentences(&self) -> Vec<String> {
        let rest = (self.rest.0 > 0).then(|| format!("not explained: {} per hour", self.rest));
        self.entries.iter().map(Entry::sentence).chain(rest).collect()
    }
}

impl Entry {
    fn sentence(&self) -> String {
        let what = match self.blocker {
            Blocker::KeptAsBought => "nodes are bought as those before them".to_owned(),
            Blocker::Stays(code) => format!("{}: {} nodes stay", word(code), self.nodes),
            Blocker::Constraints => "constraints of pods".to_owned(),
            Blocker::OneForOne => "one node for one".to_owned(),
            Blocker::NotMade(WhyNot::BudgetUsedUp) => format!("left to the answers after this one: moves of {} nodes", self.nodes),
            Blocker::NotMade(code) => format!("{}: moves of {} nodes not made", word(code), self.nodes),
        };
        let object = self.object.as_ref().map_or(String::new(), |object| format!(", most of it for {object}"));
        format!("{what}{object}: {} per hour", self.per_hour)
    }
}

/// The word of a code, as the contract spells it.
fn word(code: WhyNot) -> String {
    serde_json::to_value(code).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// By code, with the dearest object.
#[derive(Default)]
struct Sum {
    nodes: usize,
    amount: i64,
    objects: BTreeMap<String, i64>,
}

impl Sum {
    fn add(&mut self, amount: i64, nodes: usize, object: Option<String>) {
        self.amount += amount;
        self.nodes += nodes;
        if let Some(object) = object {
            *self.objects.entry(object).or_default() += amount;
        }
    }

    fn entry(self, blocker: Blocker, amount: i64) -> Entry {
        let dearest = self.objects.into_iter().max_by(|a, b| (a.1, &b.0).cmp(&(b.1, &a.0)));
        Entry { blocker, object: dearest.map(|(name, _)| name), nodes: self.nodes, per_hour: MicroDollars(amount) }
    }
}

/// Moves that are left to the next answers, and moves that rules forbid.
fn not_made(ahead: Ahead) -> Vec<Entry> {
    let mut sums: BTreeMap<WhyNot, Sum> = BTreeMap::new();
    sums.entry(WhyNot::BudgetUsedUp).or_default().add(ahead.saving, ahead.nodes, None);
    for ((code, object), (saving, nodes)) in ahead.prices {
        sums.entry(code).or_default().add(saving, nodes, object);
    }
    sums.into_iter()
        .map(|(code, sum)| (sum.amount, code, sum))
        .map(|(amount, code, sum)| sum.entry(Blocker::NotMade(code), amount))
        .collect()
}

/// What the steps of the outlook add.
fn structure(desk: &mut Desk<'_>) -> Vec<Entry> {
    let least = std::rc::Rc::clone(&desk.outlook);
    let mut entries = Vec::new();
    let bought = if desk.keeps_bought() { least.next(desk, Step::Bought) } else { (*least).clone() };
    entries.push(Sum::default().entry(Blocker::KeptAsBought, bought.cost - least.cost));
    let stays = if desk.nodes.iter().any(|node| node.blocked.is_some()) { bought.next(desk, Step::Stays) } else { bought.clone() };
    entries.extend(nodes_that_stay(desk, &bought, stays.cost - bought.cost));
    let constraints = stays.next(desk, Step::Constraints);
    entries.push(constrained(desk, &stays, &constraints));
    if desk.request.decision_type != DecisionType::BinPack {
        let cost = desk.one_for_one();
        entries.push(Sum::default().entry(Blocker::OneForOne, cost - constraints.cost));
    }
    entries
}

/// The price of the nodes that stay, each reason its part: by what its nodes cost beyond what their pods are worth.
fn nodes_that_stay(desk: &Desk<'_>, worth: &Outlook, price: i64) -> Vec<Entry> {
    let mut sums: BTreeMap<WhyNot, Sum> = BTreeMap::new();
    for (id, node) in desk.nodes.iter().enumerate() {
        if let Some(blocked) = &node.blocked {
            sums.entry(blocked.code).or_default().add(excess(desk, worth, id).max(0), 1, blocked.object.clone());
        }
    }
    let all: i64 = sums.values().map(|sum| sum.amount).sum();
    let part = |amount: i64| i64::try_from(i128::from(price) * i128::from(amount) / i128::from(all.max(1))).unwrap_or(0);
    sums.into_iter()
        .map(|(code, sum)| (part(sum.amount), code, sum))
        .map(|(part, code, sum)| sum.entry(Blocker::Stays(code), part))
        .collect()
}

/// The price of the constraints, with the workload whose pods have become dearest.
fn constrained(desk: &Desk<'_>, before: &Outlook, after: &Outlook) -> Entry {
    let mut sum = Sum::default();
    for (id, node) in desk.index.snapshot.nodes.iter().enumerate().filter(|(id, _)| desk.nodes[*id].blocked.is_none()) {
        let bought = desk.nodes[id].capacity;
        for placed in node.pods.iter().filter(|placed| desk.index.classes[placed.class as usize].moves) {
            let pods = [(placed.class as usize, placed.count)];
            let rise = after.value(&pods, bought) - before.value(&pods, bought);
            if rise > 0 {
                sum.add(rise, 0, Some(workload(&desk.index.snapshot.classes[placed.class as usize])));
            }
        }
    }
    sum.entry(Blocker::Constraints, after.cost - before.cost)
}
