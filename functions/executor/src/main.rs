//! Wiring: plans from the queue, on the real adapters. Read it beside the function's policy in template.yaml: both list the same things.

use lambda_runtime::{LambdaEvent, service_fn};
use runtime::config::Var;
use runtime::deadline::{Budget, MARGIN};
use wiring::Wires;

// One thread: the function's share of a processor is below one, and there is nothing to start for a second.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let deps = &Wires::new(wiring::start(&Var::ACT)?).ports();
    let handle = |event: LambdaEvent<aws_lambda_events::sqs::SqsEvent>| async move {
        let budget = Budget::from_lambda(event.context.deadline, MARGIN);
        Ok::<_, lambda_runtime::Error>(executor::handle(event.payload, deps, budget).await)
    };
    lambda_runtime::run(service_fn(handle)).await.map_err(|error| anyhow::anyhow!(error))
}
