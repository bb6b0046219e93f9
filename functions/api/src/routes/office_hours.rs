//! Office hours: what sleeps, what will, why, and what it is worth; the rules for all clusters; approval; and waking by hand.

use super::clusters::own;
use super::config::tag;
use super::k8s::connect;
use super::versions::{matching, stale};
use crate::Deps;
use crate::auth::Caller;
use crate::desk::Desk;
use crate::extract::{Body, Dry, Params};
use crate::problem::{self, Problem};
use crate::register::Wrong;
use crate::trail::before;
use crate::view::hours::{ApprovedHours, Awake, OfficeHours, SleepingObject};
use crate::view::would;
use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use domain::money::MicroDollars;
use domain::office_hours::{APPROVED_KEY, AWAKE_KEY, CUSTOMER_KEY, Rules, fingerprint, of_cluster};
use domain::ports::StoreError;
use domain::tenant::Cluster;
use domain::{SignedDuration, Timestamp};
use http::{HeaderMap, StatusCode, header};
use planning::office_hours::{Judged, Sight, Standing, Verdict, judge, worth};
use serde::Deserialize;
use serde_json::{Value, json};

/// The longest time that a person may keep a cluster awake with one call, in minutes: a week.
const WAKE_MINUTES_MAX: u32 = 7 * 24 * 60;
/// What is said beside every price.
const HONESTLY: &str =
    "An estimate of the capacity that is freed, at list prices of requests, for 730 hours a month. Money is saved only when nodes go.";

/// What the customer and people have said.
struct Said {
    customer: Option<Rules>,
    approved: Option<String>,
    awake_until: Option<Timestamp>,
}

async fn said(deps: &Deps, cluster: &Cluster) -> Result<Said, Problem> {
    let read = async |key: &str| deps.registry.config(&cluster.customer, key).await;
    let customer = read(CUSTOMER_KEY).await?.and_then(|value| serde_json::from_value(value).ok());
    let approved = read(&of_cluster(APPROVED_KEY, &cluster.id)).await?;
    let awake_until = read(&of_cluster(AWAKE_KEY, &cluster.id)).await?.and_then(|value| serde_json::from_value(value).ok());
    Ok(Said { customer, approved: approved.and_then(|value| value.as_str().map(str::to_owned)), awake_until })
}

/// `GET /api/v1/office-hours/{cluster_id}`: every object with a size, as it is now.
///
/// # Errors
/// 404 where the cluster is not the caller's; what the cluster answered.
pub async fn show(Desk(deps): Desk, caller: Caller, Path(id): Path<String>) -> Result<Json<OfficeHours>, Problem> {
    let cluster = own(&deps, &caller, &id).await?;
    let said = said(&deps, &cluster).await?;
    let policy = &cluster.policy.office_hours;
    let rows = deps.nights.asleep(&cluster.customer, &cluster.id).await?;
    let scalables = connect(&deps, &cluster).await?.scalables(policy.beside(&rows)).await?;
    let now = deps.clock.now();
    let forced_up = said.awake_until.is_some_and(|until| now < until);
    let sight = Sight { scalables: &scalables, policy, customer: said.customer.as_ref(), asleep: &rows, forced_up, now };
    let judged = judge(sight);
    let (mut freed, mut month) = (MicroDollars::default(), MicroDollars::default());
    let objects: Vec<SleepingObject> = judged
        .iter()
        .map(|judged| {
            let worth = Worth::of(judged);
            freed = freed + worth.freed_per_hour;
            month = month + worth.per_month;
            object(judged, &worth)
        })
        .collect();
    let print = fingerprint(policy, said.customer.as_ref());
    Ok(Json(OfficeHours {
        cluster_id: cluster.id.clone(),
        mode: policy.mode,
        now,
        awake_until: said.awake_until.filter(|until| now < *until),
        approved: said.approved.as_deref() == Some(print.as_str()),
        fingerprint: print,
        objects,
        freed_usd_per_hour: usd(freed),
        worth_usd_per_month: usd(month),
        note: HONESTLY,
    }))
}

/// What sleep is worth for one object.
struct Worth {
    /// While it sleeps now.
    freed_per_hour: MicroDollars,
    /// With the schedule of the coming week.
    per_month: MicroDollars,
    asleep_percent: i64,
}

impl Worth {
    fn of(judged: &Judged<'_>) -> Worth {
        let object = judged.on.object;
        let pods = judged.on.scaled.unwrap_or(object);
        let (part, whole) = worth::share_asleep(&judged.on);
        // A workload whose autoscaler sleeps in its place is counted with that, and an autoscaler that rests with its workload.
        let counted = !judged.elsewhere() && (object.scales.is_none() || judged.decision.verdict != Verdict::Leave || asleep(judged));
        let size = match judged.decision.standing {
            Standing::Asleep(original) => original.size().unwrap_or(1),
            Standing::Up => pods.size.unwrap_or(0),
        };
        let per_hour = worth::per_hour(if counted { size } else { 0 }, pods.cpu_millis, pods.memory_bytes);
        Worth {
            freed_per_hour: if asleep(judged) { per_hour } else { MicroDollars::default() },
            per_month: worth::per_month(per_hour, (part, whole)),
            asleep_percent: part * 100 / whole.max(1),
        }
    }
}

fn asleep(judged: &Judged<'_>) -> bool {
    matches!(judged.decision.standing, Standing::Asleep(_))
}

