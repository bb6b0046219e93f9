//! Rightsizing: nodes of a fitting size, and workloads whose requests do not fit what they use.

use super::shared::{self, Cut};
use crate::ask::{Answer, Ask};
use crate::fleet::{Fleet, fleet};
use crate::show;
use crate::view::{Card, Cell, Column, Field, Form, Page, Part, Table, Tone};
use crate::words;
use domain::decision::DecisionType;
use domain::finding::{Finding, FindingKind};
use domain::money::MicroDollars;
use domain::sizing::{Fit, Resource, Severity};

fn of_sizes(kind: FindingKind) -> bool {
    match kind {
        FindingKind::OversizedWorkload | FindingKind::UndersizedWorkload | FindingKind::OutOfMemory | FindingKind::LikelyLeak => true,
        FindingKind::Ghost
        | FindingKind::ZombieVolume
        | FindingKind::CrossZone
        | FindingKind::IdleLoadBalancer
        | FindingKind::IdleNatGateway
        | FindingKind::IdleAddress
        | FindingKind::OfficeHours => false,
    }
}

/// Containers on one page.
const ROWS: usize = 25;

/// `GET /console/rightsizing`: `cluster` for one of them, `from` for the rows behind.
///
/// # Errors
/// The table did not answer, or the cluster is not theirs.
pub async fn show(ask: Ask) -> Answer {
    let (fleet, runs) = tokio::join!(fleet(&ask.deps, &ask.session.customer), shared::runs(&ask, None, 40));
    let (fleet, runs) = (fleet?, runs?);
    let runs: Vec<_> = runs.into_iter().filter(|run| run.decision == DecisionType::Rightsize).take(12).collect();
    let cluster = match ask.get("cluster") {
        Some(id) => Some(ask.cluster(id).await?.id),
        None => None,
    };
    let mut found: Vec<&Finding> = fleet.findings.iter().filter(|finding| of_sizes(finding.kind) && finding.state.stands()).collect();
    found.retain(|finding| cluster.as_ref().is_none_or(|id| finding.cluster == *id));
    // The worst first; what is dearest among those.
    found.sort_by_key(|finding| {
        let severity = finding.fit.as_ref().map(|fit| fit.severity);
        (std::cmp::Reverse(severity), std::cmp::Reverse(finding.cost_per_month), finding.subject.clone())
    });
    let lead = format!(
        "What containers request, beside what they used in the last seven days. Findings were read {}.",
        show::ago(ask.now, fleet.at)
    );
    let pick = Form::new("/console/rightsizing", "Show").tone(Tone::Quiet).field(Field::text(
        "cluster",
        "Cluster id, or empty for all",
        cluster.map_or_else(String::new, |id| id.to_string()),
    ));
    let page = Page::new("rightsizing", "Rightsizing", lead).with(cards(&found, &fleet, &ask)).with(Part::Pick(pick));
    let rounds = shared::runs_table("nodes", "Nodes of a fitting size: rounds", &runs, ask.now);
    ask.page(page.with(usage(&found, &ask)).with(table(&found, &ask)).with(rounds)).await
}

fn cards(found: &[&Finding], fleet: &Fleet, ask: &Ask) -> Vec<Card> {
    let amounts = || found.iter().filter_map(|finding| finding.cost_per_month);
    let freed: MicroDollars = amounts().filter(|amount| amount.0 > 0).sum();
    let more: MicroDollars = amounts().filter(|amount| amount.0 < 0).sum();
    let unpriced = found.iter().filter(|finding| finding.cost_per_month.is_none()).count();
    let critical = found.iter().filter(|finding| finding.fit.as_ref().is_some_and(|fit| fit.severity == Severity::Critical)).count();
    let age = show::ago(ask.now, fleet.at);
    vec![
        Card::new("Containers that do not fit", show::grouped(found.len().try_into().unwrap_or(u64::MAX)), age.clone())
            .beneath(format!("{critical} critical")),
        Card::new("Smaller requests would free", show::monthly(freed), age.clone()).tone(Tone::Good).beneath("available, nothing done yet"),
        Card::new("Larger requests would cost", show::monthly(MicroDollars(more.0.saturating_neg())), age.clone()),
        Card::new("Without a price", show::grouped(unpriced.try_into().unwrap_or(u64::MAX)), age).beneath("in neither sum"),
    ]
}

