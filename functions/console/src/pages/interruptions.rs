//! Interruptions: each on a ruler of the two minutes that AWS gives.

use crate::ask::{Answer, Ask};
use crate::failure::Failure;
use crate::show;
use crate::svg::Svg;
use crate::view::{Card, Cell, Column, Page, Part, Table, Tone};
use domain::plan::{Action, PlanKey, PlanRecord};
use domain::spot_event::SpotEvent;

/// Rows of one page.
const ROWS: usize = 50;
/// How many are drawn: each needs its plan.
const DRAWN: usize = 8;
/// What a ruler shows, in seconds: the two minutes, and some time behind them.
const RULER_S: f64 = 150.0;

/// `GET /console/interruptions`.
///
/// # Errors
/// The table did not answer.
pub async fn show(ask: Ask) -> Answer {
    let before = ask.get("before").and_then(|text| text.parse().ok());
    let events = ask.deps.journal.spot_events(&ask.session.customer, before, ROWS).await?;
    let lead = "From the notice to the empty node: 120 seconds are what AWS gives. Zero is when the notice reached us.";
    let mut page = Page::new("interruptions", "Interruptions", lead).live(5).with(cards(&events));
    let planned = events.iter().filter(|event| event.plan.is_some()).take(DRAWN);
    let records = futures::future::try_join_all(planned.clone().map(|event| record(&ask, event))).await?;
    let drawn: Vec<(&SpotEvent, PlanRecord)> = planned.zip(records).filter_map(|(event, record)| Some((event, record?))).collect();
    if !drawn.is_empty() {
        page = page.with(rulers(&drawn));
    }
    let rows = events.iter().map(|event| {
        let drained =
            event.drain_duration_s.map_or_else(|| Cell::text("–"), |seconds| Cell::text(format!("{seconds} s")).csv(seconds.to_string()));
        vec![
            Cell::ago(ask.now, event.received_at),
            Cell::text(event.instance.instance.to_string()),
            Cell::link(event.cluster.to_string(), format!("/console/clusters/{}", event.cluster)),
            Cell::text(event.event_type.as_str()),
            Cell::text(event.action_taken.clone()),
            drained.bar(event.drain_duration_s.unwrap_or_default(), 120).figure(),
            Cell::text(event.replacement_instance_id.as_ref().map_or_else(|| "–".to_owned(), ToString::to_string)),
        ]
    });
    let columns = [
        Column::text("Received"),
        Column::text("Instance"),
        Column::text("Cluster"),
        Column::text("Notice"),
        Column::text("What was done"),
        Column::number("Notice to empty", "s of 120"),
        Column::text("Replacement"),
    ];
    let next = events.last().filter(|_| events.len() == ROWS).map(|event| format!("/console/interruptions?before={}", event.received_at));
    let table = Table::new("events", "All, newest first").columns(columns).rows(rows).next(next);
    ask.page(
        page.with(table.empty("No interruption was announced yet. When one is, it is handled within the same second, and stands here.")),
    )
    .await
}

async fn record(ask: &Ask, event: &SpotEvent) -> Result<Option<PlanRecord>, Failure> {
    let Some(plan) = &event.plan else {
        return Ok(None);
    };
    let key = PlanKey { customer: event.customer.clone(), cluster: event.cluster.clone(), plan: plan.clone() };
    Ok(ask.deps.journal.load(&key).await?)
}

fn cards(events: &[SpotEvent]) -> Vec<Card> {
    let mut drains: Vec<i64> = events.iter().filter_map(|event| event.drain_duration_s).collect();
    drains.sort_unstable();
    let of = format!("of the newest {}", events.len());
    let slow = drains.iter().filter(|seconds| **seconds > 120).count();
    let middle = drains.get(drains.len() / 2).map_or_else(|| "–".to_owned(), |seconds| format!("{seconds} s"));
    let worst = drains.last().map_or_else(|| "–".to_owned(), |seconds| format!("{seconds} s"));
    vec![
        Card::new("Announced", events.len().to_string(), "newest first, on this page"),
        Card::new("Median, notice to empty", middle, of.clone()),
        Card::new("Slowest", worst, of.clone()),
        Card::new("Later than 120 s", slow.to_string(), of).tone(if slow > 0 { Tone::Bad } else { Tone::Good }),
    ]
}

/// The word for a step on the ruler, and its class.
fn named(action: &Action) -> Option<(&'static str, &'static str)> {
    match action {
        Action::Cordon { .. } => Some(("cordoned", "three")),
        Action::LaunchNode { .. } => Some(("launched", "one")),
        Action::AwaitReady { .. } => Some(("joined", "softf")),
        Action::Drain { .. } => Some(("drained", "two")),
        Action::Uncordon { .. }
        | Action::Terminate { .. }
        | Action::TerminateGhost { .. }
        | Action::DeleteVolume { .. }
        | Action::RemoveNode { .. }
        | Action::Scale { .. }
        | Action::Resize { .. }
        | Action::PatchRequests { .. }
        | Action::AwaitRollOut { .. }
        | Action::CompleteLifecycle { .. } => None,
    }
}

fn rulers(drawn: &[(&SpotEvent, PlanRecord)]) -> Part {
    let row = 74.0;
    let mut svg = Svg::new(900, u32::try_from(drawn.len()).unwrap_or(1) * 74 + 26);
    let x = |seconds: f64| 190.0 + seconds.clamp(0.0, RULER_S) / RULER_S * 690.0;
    let mut said = Vec::new();
    for (index, (event, record)) in drawn.iter().enumerate() {
        let top = 8.0 + row * index as f64;
        svg.text("", (0.0, top + 16.0), event.instance.instance.as_str());
        svg.text("q", (0.0, top + 32.0), &show::utc(event.received_at));
        svg.rect("rail", (x(0.0), top + 56.0), (x(120.0) - x(0.0), 3.0), "120 s");
        let at = |time: domain::Timestamp| time.duration_since(event.received_at).as_secs_f64();
        let mut words = vec![format!("{}: warned at 0 s", event.instance.instance)];
        let steps = record.plan.steps.iter().zip(&record.progress.steps).filter_map(|(step, state)| Some((named(&step.action)?, state)));
        for (line, ((name, class), state)) in steps.enumerate() {
            let Some(start) = state.started_at.map(at) else { continue };
            let end = state.ended_at.map_or(RULER_S, at);
            let y = top + 4.0 + 13.0 * (line % 4) as f64;
            let text = format!("{name} {:.0} s", end);
            svg.rect(class, (x(start), y), ((x(end) - x(start)).max(3.0), 9.0), &format!("{name}: from {start:.1} s to {end:.1} s"));
            svg.text("q", (x(end) + 6.0, y + 9.0), &text);
            words.push(text);
        }
        svg.line("limit", (x(120.0), top), (x(120.0), top + 60.0));
        said.push(words.join(", "));
    }
    let bottom = 8.0 + row * drawn.len() as f64 + 8.0;
    for tick in [0.0, 30.0, 60.0, 90.0, 120.0, 150.0] {
        svg.text("q m", (x(tick), bottom), &format!("{tick:.0} s"));
    }
    Part::Drawing { title: "The two minutes".to_owned(), words: said.join("; "), svg: svg.finish() }
}
