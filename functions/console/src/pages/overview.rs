//! Overview: what is spent, what is saved, what waits.

use super::shared;
use crate::ask::{Answer, Ask};
use crate::fleet::{Fleet, fleet};
use crate::show;
use crate::view::{Card, Cell, Column, Page, Part, Table, Tone, aged, rate};
use crate::words;
use axum::response::Redirect;
use domain::Timestamp;
use domain::money::MicroDollars;
use domain::savings::Hour;
use domain::tenant::ClusterStatus;
use std::collections::BTreeMap;

/// How many clusters stand on this page.
const SHOWN: usize = 12;

/// `GET /console/`.
pub async fn home() -> Redirect {
    Redirect::to("/console")
}

/// `GET /console`.
///
/// # Errors
/// The table did not answer.
pub async fn show(ask: Ask) -> Answer {
    let (fleet, events, runs) = tokio::join!(
        fleet(&ask.deps, &ask.session.customer),
        ask.deps.journal.spot_events(&ask.session.customer, None, 5),
        shared::runs(&ask, None, 6)
    );
    let (fleet, events, runs) = (fleet?, events?, runs?);
    let lead = format!(
        "{}. Sums are of their last closed hours, read {}.",
        show::count_of(fleet.clusters.len(), "cluster"),
        show::ago(ask.now, fleet.at)
    );
    let mut page = Page::new("overview", "Overview", lead).live(10);
    if fleet.clusters.is_empty() {
        return ask.page(shared::no_cluster(page)).await;
    }
    page = page.with(cards(&fleet, ask.now)).with(states(&fleet));
    let waiting: Vec<_> = fleet.clusters.iter().flat_map(|brief| brief.open.iter()).collect();
    if !waiting.is_empty() {
        page = page.with(shared::proposals_table("plans", "Plans", waiting.into_iter().take(SHOWN), ask.now).age("waiting or under way"));
    }
    let hours = summed(&fleet);
    let age = aged(ask.now, fleet.seen_at());
    page = page.with(shared::hours_chart("Cost of the last day", &hours, age, Vec::new())).with(clusters(&fleet, ask.now));
    page = page.with(shared::runs_table("runs", "Latest decisions", &runs, ask.now));
    let rows = events.iter().map(|event| {
        vec![
            Cell::ago(ask.now, event.received_at),
            Cell::text(event.instance.instance.to_string()).beneath(event.cluster.to_string()),
            Cell::text(event.event_type.as_str()),
            Cell::text(event.action_taken.clone()),
        ]
    });
    let columns = ["When", "Instance", "What", "What was done"].map(Column::text);
    let interruptions = Table::new("interruptions", "Latest interruptions").columns(columns).rows(rows);
    ask.page(page.with(interruptions.empty("None was announced yet."))).await
}

fn cards(fleet: &Fleet, now: Timestamp) -> Vec<Card> {
    let age = aged(now, fleet.seen_at());
    let cost = fleet.now(|hour| hour.cost);
    let (spot, on_demand): (usize, usize) =
        fleet.clusters.iter().fold((0, 0), |(spot, on_demand), brief| (spot + brief.spot, on_demand + brief.on_demand));
    let waiting = fleet.clusters.iter().flat_map(|brief| brief.waiting()).count();
    let worth: MicroDollars = fleet.clusters.iter().flat_map(|brief| brief.waiting()).map(|proposal| proposal.plan.expected_saving).sum();
    let hours = fleet.clusters.iter().map(|brief| brief.day.len()).max().unwrap_or_default();
    let waste: MicroDollars =
        fleet.findings.iter().filter(|finding| finding.state.stands()).filter_map(|finding| finding.cost_per_month).sum();
    let count = |count: usize| show::grouped(count.try_into().unwrap_or_default());
    let closed = usize::try_from(fleet.month_hours).unwrap_or(usize::MAX);
    let month = match fleet.month(now) {
        Some((so_far, projected)) => [
            Card::new("Month to date", show::money(so_far), format!("{} of this month, UTC", show::count_of(closed, "closed hour"))),
            Card::new("End of month", show::money(projected), "projected: the hours left cost what the last day's did"),
        ],
        None => [Card::new("Month to date", "–", "needs a closed hour"), Card::new("End of month", "–", "needs a closed hour")],
    };
    let mut cards = vec![
        rate("Spend now", cost, age.clone()).href("/console/cost"),
        Card::new("Last 24 hours", show::money(fleet.day(|hour| hour.cost)), show::count_of(hours, "closed hour")),
        rate("Realised saving", fleet.now(Hour::realised_sum), age.clone()).tone(Tone::Good).href("/console/savings"),
        rate("Freed, still paid for", fleet.now(|hour| hour.freed), age.clone()),
        rate("Available", fleet.now(|hour| hour.estimated), age).beneath("estimated, nothing done yet"),
        Card::new("Plans waiting", count(waiting), format!("worth {}", show::hourly(worth)))
            .tone(if waiting > 0 { Tone::Warn } else { Tone::Plain })
            .href("/console/plans"),
        Card::new(
            "Spot share",
            show::percent(i64::try_from(spot).unwrap_or_default(), i64::try_from(spot + on_demand).unwrap_or_default()),
            format!("{} of {} nodes", count(spot), count(spot + on_demand)),
        ),
        Card::new("Waste found", show::monthly(waste), "open findings with a price").href("/console/waste"),
    ];
    cards.splice(2..2, month);
    cards
}

