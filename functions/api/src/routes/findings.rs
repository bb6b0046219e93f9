//! Findings of all clusters and kinds: what scans, sizes and office hours have found.

use super::clusters::own;
use super::scanner::kind_of;
use crate::auth::Caller;
use crate::desk::Desk;
use crate::extract::Params;
use crate::paging::{Page, Paging};
use crate::problem::Problem;
use crate::view::findings::FindingView;
use axum::Json;
use http::StatusCode;
use serde::Deserialize;

/// Reads of the table for one page at most: a filter that fits nothing must not read a whole history.
const READS_MAX: usize = 10;
/// Where a finding can be, in one word.
pub const STATES: [&str; 4] = ["open", "acting", "resolved", "dismissed"];

/// Which findings.
#[derive(Debug, Deserialize)]
pub struct Filter {
    cluster_id: Option<String>,
    kind: Option<String>,
    state: Option<String>,
}

/// `GET /api/v1/findings`: last seen first, in every state where no `state` is named.
///
/// # Errors
/// 404 where `cluster_id` is not the caller's, 400 for a kind or a state that is none.
pub async fn list(
    Desk(deps): Desk,
    caller: Caller,
    Params(filter): Params<Filter>,
    paging: Paging,
) -> Result<Json<Page<FindingView>>, Problem> {
    let kind = filter.kind.as_deref().map(kind_of).transpose()?;
    if filter.state.as_deref().is_some_and(|state| !STATES.contains(&state)) {
        let detail = format!("`state` is one of {}.", STATES.join(", "));
        return Err(Problem::new(StatusCode::BAD_REQUEST, "unknown-state", detail));
    }
    let cluster = match &filter.cluster_id {
        Some(id) => Some(own(&deps, &caller, id).await?.id),
        None => None,
    };
    let mut after = paging.after.clone();
    let mut items = Vec::new();
    for _ in 0..READS_MAX {
        let read = deps.findings.findings(&caller.customer, after.as_deref(), paging.limit).await?;
        after = read.next;
        let fits = read.items.iter().filter(|finding| {
            cluster.as_ref().is_none_or(|cluster| finding.cluster == *cluster)
                && kind.is_none_or(|kind| finding.kind == kind)
                && filter.state.as_deref().is_none_or(|state| finding.state.as_str() == state)
        });
        items.extend(fits.map(FindingView::of));
        if after.is_none() || !items.is_empty() {
            break;
        }
    }
    Ok(Json(Page::of(items, after.as_deref())))
}
