//! The savings ledger: from the frozen baseline to what is really paid, and of each plan what it promised and what came of it.

use super::shared;
use crate::ask::{Answer, Ask};
use crate::failure::Failure;
use crate::show;
use crate::svg::Svg;
use crate::view::{Card, Cell, Column, Page, Part, Table, Tone, aged, rate};
use crate::words;
use domain::SignedDuration;
use domain::money::MicroDollars;
use domain::optimization::ProposalState;
use domain::savings::{Baseline, Books, Hour, hour_of};

/// Hours of the last thirty days.
const HOURS: usize = 720;

/// `GET /console/savings`.
///
/// # Errors
/// The table did not answer.
pub async fn show(ask: Ask) -> Answer {
    let lead = "Estimated, freed and realised are kept apart. Only what has really ended is called saved, and never more than the hour is cheaper than the baseline.";
    let page = Page::new("savings", "Savings ledger", lead);
    let Some(cluster) = ask.cluster_or_first().await? else {
        return ask.page(shared::no_cluster(page)).await;
    };
    let (customer, id) = (&cluster.customer, &cluster.id);
    let from = hour_of(ask.now) - SignedDuration::from_hours(24 * 30);
    let ledger = &ask.deps.ledger;
    let (baseline, books, hours, plans) =
        tokio::join!(ledger.baseline(customer, id), ledger.books(customer, id), ledger.hours(customer, id, from, HOURS), plans(&ask, id));
    let (baseline, books, hours, plans) = (baseline?, books?, hours?, plans?);
    let mut page = page.with(shared::chooser(&ask, "/console/savings", id).await?).with(cards(baseline.as_ref(), &books, &hours, &ask));
    page = page.with(Part::Note(Tone::Plain, rule(baseline.as_ref())));
    if let Some(last) = hours.last() {
        page = page.with(waterfall(last, &ask));
    }
    let age = aged(ask.now, hours.last().map(|hour| hour.seen_at));
    let chart = shared::hours_chart("Thirty days", &hours, age, Vec::new());
    ask.page(page.with(chart).with(plans).with(hours_table(&hours, &ask))).await
}

fn rule(baseline: Option<&Baseline>) -> String {
    baseline.map_or_else(
        || "No baseline yet: it is frozen when a round first sees the cluster whole, and nothing is called saved before.".to_owned(),
        |baseline| {
            format!(
                "Baseline: {} for {} nodes, frozen at {} when the cluster was first seen whole; it grows and shrinks with what pods request, and with nothing else.",
                show::hourly(baseline.cost_per_hour),
                baseline.nodes,
                show::utc(baseline.frozen_at)
            )
        },
    )
}

fn cards(baseline: Option<&Baseline>, books: &Books, hours: &[Hour], ask: &Ask) -> Vec<Card> {
    let last = hours.last();
    let age = aged(ask.now, last.map(|hour| hour.seen_at));
    let amount = |of: fn(&Hour) -> MicroDollars| last.map(of).unwrap_or_default();
    let sum = |of: fn(&Hour) -> MicroDollars| hours.iter().map(of).sum::<MicroDollars>();
    vec![
        rate("Realised", amount(Hour::realised_sum), age.clone()).tone(Tone::Good),
        Card::new("Realised in thirty days", show::money(sum(Hour::realised_sum)), show::count_of(hours.len(), "closed hour"))
            .tone(Tone::Good),
        rate("Freed, still paid for", amount(|hour| hour.freed), age.clone()),
        rate("Estimated", amount(|hour| hour.estimated), age).beneath("nothing done yet"),
        rate(
            "Entered by plans",
            books.per_hour.values().copied().sum(),
            show::count_of(books.plans.try_into().unwrap_or_default(), "plan"),
        ),
        rate(
            "Baseline",
            baseline.map(|baseline| baseline.cost_per_hour).unwrap_or_default(),
            baseline.map_or_else(|| "not frozen yet".to_owned(), |baseline| show::ago(ask.now, baseline.frozen_at)),
        ),
    ]
}

