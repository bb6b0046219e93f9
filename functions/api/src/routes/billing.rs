//! What a month comes to: managed vCPU-hours and savings, cluster by cluster, to be read and taken along.

use super::audit::csv;
use super::customers::whose;
use crate::auth::Caller;
use crate::desk::Office;
use crate::extract::Params;
use crate::problem::Problem;
use axum::Json;
use axum::response::{IntoResponse, Response};
use domain::ids::CustomerId;
use domain::money::MicroDollars;
use domain::savings::{Metered, Month};
use http::{StatusCode, header};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the figures rest on.
const RULE: &str = "sums of the hours that were seen whole and closed; an hour that was not is not counted. vCPU-hours are whole cores of the nodes that were there. Saved is what plans have ended less what they launched, never more than the hour is cheaper than the baseline";

/// Which month of whom, and in which form.
#[derive(Debug, Deserialize)]
pub struct Of {
    month: Option<String>,
    customer_id: Option<String>,
    format: Option<String>,
}

/// What all clusters come to.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(rename = "BillingTotal")]
pub struct Total {
    hours: u64,
    vcpu_hours: u64,
    cost: MicroDollars,
    expected_cost: MicroDollars,
    saved: MicroDollars,
}

/// What a month of a customer comes to.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Billing {
    customer_id: CustomerId,
    /// `2026-11`, in UTC.
    month: String,
    /// Clusters that were removed since are in it.
    clusters: Vec<Metered>,
    total: Total,
    unit: &'static str,
    rule: &'static str,
}

/// `GET /api/v1/admin/billing`: this month where no `month` is named; `format=csv` has a line per cluster.
///
/// # Errors
/// 404 for another customer's, 400 for a month or a form that is none.
pub async fn show(Office(deps): Office, caller: Caller, Params(of): Params<Of>) -> Result<Response, Problem> {
    let customer = whose(&deps, &caller, of.customer_id.as_deref()).await?;
    let month = match of.month.as_deref().map(Month::parse) {
        None => Month::of(deps.clock.now()),
        Some(Some(month)) => month,
        Some(None) => {
            let detail = "`month` is a year and a month, such as 2026-11.";
            return Err(Problem::new(StatusCode::BAD_REQUEST, "invalid-month", detail));
        }
    };
    let clusters = deps.ledger.metered(&customer, month).await?;
    match of.format.as_deref() {
        None | Some("json") => Ok(Json(billing(customer, month, clusters)).into_response()),
        Some("csv") => {
            let rows: Result<Vec<_>, _> = clusters.iter().map(serde_json::to_value).collect();
            Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], csv(&rows.map_err(Problem::internal)?)).into_response())
        }
        Some(_) => Err(Problem::new(StatusCode::BAD_REQUEST, "invalid-format", "`format` is json or csv.")),
    }
}

fn billing(customer_id: CustomerId, month: Month, clusters: Vec<Metered>) -> Billing {
    let total = clusters.iter().fold(Total::default(), |sum, one| Total {
        hours: sum.hours.saturating_add(one.hours),
        vcpu_hours: sum.vcpu_hours.saturating_add(one.vcpu_hours),
        cost: sum.cost + one.cost,
        expected_cost: sum.expected_cost + one.expected_cost,
        saved: sum.saved + one.saved,
    });
    Billing { customer_id, month: month.to_string(), clusters, total, unit: "millionths of a US dollar", rule: RULE }
}