fn tone(severity: Severity) -> Tone {
    match severity {
        Severity::Good => Tone::Good,
        Severity::Ok => Tone::Quiet,
        Severity::Warning => Tone::Warn,
        Severity::Critical => Tone::Bad,
    }
}

/// One resource of a container in a row: what is requested, what is used, what is recommended.
fn row(of: Resource, fit: &Fit, finding: &Finding) -> Vec<Cell> {
    let (used, name, unit) = match of {
        Resource::Cpu => (fit.cpu, "CPU", "thousandths of a core"),
        Resource::Memory => (fit.memory, "memory", "bytes"),
    };
    let amount = |amount: Option<u64>, none: &str| {
        let text = |amount: u64| match of {
            Resource::Cpu => format!("{amount} m"),
            Resource::Memory => show::bytes(amount),
        };
        amount.map_or_else(
            || Cell::text(none).figure().tone(Tone::Quiet).csv(""),
            |amount| Cell::text(text(amount)).figure().csv(amount.to_string()),
        )
    };
    let request = fit.current.request(of);
    let whole = |amount: u64| i64::try_from(amount).unwrap_or(i64::MAX);
    let p95 = amount(used.map(|used| used.p95), "no sample");
    vec![
        Cell::text(fit.container.clone()).beneath(format!("{}, {}", fit.workload, show::count_of(fit.replicas as usize, "replica"))),
        Cell::link(finding.cluster.to_string(), format!("/console/clusters/{}", finding.cluster)),
        Cell::text(name).csv(format!("{name}, {unit}")),
        amount(request, "not set"),
        amount(used.map(|used| used.p50), "no sample"),
        match used.zip(request) {
            Some((used, request)) => {
                let share = show::percent(whole(used.p95), whole(request));
                p95.beneath(format!("{share} of the request")).bar(whole(used.p95), whole(request))
            }
            None => p95,
        },
        amount(used.map(|used| used.peak), "no sample"),
        amount(fit.target.request(of), "not set"),
        Cell::mark(fit.severity.as_str(), tone(fit.severity)),
    ]
}

fn usage(found: &[&Finding], ask: &Ask) -> Table {
    let columns = [
        Column::text("Container"),
        Column::text("Cluster"),
        Column::text("Resource"),
        Column::number("Request", ""),
        Column::number("Used", "p50"),
        Column::number("Used", "p95"),
        Column::number("Used", "peak"),
        Column::number("Recommended", "request"),
        Column::text("Severity"),
    ];
    let fits: Vec<(&Finding, &Fit)> = found.iter().filter_map(|finding| Some((*finding, finding.fit.as_deref()?))).collect();
    let Cut { from, until, .. } = shared::cut(ask, ROWS, found.len(), &["cluster"]);
    let shown = fits.into_iter().take(until).skip(from);
    let rows = shown.flat_map(|(finding, fit)| [Resource::Cpu, Resource::Memory].map(|of| row(of, fit, finding)));
    Table::new("usage", "Usage against requests, the worst first")
        .columns(columns)
        .rows(rows)
        .age("of one replica, over the last seven days")
        .empty("No container has requests that do not fit: nothing was measured yet, or everything fits. Usage is sampled in every round.")
}

fn table(found: &[&Finding], ask: &Ask) -> Table {
    let columns = [
        Column::text("Container"),
        Column::text("What"),
        Column::number("Frees", "USD/month"),
        Column::text("Evidence"),
        Column::text("Remedy"),
        Column::text("Seen"),
    ];
    let Cut { from, until, next } = shared::cut(ask, ROWS, found.len(), &["cluster"]);
    let rows = found.iter().take(until).skip(from).map(|finding| {
        vec![
            Cell::text(finding.subject.clone()).beneath(finding.cluster.to_string()),
            Cell::mark(words::finding(finding.kind), Tone::Warn),
            finding.cost_per_month.map_or_else(|| Cell::text("no known price").figure(), Cell::money),
            Cell::text(show::sentences(finding.evidence.iter().map(String::as_str))),
            Cell::text(show::sentence(&finding.remedy)),
            Cell::ago(ask.now, finding.last_seen),
        ]
    });
    Table::new("workloads", "Why, and what would be done").columns(columns).rows(rows).next(next).empty("Nothing.")
}
