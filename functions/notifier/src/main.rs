//! Wiring: notices and ticks, on the real adapters. Read it beside the function's policy in template.yaml: both list the same things.

use execution::notify::Desk;
use lambda_runtime::{LambdaEvent, service_fn};
use notifier::Deps;
use runtime::config::Var;
use runtime::courier::HttpCourier;
use runtime::deadline::{Budget, MARGIN};
use std::sync::Arc;
use wiring::Wires;

/// Everything that a notice works with.
const NEEDS: [Var; 5] = [Var::AwsRegion, Var::TableName, Var::KmsKeyId, Var::NoticesQueueUrl, Var::DeadLetterQueueUrl];

// One thread: the function's share of a processor is below one, and there is nothing to start for a second.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let deps = &wire(&Wires::new(wiring::start(&NEEDS)?))?;
    let handle = |event: LambdaEvent<serde_json::Value>| async move {
        let budget = Budget::from_lambda(event.context.deadline, MARGIN);
        notifier::handle_any(event.payload, deps, &event.context.request_id, budget).await.map_err(lambda_runtime::Error::from)
    };
    lambda_runtime::run(service_fn(handle)).await.map_err(|error| anyhow::anyhow!(error))
}

fn wire(wires: &Wires) -> anyhow::Result<Deps> {
    let Wires { config, sdk, table, .. } = wires;
    let mut courier = HttpCourier::new(wires.gate(), None)?;
    if let Some(from) = &config.notification_email_from {
        courier = courier.with_letters(Arc::new(aws::Mail::new(sdk, from.clone())));
    }
    let desk = Desk {
        outbox: table.clone(),
        vault: wires.vault(),
        courier: Arc::new(courier),
        notices: Arc::new(aws::NoticeQueue::new(sdk, config.notices_queue_url.clone())),
        clock: wires.clock.clone(),
        meter: wires.meter.clone(),
    };
    Ok(Deps { desk, queue: wires.queues() })
}
