//! History: rounds and interruptions in one line of time.

use super::shared;
use crate::ask::{Answer, Ask};
use crate::show;
use crate::view::{Cell, Column, Field, Form, Page, Part, Table, Tone};
use crate::words;
use domain::Timestamp;

/// Rows of one page.
const ROWS: usize = 60;

/// `GET /console/history`: `cluster` narrows it.
///
/// # Errors
/// The cluster is not theirs, or the table did not answer.
pub async fn show(ask: Ask) -> Answer {
    let cluster = match ask.get("cluster") {
        Some(id) => Some(ask.cluster(id).await?.id),
        None => None,
    };
    let (runs, events) =
        tokio::join!(shared::runs(&ask, cluster.as_ref(), ROWS), ask.deps.journal.spot_events(&ask.session.customer, None, ROWS));
    let (runs, events) = (runs?, events?);
    let mut rows: Vec<(Timestamp, Vec<Cell>)> = Vec::with_capacity(runs.len() + events.len());
    for run in &runs {
        let (word, tone) = words::run(run.status);
        let said = run
            .why
            .as_deref()
            .map(show::sentence)
            .unwrap_or_else(|| format!("{} plans, {} blocked", run.recommendations.len(), run.refused.len()));
        rows.push((
            run.at,
            vec![
                Cell::ago(ask.now, run.at),
                Cell::link(words::decision(run.decision), format!("/console/decisions/{}", run.id)),
                Cell::text(run.cluster.to_string()),
                Cell::mark(word, tone),
                Cell::text(said),
                Cell::text(run.asked_by.clone()),
            ],
        ));
    }
    for event in events.iter().filter(|event| cluster.as_ref().is_none_or(|id| event.cluster == *id)) {
        let mark = if event.processed_at.is_some() { Cell::mark("handled", Tone::Good) } else { Cell::mark("under way", Tone::Busy) };
        rows.push((
            event.received_at,
            vec![
                Cell::ago(ask.now, event.received_at),
                Cell::link(event.event_type.as_str(), "/console/interruptions"),
                Cell::text(event.cluster.to_string()),
                mark,
                Cell::text(event.action_taken.clone()).beneath(event.instance.instance.to_string()),
                Cell::text("AWS"),
            ],
        ));
    }
    rows.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    rows.truncate(ROWS);
    let pick = Form::new("/console/history", "Show").tone(Tone::Quiet).field(Field::text(
        "cluster",
        "Cluster id, or empty for all",
        cluster.map_or_else(String::new, |id| id.to_string()),
    ));
    let columns = ["When", "What", "Cluster", "Outcome", "Why, or what was done", "Asked by"].map(Column::text);
    let table = Table::new("history", format!("The newest {ROWS}")).columns(columns).rows(rows.into_iter().map(|(_, row)| row));
    let lead = "Rounds and interruptions, newest first. Every call that changed something stands on the page of its plan.";
    ask.page(Page::new("history", "History", lead).with(Part::Pick(pick)).with(table.empty("Nothing has happened yet."))).await
}