/// From the baseline, lever by lever, to the cost of the last hour.
fn waterfall(hour: &Hour, ask: &Ask) -> Part {
    let mut steps: Vec<(String, MicroDollars, MicroDollars, &str)> = vec![("baseline".to_owned(), MicroDollars(0), hour.expected, "rail")];
    let mut at = hour.expected;
    for (lever, saved) in &hour.realised {
        steps.push((words::lever(*lever).to_owned(), at - *saved, at, if saved.0 < 0 { "badf" } else { "two" }));
        at = at - *saved;
    }
    steps.push(("not by our plans".to_owned(), at.min(hour.cost), at.max(hour.cost), "softf"));
    steps.push(("cost".to_owned(), MicroDollars(0), hour.cost, "one"));
    let top = steps.iter().map(|(_, low, high, _)| low.0.max(high.0)).max().unwrap_or(1).max(1) as f64;
    let (width, height) = (760_u32, 250_u32);
    let mut svg = Svg::new(width, height);
    let slot = f64::from(width - 20) / steps.len() as f64;
    let y = |amount: MicroDollars| 205.0 - amount.0.max(0) as f64 / top * 175.0;
    let mut said = Vec::new();
    for (index, (name, low, high, class)) in steps.iter().enumerate() {
        let x = 10.0 + slot * index as f64;
        let (upper, lower) = (y(*low.max(high)), y(*low.min(high)));
        let size = *high - *low;
        let words = format!("{name}: {}", show::hourly(size));
        svg.rect(class, (x + slot * 0.15, upper), (slot * 0.7, (lower - upper).max(1.5)), &words);
        svg.text("m", (x + slot / 2.0, upper - 6.0), &show::money(size));
        svg.text("q m", (x + slot / 2.0, 224.0), name);
        said.push(words);
    }
    svg.line("grid", (10.0, 205.0), (f64::from(width) - 10.0, 205.0));
    let title = format!("From the baseline to the cost of the last hour, USD per hour · measured {}", show::ago(ask.now, hour.seen_at));
    Part::Drawing { title, words: said.join("; "), svg: svg.finish() }
}

/// Of the plans of the last rounds: promised against realised.
async fn plans(ask: &Ask, cluster: &domain::ids::ClusterId) -> Result<Table, Failure> {
    let runs = shared::runs(ask, Some(cluster), 40).await?;
    let plans = shared::plans_of(ask, &runs, 25).await?;
    let rows = plans.iter().filter_map(|(run, proposal)| {
        let ProposalState::Ended { outcome, saved_per_hour, at } = &proposal.state else { return None };
        let (word, tone) = words::ended(outcome);
        Some(vec![
            Cell::ago(ask.now, *at),
            Cell::link(proposal.plan.reason.clone(), format!("/console/plans/{}", proposal.plan.key.plan)),
            Cell::text(words::decision(run.decision)),
            Cell::mark(word, tone),
            Cell::hourly(proposal.plan.expected_saving),
            Cell::hourly(*saved_per_hour),
            Cell::hourly(*saved_per_hour - proposal.plan.expected_saving),
        ])
    });
    let columns = [
        Column::text("Ended"),
        Column::text("Plan"),
        Column::text("Lever"),
        Column::text("Outcome"),
        Column::number("Promised", "USD/h"),
        Column::number("Realised", "USD/h"),
        Column::number("Difference", "USD/h"),
    ];
    Ok(Table::new("plans", "Promised against realised").columns(columns).rows(rows).empty("No plan of this cluster has ended yet."))
}

fn hours_table(hours: &[Hour], ask: &Ask) -> Table {
    let columns = [
        Column::text("Hour"),
        Column::number("Cost", "USD"),
        Column::number("By the baseline", "USD"),
        Column::number("Realised", "USD"),
        Column::number("Freed", "USD"),
        Column::number("Estimated", "USD"),
    ];
    let rows = hours.iter().rev().take(48).map(|hour| {
        vec![
            Cell::ago(ask.now, hour.begins),
            Cell::money(hour.cost),
            Cell::money(hour.expected),
            Cell::money(hour.realised_sum()),
            Cell::money(hour.freed),
            Cell::money(hour.estimated),
        ]
    });
    Table::new("hours", "Closed hours, newest first")
        .columns(columns)
        .rows(rows)
        .empty("No hour is closed yet: the first is closed when a round falls into it.")
}
