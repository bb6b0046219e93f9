//! Wiring: once a minute, on the real adapters. Read it beside the function's policy in template.yaml: both list the same things.

use lambda_runtime::{LambdaEvent, service_fn};
use poller::{Deps, Settings};
use runtime::config::Var;
use runtime::deadline::Budget;
use std::sync::Arc;
use wiring::Wires;

/// What the last answers and deletions may take: a poll ends by itself before. Less than elsewhere, because nobody listens meanwhile.
const MARGIN: domain::SignedDuration = domain::SignedDuration::from_secs(4);

/// It forwards notices, and opens no token.
const NEEDS: [Var; 3] = [Var::AwsRegion, Var::TableName, Var::InterruptionsQueueUrl];

// One thread: the function's share of a processor is below one, and there is nothing to start for a second.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let wires = Wires::new(wiring::start(&NEEDS)?);
    let said = wires.config.polling;
    let deps = &Deps {
        registry: wires.table.clone(),
        routes: wires.table.clone(),
        mailboxes: Arc::new(aws::CustomerQueues::new(&wires.sdk)),
        queue: wires.queues(),
        clock: wires.clock.clone(),
        meter: wires.meter.clone(),
        settings: Settings { ask: said.ask, pause: said.pause },
        found: poller::Found::default(),
    };
    let handle = |event: LambdaEvent<serde_json::Value>| async move {
        let budget = Budget::from_lambda(event.context.deadline, MARGIN);
        poller::handle(deps, budget).await.map(|polled| format!("{polled:?}")).map_err(lambda_runtime::Error::from)
    };
    lambda_runtime::run(service_fn(handle)).await.map_err(|error| anyhow::anyhow!(error))
}
