//! What was saved: estimated, freed and realised, kept apart.

use super::clusters::own;
use crate::Deps;
use crate::auth::Caller;
use crate::desk::Desk;
use crate::extract::Params;
use crate::paging::{Page, Paging};
use crate::problem::Problem;
use axum::Json;
use domain::ids::ClusterId;
use domain::money::MicroDollars;
use domain::savings::arithmetic::month_of;
use domain::savings::{Hour, Lever, hour_of};
use domain::scheduling::Resources;
use domain::tenant::Cluster;
use domain::{SignedDuration, Timestamp};
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Hours that are summed up where nobody says how many: a day.
const HOURS_DEFAULT: u32 = 24;
/// And at most: a month of 31 days.
const HOURS_MAX: u32 = 744;

/// Of which cluster, and over how many hours.
#[derive(Debug, Deserialize)]
pub struct Over {
    cluster_id: Option<String>,
    hours: Option<String>,
}

/// What the cluster cost, and for how much work, when it was first seen whole.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Baseline")]
pub struct BaselineView {
    frozen_at: Timestamp,
    cost_per_hour: MicroDollars,
    nodes: u32,
    requested: Resources,
    rule: &'static str,
}

/// What plans have really saved.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Realised {
    sum: MicroDollars,
    by_lever: BTreeMap<Lever, MicroDollars>,
    per_hour: MicroDollars,
    per_month: MicroDollars,
    rule: &'static str,
}

/// The savings of one cluster.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Savings")]
pub struct SavingsView {
    cluster_id: ClusterId,
    hours: u32,
    hours_closed: usize,
    baseline: Option<BaselineView>,
    realised: Realised,
    freed_per_hour: Option<MicroDollars>,
    estimated_per_hour: Option<MicroDollars>,
    entered_per_hour: BTreeMap<Lever, MicroDollars>,
    plans: u64,
    cost: MicroDollars,
    expected_cost: MicroDollars,
    as_of: Option<Timestamp>,
    unit: &'static str,
}

/// `GET /api/v1/admin/savings`: cluster by cluster, from closed hours. What is only expected is never called saved.
///
/// # Errors
/// 404 where `cluster_id` is not the caller's, 400 for hours that are none.
pub async fn show(
    Desk(deps): Desk,
    caller: Caller,
    Params(over): Params<Over>,
    paging: Paging,
) -> Result<Json<Page<SavingsView>>, Problem> {
    let hours = match over.hours.as_deref().map(str::parse) {
        None => HOURS_DEFAULT,
        Some(Ok(hours)) if (1..=HOURS_MAX).contains(&hours) => hours,
        Some(Ok(_) | Err(_)) => {
            let detail = format!("`hours` is a whole number from 1 to {HOURS_MAX}.");
            return Err(Problem::new(StatusCode::BAD_REQUEST, "invalid-hours", detail));
        }
    };
    if let Some(id) = &over.cluster_id {
        let cluster = own(&deps, &caller, id).await?;
        return Ok(Json(Page::of(vec![of(&deps, &cluster, hours).await?], None)));
    }
    let clusters = deps.registry.clusters(&caller.customer, paging.after.as_deref(), paging.limit).await?;
    let items = each(&deps, &clusters.items, hours).await?;
    Ok(Json(Page::of(items, clusters.next.as_deref())))
}

/// One after the other: a page of clusters is two hundred reads at most.
async fn each(deps: &Deps, clusters: &[Cluster], hours: u32) -> Result<Vec<SavingsView>, Problem> {
    let mut items = Vec::with_capacity(clusters.len());
    for cluster in clusters {
        items.push(of(deps, cluster, hours).await?);
    }
    Ok(items)
}

async fn of(deps: &Deps, cluster: &Cluster, hours: u32) -> Result<SavingsView, Problem> {
    let (customer, id) = (&cluster.customer, &cluster.id);
    let from = hour_of(deps.clock.now()) - SignedDuration::from_hours(i64::from(hours));
    let baseline = deps.ledger.baseline(customer, id).await?;
    let books = deps.ledger.books(customer, id).await?;
    let closed = deps.ledger.hours(customer, id, from, HOURS_MAX as usize + 1).await?;
    let mut by_lever: BTreeMap<Lever, MicroDollars> = BTreeMap::new();
    for (lever, sum) in closed.iter().flat_map(|hour| &hour.realised) {
        let total = by_lever.entry(*lever).or_default();
        *total = *total + *sum;
    }
    let sum = |of: fn(&Hour) -> MicroDollars| closed.iter().map(of).sum::<MicroDollars>();
    let last = closed.last();
    let per_hour = last.map(Hour::realised_sum).unwrap_or_default();
    Ok(SavingsView {
        cluster_id: id.clone(),
        hours,
        hours_closed: closed.len(),
        baseline: baseline.map(|baseline| BaselineView {
            frozen_at: baseline.frozen_at,
            cost_per_hour: baseline.cost_per_hour,
            nodes: baseline.nodes,
            requested: baseline.requested,
            rule: "frozen when the cluster was first seen whole; grown or shrunk with what its pods request",
        }),
        realised: Realised {
            sum: sum(Hour::realised_sum),
            by_lever,
            per_hour,
            per_month: month_of(per_hour),
            rule: "what plans have ended less what they launched, never more than the hour is cheaper than the baseline; costs count whole",
        },
        freed_per_hour: last.map(|hour| hour.freed),
        estimated_per_hour: last.map(|hour| hour.estimated),
        entered_per_hour: books.per_hour,
        plans: books.plans,
        cost: sum(|hour| hour.cost),
        expected_cost: sum(|hour| hour.expected),
        as_of: last.map(|hour| hour.seen_at),
        unit: "millionths of a US dollar",
    })
}
