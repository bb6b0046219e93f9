//! Blockers: which object keeps which nodes, and what those nodes cost.

use super::{prices, shared};
use crate::ask::{Answer, Ask};
use crate::show;
use crate::view::{Card, Cell, Column, Page, Table, Tone, aged};
use crate::words;
use domain::decision::{Untouched, WhyNot};
use domain::money::MicroDollars;
use std::collections::{BTreeMap, BTreeSet};

/// `GET /console/blockers`.
///
/// # Errors
/// The table did not answer.
pub async fn show(ask: Ask) -> Answer {
    let lead = "What keeps nodes from being moved, by the last round of each kind. A node that several objects keep counts under each: the money is what they cost, not what would be saved.";
    let page = Page::new("blockers", "Blockers", lead);
    let Some(cluster) = ask.cluster_or_first().await? else {
        return ask.page(shared::no_cluster(page)).await;
    };
    let (runs, nodes) = tokio::join!(shared::runs(&ask, Some(&cluster.id), 30), ask.deps.routes.nodes(&cluster.customer, &cluster.id));
    let (runs, nodes) = (runs?, nodes?);
    let known = prices::of_nodes(&ask.deps, &cluster.region, &nodes, ask.now).await?;
    let price = |name: &str| {
        let node = nodes.iter().find(|node| node.target.name.as_str() == name)?;
        known.get(&node.pool).map(|quote| quote.price_per_hour)
    };
    let mut seen = BTreeSet::new();
    let last: Vec<_> = runs.iter().filter(|run| !run.untouched.is_empty() && seen.insert(run.decision)).collect();
    let mut kept: BTreeMap<(WhyNot, String), BTreeMap<String, &Untouched>> = BTreeMap::new();
    for left in last.iter().flat_map(|run| &run.untouched).filter(|left| blocks(left.code)) {
        let object = left.object.clone().unwrap_or_else(|| "–".to_owned());
        kept.entry((left.code, object)).or_default().insert(left.node.to_string(), left);
    }
    let mut rows: Vec<(MicroDollars, Vec<Cell>)> = kept
        .iter()
        .map(|((code, object), nodes)| {
            let cost: MicroDollars = nodes.keys().filter_map(|name| price(name)).sum();
            let (word, change) = words::why_not(*code);
            let names: Vec<&str> = nodes.keys().map(String::as_str).take(4).collect();
            let more = nodes.len().saturating_sub(names.len());
            let sub = if more > 0 { format!("{} and {more} more", names.join(", ")) } else { names.join(", ") };
            let row = vec![
                Cell::text(object.clone()),
                Cell::mark(word, Tone::Warn),
                Cell::count(nodes.len()).beneath(sub),
                Cell::hourly(cost),
                Cell::money(show::of_month(cost)),
                Cell::text(change),
            ];
            (cost, row)
        })
        .collect();
    rows.sort_by_key(|(cost, _)| std::cmp::Reverse(*cost));
    let all: BTreeSet<&String> = kept.values().flat_map(BTreeMap::keys).collect();
    let total: MicroDollars = all.iter().filter_map(|name| price(name)).sum();
    let age = aged(ask.now, last.iter().map(|run| run.at).min());
    let cards = vec![
        Card::new("Nodes that are kept", all.len().to_string(), age.clone()),
        Card::new("They cost", show::hourly(total), age.clone()).beneath(show::monthly(show::of_month(total))),
        Card::new("Reasons", rows.len().to_string(), age.clone()),
    ];
    let columns = [
        Column::text("Object"),
        Column::text("Reason"),
        Column::number("Nodes", ""),
        Column::number("They cost", "USD/h"),
        Column::number("A month", "USD"),
        Column::text("What would have to change"),
    ];
    let table = Table::new("blockers", "What keeps nodes").columns(columns).rows(rows.into_iter().map(|(_, row)| row)).age(age);
    let table = table.empty("Nothing keeps a node, or no round has run yet.");
    ask.page(page.with(shared::chooser(&ask, "/console/blockers", &cluster.id).await?).with(cards).with(table)).await
}

/// Whether a reason is an obstacle that somebody could remove. That nothing is cheaper, or that it is not worth it, is none.
fn blocks(code: WhyNot) -> bool {
    match code {
        WhyNot::Optimal | WhyNot::NotWorthIt | WhyNot::NotReached | WhyNot::BudgetUsedUp | WhyNot::CoolDown => false,
        WhyNot::HandsOff
        | WhyNot::NotOurs
        | WhyNot::ControlPlane
        | WhyNot::DoNotDisrupt
        | WhyNot::PodDoNotDisrupt
        | WhyNot::NoController
        | WhyNot::PodBudget
        | WhyNot::ManyPodBudgets
        | WhyNot::PodBudgetsUnknown
        | WhyNot::Pinned
        | WhyNot::ForeignScheduler
        | WhyNot::NoPlace
        | WhyNot::NotReady
        | WhyNot::PriceUnknown
        | WhyNot::Policy
        | WhyNot::Commitment => true,
    }
}
