//! Findings, as they are shown.

use crate::paging::Page;
use domain::Timestamp;
use domain::finding::{Finding, FindingKind, FindingState};
use domain::ids::{ClusterId, FindingId};
use domain::money::MicroDollars;
use domain::sizing::Fit;
use schemars::JsonSchema;
use serde::Serialize;

/// US dollars, for people to read: nothing is reckoned with it.
pub fn usd(amount: MicroDollars) -> f64 {
    amount.0 as f64 / 1_000_000.0
}

/// One thing that was found.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Finding")]
pub struct FindingView {
    /// Its id: the same thing seen again has the same.
    pub id: FindingId,
    cluster_id: ClusterId,
    kind: FindingKind,
    subject: String,
    state: &'static str,
    detail: FindingState,
    evidence: Vec<String>,
    remedy: String,
    /// `null`: unpriced, which is not the same as nothing. Below zero where the remedy costs more than what is now.
    cost_per_month_usd: Option<f64>,
    /// Usage against requests, of a finding on the sizes of a container; `null`: it is of something else.
    fit: Option<Fit>,
    first_seen: Timestamp,
    last_seen: Timestamp,
}

impl FindingView {
    /// Of a finding.
    pub fn of(finding: &Finding) -> FindingView {
        FindingView {
            id: finding.id.clone(),
            cluster_id: finding.cluster.clone(),
            kind: finding.kind,
            subject: finding.subject.clone(),
            state: finding.state.as_str(),
            detail: finding.state.clone(),
            evidence: finding.evidence.clone(),
            remedy: finding.remedy.clone(),
            cost_per_month_usd: finding.cost_per_month.map(usd),
            fit: finding.fit.as_deref().cloned(),
            first_seen: finding.first_seen,
            last_seen: finding.last_seen,
        }
    }
}

/// A page of findings, and what all that stand cost.
#[derive(Debug, Serialize, JsonSchema)]
pub struct GhostsPage {
    /// The page.
    #[serde(flatten)]
    pub page: Page<FindingView>,
    /// Over all pages, of those that stand and have a price.
    pub cost_per_month_usd: f64,
}

/// A page of findings about sizes, and what all of them come to.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SizesPage {
    /// The page.
    #[serde(flatten)]
    pub page: Page<FindingView>,
    /// What would be freed, over all pages.
    pub would_free_per_month_usd: f64,
    /// What more would cost, over all pages.
    pub would_cost_per_month_usd: f64,
    /// How many have no known price, and are in neither sum.
    pub unpriced: usize,
}

/// A scan that was asked for.
#[derive(Debug, Serialize, JsonSchema)]
pub struct QueuedScan {
    /// `queued`, or `dry_run`.
    pub status: &'static str,
    /// The clusters that are looked at.
    pub clusters: Vec<ClusterId>,
    /// Where what is found is listed.
    pub href: &'static str,
}
