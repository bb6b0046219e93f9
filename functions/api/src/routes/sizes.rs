//! Sizes of workloads: what was found of them, with usage against request.

use super::clusters::own;
use crate::auth::Caller;
use crate::desk::Desk;
use crate::extract::Params;
use crate::paging::Paging;
use crate::problem::Problem;
use crate::view::findings::{FindingView, SizesPage, usd};
use axum::Json;
use domain::finding::{Finding, FindingKind};
use domain::money::MicroDollars;
use serde::Deserialize;

/// Which cluster.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Of {
    cluster_id: String,
}

/// Kinds that tell of sizes.
const KINDS: [FindingKind; 4] =
    [FindingKind::OversizedWorkload, FindingKind::UndersizedWorkload, FindingKind::OutOfMemory, FindingKind::LikelyLeak];

/// `GET /api/v1/optimization/sizes?cluster_id=`: containers that request far more or less than they use, and those that were killed for
/// lack of memory: what they use, what they request, what they should, and what that frees or costs in a month of 730 hours. What would
/// be freed and what more would cost stand apart; what has no known price is in neither.
///
/// # Errors
/// 404 for a cluster that is not the caller's.
pub async fn list(Desk(deps): Desk, caller: Caller, Params(of): Params<Of>, paging: Paging) -> Result<Json<SizesPage>, Problem> {
    let cluster = own(&deps, &caller, &of.cluster_id).await?;
    let mut found: Vec<Finding> = Vec::new();
    for kind in KINDS {
        found.extend(deps.findings.findings_of(&caller.customer, &cluster.id, Some(kind)).await?);
    }
    found.retain(|finding| finding.state.stands());
    let amounts = || found.iter().filter_map(|finding| finding.cost_per_month);
    let freed: MicroDollars = amounts().filter(|amount| amount.0 > 0).sum();
    let more: MicroDollars = amounts().filter(|amount| amount.0 < 0).sum();
    let unpriced = found.iter().filter(|finding| finding.cost_per_month.is_none()).count();
    Ok(Json(SizesPage {
        page: paging.cut(found.iter().map(FindingView::of).collect(), |item| item.id.to_string()),
        would_free_per_month_usd: usd(freed),
        would_cost_per_month_usd: usd(MicroDollars(more.0.saturating_neg())),
        unpriced,
    }))
}
