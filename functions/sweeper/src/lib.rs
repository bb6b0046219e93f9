//! The sweeper function: once a minute, what nobody works on and what never arrived.

use execution::sweep::{Swept, sweep};
use execution::{Ports, Trouble};
use runtime::deadline::Budget;
use tracing::info;

/// What the function works with.
pub type Deps = Ports;

/// Sweeps once.
///
/// # Errors
/// [`Trouble`]: the table or the queue did not answer; the next minute tries again.
pub async fn handle(deps: &Deps, budget: Budget) -> Result<Swept, Trouble> {
    let swept = sweep(deps, budget.until()).await?;
    deps.meter.count("sweeps", "finished");
    info!(resumed = swept.resumed, missed = swept.missed, refreshed = swept.refreshed, "Swept");
    Ok(swept)
}
