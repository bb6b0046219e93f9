//! Rightsizing: nodes of a fitting size, and workloads whose requests do not fit what they use.

use super::shared;
use crate::ask::{Answer, Ask};
use crate::fleet::fleet;
use crate::show;
use crate::view::{Cell, Column, Page, Part, Table, Tone};
use domain::decision::DecisionType;
use domain::finding::FindingKind;

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

/// `GET /console/rightsizing`.
///
/// # Errors
/// The table did not answer.
pub async fn show(ask: Ask) -> Answer {
    let fleet = fleet(&ask.deps, &ask.session.customer).await?;
    let runs: Vec<_> =
        shared::runs(&ask, None, 60).await?.into_iter().filter(|run| run.decision == DecisionType::Rightsize).take(12).collect();
    let rows: Vec<Vec<Cell>> = fleet
        .findings
        .iter()
        .filter(|finding| of_sizes(finding.kind) && finding.state.stands())
        .map(|finding| {
            vec![
                Cell::text(finding.subject.clone()),
                Cell::link(finding.cluster.to_string(), format!("/console/clusters/{}", finding.cluster)),
                Cell::mark(finding.kind.as_str(), Tone::Warn),
                finding.cost_per_month.map_or_else(|| Cell::text("no known price").figure(), Cell::money),
                Cell::text(finding.evidence.join(" ")),
                Cell::text(finding.remedy.clone()),
                Cell::ago(ask.now, finding.last_seen),
            ]
        })
        .collect();
    let lead =
        format!("Nodes that fit what they carry, and requests that fit what is used. Findings were read {}.", show::ago(ask.now, fleet.at));
    let mut page = Page::new("rightsizing", "Rightsizing", lead);
    if rows.is_empty() {
        page = page.with(Part::Note(
            Tone::Plain,
            "No finding on the size of a workload is in the table: nothing was measured yet, or everything fits. Nodes are decided on in every round, below.".to_owned(),
        ));
    }
    let columns = [
        Column::text("Workload"),
        Column::text("Cluster"),
        Column::text("What"),
        Column::number("Costs", "USD/month"),
        Column::text("Evidence"),
        Column::text("Remedy"),
        Column::text("Seen"),
    ];
    let workloads = Table::new("workloads", "Workloads").columns(columns).rows(rows).empty("None.");
    ask.page(page.with(workloads).with(shared::runs_table("nodes", "Nodes of a fitting size: rounds", &runs, ask.now))).await
}
