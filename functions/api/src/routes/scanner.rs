//! The scanner: asking for a scan, what was found, and ending one of it by hand.

use super::actions::Wish;
use super::clusters::own;
use crate::Deps;
use crate::auth::Caller;
use crate::commands;
use crate::desk::Desk;
use crate::extract::{Body, Dry, NewId, Params};
use crate::paging::Paging;
use crate::problem::Problem;
use crate::view::findings::{FindingView, GhostsPage, QueuedScan, usd};
use crate::view::would;
use crate::wishes::{problem as refused, who, wishes};
use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use domain::finding::{Finding, FindingKind, FindingState};
use domain::ids::{InstanceId, VolumeId};
use domain::money::MicroDollars;
use domain::plan::action::AskedBy;
use domain::plan::{Action, PlanKind};
use http::{StatusCode, header};
use serde::Deserialize;

/// Which cluster; left out: all of the customer's.
#[derive(Debug, Default, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScanBody {
    #[serde(default)]
    cluster_id: Option<String>,
}

/// Where what is found is listed.
const FOUND: &str = "/api/v1/scanner/ghosts";

/// `POST /api/v1/scanner/scan`: asks for a scan of everything, now.
///
/// # Errors
/// 404 for a cluster that is not the caller's.
pub async fn scan(Desk(deps): Desk, caller: Caller, Params(dry): Params<Dry>, Body(body): Body<ScanBody>) -> Result<Response, Problem> {
    let clusters = match &body.cluster_id {
        Some(id) => vec![own(&deps, &caller, id).await?.id],
        None => all(&deps, &caller).await?,
    };
    let queued = |status| Json(QueuedScan { status, clusters: clusters.clone(), href: FOUND });
    if dry.dry_run {
        return Ok(queued("dry_run").into_response());
    }
    wishes(&deps).ask_scans(&who(&caller), &clusters).await.map_err(refused)?;
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, FOUND)], queued("queued")).into_response())
}

