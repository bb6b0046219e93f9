//! Spot events: what came, and handing one in by hand.

use super::clusters::own;
use crate::Deps;
use crate::auth::Caller;
use crate::desk::{Claims, Desk};
use crate::extract::{Body, Dry, NewId, Params};
use crate::paging::{Page, Paging};
use crate::problem::Problem;
use axum::Json;
use axum::response::{IntoResponse, Response};
use domain::Timestamp;
use domain::ids::{ClusterId, InstanceId};
use domain::interruption::parse::{Received, parse};
use domain::interruption::{Message, Notice, NoticeKind};
use domain::spot_event::SpotEvent;
use http::{StatusCode, header};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

mod by_hand;

/// Which events.
#[derive(Debug, Deserialize)]
pub struct Filter {
    cluster_id: Option<String>,
}

/// Where events are listed.
const HISTORY: &str = "/api/v1/events/history";

/// An event that was handed in.
#[derive(Debug, Serialize, JsonSchema)]
pub struct QueuedEvent {
    /// `queued`, or `dry_run`.
    status: &'static str,
    /// What was announced.
    kind: &'static str,
    instances: Vec<InstanceId>,
    /// When the instances are gone.
    deadline: Option<Timestamp>,
    /// Where what comes of it is listed.
    events: &'static str,
}

/// `GET /api/v1/events/spot-warnings`: capacity that is or was taken back, newest first.
///
/// # Errors
/// 404 where `cluster_id` is not the caller's.
pub async fn spot_warnings(
    Desk(deps): Desk,
    caller: Caller,
    Params(filter): Params<Filter>,
    paging: Paging,
) -> Result<Json<Page<SpotEvent>>, Problem> {
    listed(&deps, &caller, filter, paging, takes_capacity).await
}

/// `GET /api/v1/events/history`: events of all kinds, newest first.
///
/// # Errors
/// 404 where `cluster_id` is not the caller's.
pub async fn history(
    Desk(deps): Desk,
    caller: Caller,
    Params(filter): Params<Filter>,
    paging: Paging,
) -> Result<Json<Page<SpotEvent>>, Problem> {
    listed(&deps, &caller, filter, paging, |_| true).await
}

fn takes_capacity(kind: NoticeKind) -> bool {
    match kind {
        NoticeKind::SpotInterruption
        | NoticeKind::CapacityReservationInterruption
        | NoticeKind::CapacityBlockExpiration
        | NoticeKind::MissedInterruption => true,
        NoticeKind::AsgLaunch
        | NoticeKind::Rebalance
        | NoticeKind::ScheduledChange
        | NoticeKind::AsgTerminate
        | NoticeKind::StateChange => false,
    }
}

/// Reads of the table for one page at most: a filter that fits nothing must not read a whole history.
const READS_MAX: usize = 10;

async fn listed(
    deps: &Deps,
    caller: &Caller,
    filter: Filter,
    paging: Paging,
    of_kind: fn(NoticeKind) -> bool,
) -> Result<Json<Page<SpotEvent>>, Problem> {
    let cluster = match &filter.cluster_id {
        Some(id) => Some(own(deps, caller, id).await?.id),
        None => None,
    };
    let after: Option<Result<Timestamp, _>> = paging.after.as_deref().map(str::parse);
    let mut before = after.transpose().map_err(|_| Paging::bad_cursor())?;
    let mut items = Vec::new();
    for _ in 0..READS_MAX {
        let read = deps.journal.spot_events(&caller.customer, before, paging.limit + 1).await?;
        let (events, next) = whole_instants(read, paging.limit);
        items.extend(events.into_iter().filter(|event| wanted(event, cluster.as_ref(), of_kind)));
        before = next;
        if before.is_none() || !items.is_empty() {
            break;
        }
    }
    Ok(Json(Page::of(items, before.map(|at| at.to_string()).as_deref())))
}

fn wanted(event: &SpotEvent, cluster: Option<&ClusterId>, of_kind: fn(NoticeKind) -> bool) -> bool {
    cluster.is_none_or(|cluster| event.cluster == *cluster) && of_kind(event.event_type)
}

/// Cuts a page where one instant ends: the cursor is a time, and events of one instant must not be parted. Only where a whole
/// page is one instant are they.
fn whole_instants(mut events: Vec<SpotEvent>, limit: usize) -> (Vec<SpotEvent>, Option<Timestamp>) {
    let Some(first_left_out) = events.get(limit).map(|event| event.received_at) else {
        return (events, None);
    };
    events.truncate(limit);
    let whole = events.iter().take_while(|event| event.received_at != first_left_out).count();
    if whole > 0 {
        events.truncate(whole);
    }
    let next = events.last().map(|event| event.received_at);
    (events, next)
}

/// `POST /api/v1/events/process`: an event as EventBridge sends it, or `{"instance_id": ...}`.
///
/// # Errors
/// 422 for what is no event or nothing to do, 404 for instances that are not the caller's.
pub async fn process(
    Desk(deps): Desk,
    claims: Claims,
    caller: Caller,
    NewId(id): NewId,
    Params(dry): Params<Dry>,
    Body(body): Body<Value>,
) -> Result<Response, Problem> {
    let now = deps.clock.now();
    let body = if by_hand::is(&body) { by_hand::event(&deps, &caller, body, &id).await? } else { body };
    let text = body.to_string();
    let notice = understood(parse(&text, &Received { at: now, region: None }))?;
    if !claims.are_theirs(&caller, &notice).await? {
        return Err(by_hand::unknown());
    }
    let status = if dry.dry_run { "dry_run" } else { "queued" };
    let answer =
        QueuedEvent { status, kind: notice.kind.as_str(), instances: notice.instances, deadline: notice.deadline, events: HISTORY };
    if dry.dry_run {
        return Ok(Json(answer).into_response());
    }
    deps.queue.notice(&text).await?;
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, HISTORY)], Json(answer)).into_response())
}

fn understood(message: Message) -> Result<Notice, Problem> {
    let nothing = |why: &str| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "nothing-to-do", format!("There is nothing to do for this event: {why}."))
    };
    match message {
        Message::Notice(notice) => Ok(*notice),
        Message::PostHoc { .. } => Err(nothing("it reports what has happened")),
        Message::NoCapacity { .. } => Err(nothing("it reports that a group found no capacity")),
        Message::Ignored { why, .. } => Err(nothing(&why)),
        Message::Rejected { why } => {
            let detail = format!("This is no event that we know: {why}. Send it as EventBridge does, or {{\"instance_id\": \"i-...\"}}.");
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "event-malformed", detail))
        }
    }
}
