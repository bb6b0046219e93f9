//! What becomes of each node, in words: the same for the table and the page.

use super::{Plan, Report};
use domain::decision::{DecisionType, Move, WhyNot};
use domain::ids::NodeName;
use domain::money::MicroDollars;
use domain::snapshot::SnapshotNode;
use std::collections::{BTreeMap, HashMap};

/// Hours that a month is reckoned with (AWS' own figure).
const HOURS_A_MONTH: i64 = 730;

/// A node with what the best plan does with it.
pub(super) struct Row<'a> {
    pub(super) node: &'a SnapshotNode,
    /// `m6i.large us-east-1a spot`, or what is missing.
    pub(super) what: String,
    pub(super) price: Option<MicroDollars>,
    /// What its pods request of it, in percent.
    pub(super) cpu_percent: u64,
    pub(super) memory_percent: u64,
    pub(super) pods: u32,
    /// `goes in move 3`, or why it stays.
    pub(super) verdict: String,
}

/// Why nodes stay, with how many and what they cost.
pub(super) struct Blocker {
    pub(super) code: String,
    pub(super) nodes: usize,
    pub(super) cost: MicroDollars,
    /// The sentence of the first of them.
    pub(super) example: String,
}

pub(super) fn title(kind: DecisionType) -> &'static str {
    match kind {
        DecisionType::SpotOptimize => "spot: on-demand nodes become spot nodes where the risk allows it",
        DecisionType::BinPack => "packing: fewer or cheaper nodes for the same pods",
        DecisionType::Rightsize => "sizes: each node becomes one that fits what it carries",
    }
}

/// `1.2345 USD` an hour as whole dollars a month.
pub(super) fn a_month(per_hour: MicroDollars) -> String {
    format!("{} USD", per_hour.0.saturating_mul(HOURS_A_MONTH) / 1_000_000)
}

/// In percent of `of`; 0 where that is nothing.
pub(super) fn percent(part: MicroDollars, of: MicroDollars) -> i64 {
    if of.0 <= 0 { 0 } else { part.0.saturating_mul(100) / of.0 }
}

pub(super) fn code(why: WhyNot) -> String {
    serde_json::to_value(why).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// `2 nodes -> m6i.2xlarge in us-east-1a (spot)`.
pub(super) fn describe(step: &Move) -> String {
    let gone: Vec<&str> = step.remove.iter().map(|node| node.name.as_str()).collect();
    let come: Vec<String> = step
        .launch
        .iter()
        .map(|launch| launch.offerings.first().map_or_else(|| "?".to_owned(), |offering| offering.pool.to_string()))
        .collect();
    let come = if come.is_empty() { "nothing: its pods fit on the others".to_owned() } else { come.join(", ") };
    format!("{} -> {come}", gone.join(", "))
}

/// Every node, by name.
pub(super) fn rows<'a>(report: &'a Report, plan: &Plan) -> Vec<Row<'a>> {
    let mut verdicts: HashMap<&NodeName, String> = HashMap::new();
    for untouched in &plan.answer.untouched {
        verdicts.insert(&untouched.node, format!("stays ({}): {}", code(untouched.code), untouched.why));
    }
    for (number, step) in (1..).zip(&plan.answer.execution_plan) {
        step.remove.iter().for_each(|node| {
            verdicts.insert(&node.name, format!("goes in move {number}"));
        });
    }
    let of = |part: u64, of: u64| part.saturating_mul(100).checked_div(of).unwrap_or(0);
    let row = |node: &'a SnapshotNode| {
        let asked = report.snapshot.requested(node);
        Row {
            node,
            what: node
                .pool
                .as_ref()
                .map_or_else(|| "not known".to_owned(), |p| format!("{} {} {}", p.instance_type, p.zone, p.capacity.as_str())),
            price: node.price.map(|quote| quote.price_per_hour),
            cpu_percent: of(asked.cpu_millis, node.allocatable.cpu_millis),
            memory_percent: of(asked.memory_bytes, node.allocatable.memory_bytes),
            pods: node.pods.iter().map(|placed| placed.count).sum(),
            verdict: verdicts.remove(&node.name).unwrap_or_else(|| "stays".to_owned()),
        }
    };
    report.snapshot.nodes.iter().map(row).collect()
}

/// What stands in the way, dearest first.
pub(super) fn blockers(report: &Report, plan: &Plan) -> Vec<Blocker> {
    let price = |node: &SnapshotNode| node.price.map(|quote| quote.price_per_hour).unwrap_or_default();
    let prices: HashMap<&NodeName, MicroDollars> = report.snapshot.nodes.iter().map(|node| (&node.name, price(node))).collect();
    let mut by_code: BTreeMap<WhyNot, Blocker> = BTreeMap::new();
    for untouched in &plan.answer.untouched {
        let blocker = by_code.entry(untouched.code).or_insert_with(|| Blocker {
            code: code(untouched.code),
            nodes: 0,
            cost: MicroDollars(0),
            example: untouched.why.clone(),
        });
        blocker.nodes += 1;
        blocker.cost = blocker.cost + prices.get(&untouched.node).copied().unwrap_or_default();
    }
    let mut blockers: Vec<Blocker> = by_code.into_values().collect();
    blockers.sort_by_key(|blocker| std::cmp::Reverse((blocker.cost, blocker.nodes)));
    blockers
}
