//! Live cost: what each node costs now, and how the cost of a cluster went.

use super::{prices, shared};
use crate::ask::{Answer, Ask};
use crate::show;
use crate::view::{Card, Cell, Chart, Column, Line, Page, Style, Table, Tone, aged, rate};
use domain::SignedDuration;
use domain::market::Quote;
use domain::money::MicroDollars;
use domain::node::NodeRecord;
use domain::offering::{CapacityType, Pool};
use domain::savings::{Hour, hour_of};
use std::collections::BTreeMap;

/// How many days of closed hours are drawn.
const DAYS: i64 = 7;

/// `GET /console/cost`.
///
/// # Errors
/// The table did not answer.
pub async fn show(ask: Ask) -> Answer {
    let page =
        Page::new("cost", "Live cost", "What each node costs now by the last look at the cluster, and what the hours have cost.").live(15);
    let Some(cluster) = ask.cluster_or_first().await? else {
        return ask.page(shared::no_cluster(page)).await;
    };
    let deps = &ask.deps;
    let from = hour_of(ask.now) - SignedDuration::from_hours(24 * DAYS);
    let (nodes, hours, events) = tokio::join!(
        deps.routes.nodes(&cluster.customer, &cluster.id),
        deps.ledger.hours(&cluster.customer, &cluster.id, from, 200),
        deps.journal.spot_events(&cluster.customer, None, 100)
    );
    let (nodes, hours) = (nodes?, hours?);
    let known = prices::of_nodes(deps, &cluster.region, &nodes, ask.now).await?;
    let first = hours.first().map(|hour| hour.begins);
    let marks = events?
        .iter()
        .filter(|event| event.cluster == cluster.id && first.is_some_and(|first| event.received_at >= first))
        .map(|event| (event.received_at.as_second(), event.event_type.as_str().to_owned()))
        .collect();
    let age = aged(ask.now, cluster.seen_at);
    let chart_age = aged(ask.now, hours.last().map(|hour| hour.seen_at));
    let stacked = by_capacity(&hours, &chart_age);
    let chart = shared::hours_chart("Cost, baseline and realised saving; dashed: interruptions", &hours, chart_age, marks);
    let page = page
        .with(shared::chooser(&ask, "/console/cost", &cluster.id).await?)
        .with(cards(&nodes, &known, &age))
        .with(stacked)
        .with(chart)
        .with(table(&nodes, &known, &ask).age(format!("seen {age}")));
    ask.page(page).await
}

/// What the hours cost, spot below and on-demand on top of it. Hours that were closed before the two were told apart are left out.
fn by_capacity(hours: &[Hour], age: &str) -> Chart {
    let told: Vec<(&Hour, MicroDollars)> = hours.iter().filter_map(|hour| hour.spot.map(|spot| (hour, spot))).collect();
    let line = |name, class, values: Vec<Option<f64>>| Line { name, class, values, steps: false, dashed: false };
    Chart {
        title: "Cost by capacity type, stacked: the upper edge is the whole".to_owned(),
        unit: "USD per hour",
        age: age.to_owned(),
        times: told.iter().map(|(hour, _)| hour.begins.as_second()).collect(),
        lines: vec![
            line("spot and on-demand", "three", told.iter().map(|(hour, _)| Some(shared::dollars(hour.cost))).collect()),
            line("spot", "one", told.iter().map(|(_, spot)| Some(shared::dollars(*spot))).collect()),
        ],
        marks: Vec::new(),
        style: Style::default(),
    }
    .stacked()
}

fn sum(nodes: &[NodeRecord], known: &BTreeMap<Pool, Quote>, capacity: CapacityType) -> (usize, MicroDollars) {
    let of: Vec<_> = nodes.iter().filter(|node| node.pool.capacity == capacity).collect();
    (of.len(), of.iter().filter_map(|node| known.get(&node.pool)).map(|quote| quote.price_per_hour).sum())
}

fn cards(nodes: &[NodeRecord], known: &BTreeMap<Pool, Quote>, age: &str) -> Vec<Card> {
    let (spot_count, spot) = sum(nodes, known, CapacityType::Spot);
    let (od_count, od) = sum(nodes, known, CapacityType::OnDemand);
    let unknown = nodes.iter().filter(|node| !known.contains_key(&node.pool)).count();
    let cpu: u64 = nodes.iter().map(|node| node.cpu_millis).sum();
    let memory: u64 = nodes.iter().map(|node| node.memory_bytes).sum();
    let mut cards = vec![
        rate("Nodes now", spot + od, age.to_owned()),
        rate("Spot", spot, age.to_owned()).beneath(format!("{spot_count} nodes")),
        rate("On-demand", od, age.to_owned()).beneath(format!("{od_count} nodes")),
        Card::new("What pods can have", show::cpu(cpu), age.to_owned()).beneath(show::bytes(memory)),
    ];
    if unknown > 0 {
        cards.push(Card::new("Price unknown", unknown.to_string(), "not in the sums").tone(Tone::Warn));
    }
    cards
}

fn table(nodes: &[NodeRecord], known: &BTreeMap<Pool, Quote>, ask: &Ask) -> Table {
    let mut nodes: Vec<_> = nodes.iter().collect();
    let price = |node: &NodeRecord| known.get(&node.pool).map(|quote| quote.price_per_hour);
    nodes.sort_by_key(|node| (std::cmp::Reverse(price(node)), node.target.name.clone()));
    let dearest = nodes.first().and_then(|node| price(node)).map_or(0, |price| price.0);
    let columns = [
        Column::text("Node"),
        Column::text("Capacity type"),
        Column::text("Instance type"),
        Column::text("Zone"),
        Column::text("Pods can have"),
        Column::number("Price", "USD/h"),
        Column::text("Price from"),
    ];
    let rows = nodes.iter().map(|node| {
        let tone = if node.pool.capacity == CapacityType::Spot { Tone::Good } else { Tone::Plain };
        vec![
            Cell::link(node.target.name.to_string(), format!("/console/decisions?cluster={}&node={}", node.cluster, node.target.name))
                .beneath(node.key.instance.to_string()),
            Cell::mark(node.pool.capacity.as_str(), tone),
            Cell::text(node.pool.instance_type.to_string()),
            Cell::text(node.pool.zone.to_string()),
            Cell::text(format!("{}, {}", show::cpu(node.cpu_millis), show::bytes(node.memory_bytes))),
            Cell::hourly_or(price(node), "unknown").bar(price(node).map_or(0, |price| price.0), dearest),
            Cell::text(known.get(&node.pool).map_or_else(|| "–".to_owned(), |quote| prices::source(quote, ask.now))),
        ]
    });
    Table::new("nodes", "Nodes, dearest first")
        .columns(columns)
        .rows(rows)
        .empty("The cluster was not seen yet, or has no node that stands for an instance.")
}
