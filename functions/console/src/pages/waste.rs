//! Ghosts and waste: what costs money for nothing, with its evidence.

use super::shared::{self, Cut};
use crate::ask::{Act, Answer, Ask};
use crate::failure::Failure;
use crate::fleet::fleet;
use crate::show;
use crate::trail::changed;
use crate::view::{Card, Cell, Column, Field, Form, Page, Part, Table, Tone, acts};
use crate::words;
use domain::finding::{Finding, FindingKind, FindingState, KINDS};
use domain::ids::FindingId;
use domain::money::MicroDollars;
use domain::tenant::Role;
use serde_json::json;
use std::collections::BTreeMap;

/// Rows of one page.
const ROWS: usize = 40;

/// `GET /console/waste`: `kind`, and `state` (`all` for what is over, too).
///
/// # Errors
/// The table did not answer.
pub async fn show(ask: Ask) -> Answer {
    let fleet = fleet(&ask.deps, &ask.session.customer).await?;
    let lead = format!(
        "What the hourly scans found, read {}. Nothing is ended before its grace, nothing without a last look.",
        show::ago(ask.now, fleet.at)
    );
    let kind = ask.get("kind").and_then(|word| KINDS.into_iter().find(|kind| kind.as_str() == word));
    let all = ask.get("state") == Some("all");
    let fits: Vec<&Finding> =
        fleet.findings.iter().filter(|it| (all || it.state.stands()) && kind.is_none_or(|kind| it.kind == kind)).collect();
    let mut kinds = vec![(String::new(), "every kind".to_owned())];
    kinds.extend(KINDS.iter().map(|kind| (kind.as_str().to_owned(), words::finding(*kind).to_owned())));
    let states = vec![(String::new(), "that stand".to_owned()), ("all".to_owned(), "also those that are over".to_owned())];
    let pick = Form::new("/console/waste", "Show")
        .tone(Tone::Quiet)
        .field(Field::choice("kind", "Kind", kind.map_or("", FindingKind::as_str), kinds))
        .field(Field::choice("state", "Findings", if all { "all" } else { "" }, states));
    let mut page = Page::new("waste", "Ghosts and waste", lead).with(cards(&fleet.findings)).with(Part::Pick(pick));
    if acts(&ask) && !fleet.clusters.is_empty() {
        let scan =
            Form::new("/console/waste/scan", "Scan every cluster now").says("Only looks. What may be ended is in each cluster's policy.");
        page = page.with(Part::Forms(vec![scan]));
    }
    ask.page(page.with(table(&fits, &ask))).await
}

fn cards(findings: &[Finding]) -> Vec<Card> {
    let mut sums: BTreeMap<FindingKind, (usize, MicroDollars, bool)> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| finding.state.stands()) {
        let sum = sums.entry(finding.kind).or_default();
        *sum = (sum.0 + 1, sum.1 + finding.cost_per_month.unwrap_or_default(), sum.2 || finding.cost_per_month.is_none());
    }
    let total: MicroDollars = sums.values().map(|(_, cost, _)| *cost).sum();
    let mut cards = vec![Card::new(
        "All that stands",
        show::monthly(total),
        format!("{} findings", sums.values().map(|(count, ..)| count).sum::<usize>()),
    )];
    cards.extend(sums.iter().map(|(kind, (count, cost, unpriced))| {
        let age = if *unpriced { "some have no known price" } else { "all priced" };
        Card::new(words::finding(*kind), show::monthly(*cost), age)
            .beneath(format!("{count} found"))
            .href(format!("/console/waste?kind={}", kind.as_str()))
    }));
    cards
}

