//! Wiring: once a minute, on the real adapters. Read it beside the function's policy in template.yaml: both list the same things.

use lambda_runtime::{LambdaEvent, service_fn};
use office_hours::Deps;
use runtime::config::Var;
use runtime::deadline::{Budget, MARGIN};
use wiring::Wires;

// One thread: the function's share of a processor is below one, and there is nothing to start for a second.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let wires = Wires::new(wiring::start(&Var::ALL)?);
    let deps = &Deps {
        registry: wires.table.clone(),
        journal: wires.table.clone(),
        nights: wires.table.clone(),
        clusters: wires.clusters(wires.vault(), aws::EksRole::Look),
        queue: wires.queues(),
        clock: wires.clock.clone(),
        meter: wires.meter.clone(),
        enabled: wires.config.office_hours_enabled,
        idle: Default::default(),
        roster: Default::default(),
    };
    let handle = |event: LambdaEvent<serde_json::Value>| async move {
        let budget = Budget::from_lambda(event.context.deadline, MARGIN);
        office_hours::handle(deps, budget).await.map(|looked| format!("looked at {looked}")).map_err(lambda_runtime::Error::from)
    };
    lambda_runtime::run(service_fn(handle)).await.map_err(|error| anyhow::anyhow!(error))
}
