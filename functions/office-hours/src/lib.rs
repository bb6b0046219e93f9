//! The office hours function: once a minute, what should sleep and what should be up.
//!
//! It has the right to *plan*: it looks into clusters and opens plans, and changes nothing. It can name no cloud.

use execution::Trouble;
use execution::office_hours::OfficeHours;
use runtime::deadline::Budget;
use tracing::info;

/// What the function works with.
pub type Deps = OfficeHours;

/// One minute of every cluster; says how many were looked at.
///
/// # Errors
/// [`Trouble`]: the table did not answer; the next minute tries again, and what was missed heals.
pub async fn handle(deps: &Deps, budget: Budget) -> Result<usize, Trouble> {
    let looked = deps.tick(budget.until()).await?;
    info!(looked, "A minute of office hours is over");
    Ok(looked)
}
