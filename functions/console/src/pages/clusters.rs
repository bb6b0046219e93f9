//! Clusters: all of them, with the state that each is in.

use super::shared;
use crate::ask::{Answer, Ask};
use crate::fleet::fleet;
use crate::show;
use crate::view::{Cell, Column, Field, Form, Page, Part, Table, Tone, aged};
use crate::words;
use domain::decision::DecisionType;
use domain::savings::Hour;

/// Rows of one page.
const ROWS: usize = 50;

/// `GET /console/clusters`: `find` narrows it to names and ids that hold it, `from` is where the page begins.
///
/// # Errors
/// The table did not answer.
pub async fn list(ask: Ask) -> Answer {
    let fleet = fleet(&ask.deps, &ask.session.customer).await?;
    let lead = format!("{} registered, read {}.", fleet.clusters.len(), show::ago(ask.now, fleet.at));
    let page = Page::new("clusters", "Clusters", lead);
    if fleet.clusters.is_empty() {
        return ask.page(shared::no_cluster(page)).await;
    }
    let wanted = ask.get("find").unwrap_or_default().to_lowercase();
    let from: usize = ask.get("from").and_then(|text| text.parse().ok()).unwrap_or_default();
    let fits: Vec<_> = fleet
        .clusters
        .iter()
        .filter(|brief| brief.cluster.name.to_lowercase().contains(&wanted) || brief.cluster.id.as_str().contains(&wanted))
        .collect();
    let columns = [
        Column::text("Cluster"),
        Column::text("State"),
        Column::text("Region"),
        Column::number("Nodes", ""),
        Column::number("Cost", "USD/h"),
        Column::number("Realised", "USD/h"),
        Column::text("Modes: spot, packing, size"),
        Column::text("Seen"),
    ];
    let rows = fits.iter().skip(from).take(ROWS).map(|brief| {
        let cluster = &brief.cluster;
        let (word, tone) = words::status(cluster.status);
        let policy = &cluster.policy.optimization;
        let modes = [DecisionType::SpotOptimize, DecisionType::BinPack, DecisionType::Rightsize].map(|kind| words::mode(policy.mode(kind)));
        vec![
            Cell::link(cluster.name.clone(), format!("/console/clusters/{}", cluster.id)).beneath(cluster.id.to_string()),
            Cell::mark(word, tone).beneath(if tone == Tone::Good { String::new() } else { show::sentence(&cluster.status_reason) }),
            Cell::text(cluster.region.to_string()),
            Cell::count(cluster.node_count),
            Cell::hourly_or(brief.last().map(|hour| hour.cost), "no hour closed"),
            Cell::hourly_or(brief.last().map(Hour::realised_sum), "–"),
            Cell::text(modes.join(", ")),
            Cell::text(aged(ask.now, cluster.seen_at)),
        ]
    });
    let query: String = form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
    let next = (fits.len() > from + ROWS).then(|| format!("/console/clusters?find={query}&from={}", from + ROWS));
    let table = Table::new("clusters", format!("{} of {}", fits.len(), fleet.clusters.len())).columns(columns).rows(rows).next(next);
    let find = Form::new("/console/clusters", "Find").tone(Tone::Quiet).field(Field::text("find", "Name or id", wanted));
    ask.page(page.with(Part::Pick(find)).with(table.empty("No cluster has such a name."))).await
}