async fn all(deps: &Deps, caller: &Caller) -> Result<Vec<domain::ids::ClusterId>, Problem> {
    let mut clusters = Vec::new();
    let mut after: Option<String> = None;
    // Ten pages of a hundred: whoever has more asks by cluster.
    for _page in 0..10 {
        let page = deps.registry.clusters(&caller.customer, after.as_deref(), 100).await?;
        clusters.extend(page.items.into_iter().map(|cluster| cluster.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Ok(clusters)
}

/// Which findings.
#[derive(Debug, Deserialize)]
pub struct Filter {
    cluster_id: String,
    kind: Option<String>,
    state: Option<String>,
}

/// `GET /api/v1/scanner/ghosts?cluster_id=`: what scans have found in a cluster, with its evidence, its price and what would be done.
/// Ghosts where no `kind` is named, `all` for all kinds; those that stand where no `state` is.
///
/// # Errors
/// 404 for a cluster that is not the caller's.
pub async fn ghosts(Desk(deps): Desk, caller: Caller, Params(filter): Params<Filter>, paging: Paging) -> Result<Json<GhostsPage>, Problem> {
    let cluster = own(&deps, &caller, &filter.cluster_id).await?;
    let kind = match filter.kind.as_deref() {
        None => Some(FindingKind::Ghost),
        Some("all") => None,
        Some(word) => Some(kind_of(word)?),
    };
    let mut found = deps.findings.findings_of(&caller.customer, &cluster.id, kind).await?;
    match filter.state.as_deref() {
        None => found.retain(|finding| finding.state.stands()),
        Some("all") => {}
        Some(word) => found.retain(|finding| finding.state.as_str() == word),
    }
    let cost: MicroDollars = found.iter().filter(|finding| finding.state.stands()).filter_map(|finding| finding.cost_per_month).sum();
    let page = paging.cut(found.iter().map(FindingView::of).collect(), |item| item.id.to_string());
    Ok(Json(GhostsPage { page, cost_per_month_usd: usd(cost) }))
}

pub(super) fn kind_of(word: &str) -> Result<FindingKind, Problem> {
    domain::finding::KINDS.into_iter().find(|kind| kind.as_str() == word).ok_or_else(|| {
        let detail = "`kind` is `all` or one of the kinds of findings, such as `ghost` or `zombie-volume`.";
        Problem::new(StatusCode::BAD_REQUEST, "unknown-kind", detail)
    })
}

/// Which cluster the finding is of.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TerminateBody {
    cluster_id: String,
    #[serde(default, rename = "dryRun", alias = "dry_run")]
    dry_run: bool,
}

/// `POST /api/v1/scanner/terminate/{id}`: ends a ghost, or deletes a volume after a snapshot of it. `id` is the finding's, or the
/// instance's or volume's own. Everything is looked at again before; only no grace is waited for.
///
/// # Errors
/// 404 where nothing of this name was found, 409 where it does not stand any more or a plan deals with it already.
pub async fn terminate(
    Desk(deps): Desk,
    caller: Caller,
    Path(id): Path<String>,
    NewId(new): NewId,
    Params(dry): Params<Dry>,
    Body(body): Body<TerminateBody>,
) -> Result<Response, Problem> {
    let cluster = own(&deps, &caller, &body.cluster_id).await?;
    let found = deps.findings.findings_of(&caller.customer, &cluster.id, None).await?;
    let finding = found.into_iter().find(|finding| finding.id.as_str() == id || finding.subject == id).ok_or_else(unknown)?;
    let (kind, action) = end_of(&finding)?;
    match &finding.state {
        FindingState::Open | FindingState::Dismissed { .. } => {}
        FindingState::Acting { plan } => {
            let detail = format!("Plan {plan} deals with it already.");
            return Err(Problem::new(StatusCode::CONFLICT, "in-another-plan", detail));
        }
        FindingState::Resolved { why, .. } => {
            return Err(Problem::new(StatusCode::CONFLICT, "finding-resolved", format!("It does not stand any more: {why}")));
        }
    }
    let wish = Wish::new(&deps, &caller, &cluster, new, body.dry_run || dry.dry_run)?;
    let plan = commands::end_waste(wish.asked(), kind, action, &finding);
    let acting = finding.with(FindingState::Acting { plan: plan.key.plan.clone() });
    let dry = body.dry_run || dry.dry_run;
    let answer = wish.record(plan, "terminate").await?;
    if !dry {
        // The plan is written; a finding that somebody else has just written is brought up to date by the next scan.
        if let Err(error) = deps.findings.put_finding(&acting).await {
            tracing::warn!(%error, finding.id = %acting.id, "A finding could not be marked as being acted on");
        }
    }
    Ok(answer)
}

/// Of which cluster the finding is, and why it is put aside.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DismissBody {
    cluster_id: String,
    reason: String,
    #[serde(default, rename = "dryRun", alias = "dry_run")]
    dry_run: bool,
}

/// `POST /api/v1/scanner/findings/{id}/dismiss`: nothing is done about a finding and nobody is told of it, until it is over or rests
/// on other grounds than now. `id` is the finding's, or what it is about. The reason stands in the finding and in the trail.
///
/// # Errors
/// 404 where nothing of this name was found, 409 where it is not open, 422 without a reason.
pub async fn dismiss(
    Desk(deps): Desk,
    caller: Caller,
    Path(id): Path<String>,
    Params(dry): Params<Dry>,
    Body(body): Body<DismissBody>,
) -> Result<Response, Problem> {
    let cluster = own(&deps, &caller, &body.cluster_id).await?;
    let dry = body.dry_run || dry.dry_run;
    let wished = wishes(&deps).dismiss(&who(&caller), &cluster.id, &id, &body.reason, dry).await;
    let finding = FindingView::of(&wished.map_err(refused)?);
    Ok(if dry { would(finding) } else { Json(finding).into_response() })
}

fn unknown() -> Problem {
    let detail = "No scan has found anything of this name in this cluster. GET /api/v1/scanner/ghosts lists what was found.";
    Problem::new(StatusCode::NOT_FOUND, "finding-unknown", detail)
}

fn end_of(finding: &Finding) -> Result<(PlanKind, Action), Problem> {
    let by = AskedBy::Person;
    let subject = finding.subject.as_str();
    match finding.kind {
        FindingKind::Ghost => {
            let instance = InstanceId::parse(subject).map_err(Problem::internal)?;
            Ok((PlanKind::Ghost, Action::TerminateGhost { instance, by }))
        }
        FindingKind::ZombieVolume => {
            let volume = VolumeId::parse(subject).map_err(Problem::internal)?;
            Ok((PlanKind::ZombieVolume, Action::DeleteVolume { volume, by }))
        }
        FindingKind::CrossZone
        | FindingKind::IdleLoadBalancer
        | FindingKind::IdleNatGateway
        | FindingKind::IdleAddress
        | FindingKind::OversizedWorkload
        | FindingKind::UndersizedWorkload
        | FindingKind::OutOfMemory
        | FindingKind::LikelyLeak
        | FindingKind::OfficeHours => {
            let detail = "This is a recommendation: nothing of it can be ended here. Its `remedy` says what a person can do.";
            Err(Problem::new(StatusCode::CONFLICT, "nothing-to-end", detail))
        }
    }
}