fn table(findings: &[&Finding], ask: &Ask) -> Table {
    let columns = [
        Column::text("What"),
        Column::text("Cluster"),
        Column::text("State"),
        Column::number("Costs", "USD/month"),
        Column::text("Evidence"),
        Column::text("Remedy"),
        Column::text("Seen"),
        Column::text(""),
    ];
    let Cut { from, until, next } = shared::cut(ask, ROWS, findings.len(), &["kind", "state"]);
    let rows = findings.iter().take(until).skip(from).map(|finding| {
        let (tone, sub) = match &finding.state {
            FindingState::Open => (Tone::Warn, String::new()),
            FindingState::Acting { plan } => (Tone::Busy, format!("plan {plan}")),
            FindingState::Resolved { why, .. } => (Tone::Quiet, why.clone()),
            FindingState::Dismissed { by, why, .. } => (Tone::Quiet, format!("by {by}: {why}")),
        };
        let open = finding.state == FindingState::Open && acts(ask);
        let end = Form::new("/console/waste/end", "End it")
            .tone(Tone::Bad)
            .field(Field::hidden("cluster", finding.cluster.as_str()))
            .field(Field::hidden("finding", finding.id.as_str()))
            .field(Field::hidden("wish", format!("{:032x}", (ask.deps.ids)())));
        let dismiss = Form::new("/console/waste/dismiss", "Dismiss")
            .field(Field::hidden("cluster", finding.cluster.as_str()))
            .field(Field::hidden("finding", finding.id.as_str()))
            .field(Field::text("why", "Why", ""));
        vec![
            Cell::text(finding.subject.clone()).beneath(words::finding(finding.kind)),
            Cell::link(finding.cluster.to_string(), format!("/console/clusters/{}", finding.cluster)),
            Cell::mark(finding.state.as_str(), tone).beneath(sub),
            finding.cost_per_month.map_or_else(|| Cell::text("no known price").figure(), Cell::money),
            evidence(finding),
            Cell::text(show::sentence(&finding.remedy)),
            Cell::ago(ask.now, finding.last_seen).beneath(format!("first {}", show::ago(ask.now, finding.first_seen))),
            match (open, finding.kind.ended_by().is_some()) {
                (true, true) => Cell::default().button(end).and(dismiss),
                (true, false) => Cell::default().button(dismiss),
                (false, _) => Cell::default(),
            },
        ]
    });
    let title = if findings.len() > ROWS {
        format!("Findings {} to {until} of {}, last seen first", from + 1, findings.len())
    } else {
        "Findings".to_owned()
    };
    Table::new("findings", title).columns(columns).rows(rows).next(next).empty("Nothing was found. Every cluster is scanned each hour.")
}

/// What a finding rests on. Of sizes the figures stand beside each other on a page of their own.
fn evidence(finding: &Finding) -> Cell {
    let said = show::sentences(finding.evidence.iter().map(String::as_str));
    match finding.fit {
        Some(_) => Cell::link("Usage beside requests", format!("/console/rightsizing?cluster={}", finding.cluster)).csv(said),
        None => Cell::text(said),
    }
}

/// `POST /console/waste/end`: writes a plan that ends a ghost, or deletes a volume after a snapshot of it. It looks again before it does.
///
/// # Errors
/// They may not, it is not theirs, everything is stopped, or it does not stand open any more.
pub async fn end(act: Act) -> Answer {
    act.must(Role::Operator)?;
    let cluster = act.ask.cluster(act.need("cluster")?).await?;
    let id = FindingId::parse(act.need("finding")?).map_err(|_| Failure::Absent("finding"))?;
    let findings = &act.ask.deps.findings;
    let finding = findings.finding(&cluster.customer, &cluster.id, &id).await?.ok_or(Failure::Absent("finding"))?;
    let plan = act.ask.deps.wishes().end_waste(&act.ask.who(), &finding, &act.new_id()).await?;
    let acted_on = finding.with(FindingState::Acting { plan });
    // The plan is written; a finding that somebody else has just written is brought up to date by the next scan.
    if let Err(error) = findings.put_finding(&acted_on).await {
        tracing::warn!(%error, finding.id = %finding.id, "A finding could not be marked as being acted on");
    }
    act.ask.deps.fleets.changed(&cluster.customer, &cluster.id);
    Ok(changed(act.done("/console/waste", "ended")?, json!(finding.state), json!(acted_on.state)))
}

/// `POST /console/waste/scan`.
///
/// # Errors
/// They may not, or the queue does not take it.
pub async fn scan(act: Act) -> Answer {
    act.must(Role::Operator)?;
    let fleet = fleet(&act.ask.deps, &act.ask.session.customer).await?;
    let clusters: Vec<_> = fleet.clusters.iter().map(|brief| brief.cluster.id.clone()).collect();
    act.ask.deps.wishes().ask_scans(&act.ask.who(), &clusters).await?;
    act.done("/console/waste", "scan")
}

/// `POST /console/waste/dismiss`.
///
/// # Errors
/// They may not, it is not theirs, it does not stand open any more, or they do not say why.
pub async fn dismiss(act: Act) -> Answer {
    act.must(Role::Operator)?;
    let cluster = act.ask.cluster(act.need("cluster")?).await?;
    let (finding, why) = (act.need("finding")?, act.need("why")?);
    let dismissed = act.ask.deps.wishes().dismiss(&act.ask.who(), &cluster.id, finding, why, false).await?;
    act.ask.deps.fleets.changed(&cluster.customer, &cluster.id);
    // Only what stands open is dismissed.
    Ok(changed(act.done("/console/waste", "dismissed")?, json!(FindingState::Open), json!(dismissed.state)))
}