fn object(judged: &Judged<'_>, worth: &Worth) -> SleepingObject {
    let (object, decision) = (judged.on.object, &judged.decision);
    let next = match decision.verdict {
        Verdict::Leave if decision.refused => "refused",
        Verdict::Leave => "none",
        Verdict::Sleep { .. } => "sleep",
        Verdict::Wake { .. } => "wake",
        Verdict::ClearNote => "clear-note",
    };
    let original = match decision.standing {
        Standing::Asleep(original) => Some(original.note()),
        Standing::Up => None,
    };
    SleepingObject {
        kind: object.target.kind,
        namespace: object.target.namespace.clone(),
        name: object.target.name.clone(),
        size: object.size,
        asleep: asleep(judged),
        original,
        next,
        why: decision.why.clone(),
        asleep_percent_of_week: worth.asleep_percent,
        worth_usd_per_month: usd(worth.per_month),
    }
}

fn usd(amount: MicroDollars) -> f64 {
    // For people to read; what is reckoned with are the micro dollars.
    (amount.0 / 100) as f64 / 10_000.0
}

/// `GET /api/v1/office-hours`: the rules for all clusters of the caller.
///
/// # Errors
/// The table did not answer.
pub async fn rules(Desk(deps): Desk, caller: Caller) -> Result<Response, Problem> {
    Ok(tagged(&deps.registry.config(&caller.customer, CUSTOMER_KEY).await?.unwrap_or_else(|| json!({}))))
}

fn tagged(rules: &Value) -> Response {
    ([(header::ETAG, tag(rules))], Json(rules)).into_response()
}

/// `PUT /api/v1/office-hours`: sets them. Those of one cluster stand in its policy.
///
/// # Errors
/// 412 where somebody else changed them first, 428 without If-Match, 422 where they make no sense.
pub async fn set_rules(
    Desk(deps): Desk,
    caller: Caller,
    headers: HeaderMap,
    Params(dry): Params<Dry>,
    Body(rules): Body<Rules>,
) -> Result<Response, Problem> {
    let was = deps.registry.config(&caller.customer, CUSTOMER_KEY).await?;
    let seen = was.clone().unwrap_or_else(|| json!({}));
    matching(&headers, &tag(&seen))?;
    if let Some((one, other)) = rules.at_odds() {
        let detail = format!("both {one} and {other} are set: one of them is enough");
        return Err(problem::fields(&[Wrong { field: "uptime", detail }]));
    }
    let value = serde_json::to_value(&rules).map_err(Problem::internal)?;
    if dry.dry_run {
        return Ok(would(value));
    }
    match deps.registry.swap_config(&caller.customer, CUSTOMER_KEY, &value, was.as_ref()).await {
        Ok(()) => Ok(before(tagged(&value), seen)),
        Err(StoreError::Conflict) => Err(stale()),
        Err(error) => Err(error.into()),
    }
}

/// What a person approves.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    fingerprint: String,
}

/// `POST /api/v1/office-hours/{cluster_id}/approve`: the rules as they were read. Other rules need another approval.
///
/// # Errors
/// 409 where the rules are others by now.
pub async fn approve(
    Desk(deps): Desk,
    caller: Caller,
    Path(id): Path<String>,
    Params(dry): Params<Dry>,
    Body(approval): Body<Approval>,
) -> Result<Response, Problem> {
    let cluster = own(&deps, &caller, &id).await?;
    let said = said(&deps, &cluster).await?;
    let print = fingerprint(&cluster.policy.office_hours, said.customer.as_ref());
    if approval.fingerprint != print {
        let detail = "The rules were changed since you read them. Read them again, and approve what you have read.";
        return Err(Problem::new(StatusCode::CONFLICT, "stale-rules", detail).with("fingerprint", json!(print)));
    }
    let approved = ApprovedHours { cluster_id: cluster.id.clone(), fingerprint: print.clone(), approved: true };
    if dry.dry_run {
        return Ok(would(approved));
    }
    deps.registry.put_config(&caller.customer, &of_cluster(APPROVED_KEY, &cluster.id), &json!(print)).await?;
    tracing::info!(cluster.id = %cluster.id, by = caller.label, "Office hours were approved");
    Ok(before(Json(approved).into_response(), json!({ "fingerprint": said.approved })))
}

/// For how long everything is to be up.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wake {
    #[schemars(range(max = 10_080))]
    minutes: u32,
}

/// `POST /api/v1/office-hours/{cluster_id}/wake`: everything is up for so many minutes from now; 0 ends it.
///
/// # Errors
/// 422 for more than a week.
pub async fn wake(
    Desk(deps): Desk,
    caller: Caller,
    Path(id): Path<String>,
    Params(dry): Params<Dry>,
    Body(wake): Body<Wake>,
) -> Result<Response, Problem> {
    let cluster = own(&deps, &caller, &id).await?;
    if wake.minutes > WAKE_MINUTES_MAX {
        let detail = format!("at most {WAKE_MINUTES_MAX} minutes, not {}", wake.minutes);
        return Err(problem::fields(&[Wrong { field: "minutes", detail }]));
    }
    let until = deps.clock.now() + SignedDuration::from_mins(i64::from(wake.minutes));
    let awake = Awake { cluster_id: cluster.id.clone(), awake_until: until };
    if dry.dry_run {
        return Ok(would(awake));
    }
    let key = of_cluster(AWAKE_KEY, &cluster.id);
    let was = deps.registry.config(&caller.customer, &key).await?;
    deps.registry.put_config(&caller.customer, &key, &json!(until)).await?;
    tracing::info!(cluster.id = %cluster.id, %until, by = caller.label, "A cluster is kept awake");
    Ok(before(Json(awake).into_response(), json!({ "awake_until": was })))
}