fn states(fleet: &Fleet) -> Part {
    let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut sick = 0;
    for brief in &fleet.clusters {
        *counts.entry(words::status(brief.cluster.status).0).or_default() += 1;
        sick += usize::from(matches!(brief.cluster.status, ClusterStatus::NotResponding | ClusterStatus::NeedsToken));
    }
    let said: Vec<String> = counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
    let more = if fleet.more { " There are more clusters than are summed up here." } else { "" };
    Part::Note(if sick > 0 { Tone::Warn } else { Tone::Plain }, format!("Clusters: {}.{more}", said.join(", ")))
}

/// All clusters of each hour.
fn summed(fleet: &Fleet) -> Vec<Hour> {
    let mut by_hour: BTreeMap<Timestamp, Hour> = BTreeMap::new();
    for hour in fleet.clusters.iter().flat_map(|brief| &brief.day) {
        by_hour
            .entry(hour.begins)
            .and_modify(|sum| {
                (sum.cost, sum.expected) = (sum.cost + hour.cost, sum.expected + hour.expected);
                for (lever, amount) in &hour.realised {
                    let part = sum.realised.entry(*lever).or_default();
                    *part = *part + *amount;
                }
            })
            .or_insert_with(|| hour.clone());
    }
    by_hour.into_values().collect()
}

fn clusters(fleet: &Fleet, now: Timestamp) -> Table {
    let mut briefs: Vec<_> = fleet.clusters.iter().collect();
    briefs.sort_by_key(|brief| std::cmp::Reverse(brief.last().map(|hour| hour.cost)));
    let dearest = briefs.first().and_then(|brief| brief.last()).map_or(0, |hour| hour.cost.0);
    let columns = [
        Column::text("Cluster"),
        Column::text("State"),
        Column::number("Nodes", ""),
        Column::number("Spot", ""),
        Column::number("Cost", "USD/h"),
        Column::number("Realised", "USD/h"),
        Column::number("Available", "USD/h"),
        Column::text("Measured"),
    ];
    let rows = briefs.iter().take(SHOWN).map(|brief| {
        let (word, tone) = words::status(brief.cluster.status);
        let hour = brief.last();
        let nodes = i64::try_from(brief.spot + brief.on_demand).unwrap_or_default();
        vec![
            Cell::link(brief.cluster.name.clone(), format!("/console/clusters/{}", brief.cluster.id))
                .beneath(brief.cluster.region.to_string()),
            Cell::mark(word, tone),
            Cell::count(brief.cluster.node_count),
            Cell::text(show::percent(i64::try_from(brief.spot).unwrap_or_default(), nodes)).figure(),
            Cell::hourly_or(hour.map(|hour| hour.cost), "no hour closed").bar(hour.map_or(0, |hour| hour.cost.0), dearest),
            Cell::hourly_or(hour.map(Hour::realised_sum), "–"),
            Cell::hourly_or(hour.map(|hour| hour.estimated), "–"),
            Cell::text(aged(now, hour.map(|hour| hour.seen_at))),
        ]
    });
    let next = (briefs.len() > SHOWN).then(|| "/console/clusters".to_owned());
    Table::new("clusters", "Clusters, dearest first").columns(columns).rows(rows).next(next)
}
