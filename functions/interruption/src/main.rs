//! Wiring: notices from the queue, on the real adapters. Read it beside the function's policy in template.yaml: both list the same things.

use lambda_runtime::{LambdaEvent, service_fn};
use runtime::config::Var;
use runtime::deadline::{Budget, MARGIN};
use wiring::Wires;

// One thread: the function's share of a processor is below one, and there is nothing to start for a second.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let deps = &Wires::new(wiring::start(&Var::ACT)?).ports();
    let handle = |event: LambdaEvent<serde_json::Value>| async move {
        let budget = Budget::from_lambda(event.context.deadline, MARGIN);
        interruption::handle_any(event.payload, deps, budget).await.map_err(lambda_runtime::Error::from)
    };
    lambda_runtime::run(service_fn(handle)).await.map_err(|error| anyhow::anyhow!(error))
}
