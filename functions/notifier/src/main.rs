//! Wiring: notices and ticks, on the real adapters. Read it beside the function's policy in template.yaml: both list the same things.

use execution::notify::Desk;
use lambda_runtime::{LambdaEvent, service_fn};
use notifier::Deps;
use runtime::clock::SystemClock;
use runtime::config::{Config, Var};
use runtime::courier::{HttpCourier, Internet};
use runtime::deadline::Budget;
use runtime::meter::EmfMeter;
use runtime::telemetry;
use std::sync::Arc;

/// Everything that a notice works with.
const NEEDS: [Var; 5] = [Var::AwsRegion, Var::TableName, Var::KmsKeyId, Var::NoticesQueueUrl, Var::DeadLetterQueueUrl];

// One thread: the function's share of a processor is below one, and there is nothing to start for a second.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let config = Config::from_env_with(&NEEDS)?;
    telemetry::init(config.log_level);
    tracing::info!(%config, "Starting");
    let deps = &wire(&config).await?;
    let handle = |event: LambdaEvent<serde_json::Value>| async move {
        let budget = Budget::from_lambda(event.context.deadline, runtime::deadline::MARGIN);
        notifier::handle_any(event.payload, deps, &event.context.request_id, budget).await.map_err(lambda_runtime::Error::from)
    };
    lambda_runtime::run(service_fn(handle)).await.map_err(|error| anyhow::anyhow!(error))
}

async fn wire(config: &Config) -> anyhow::Result<Deps> {
    let sdk = aws::sdk_config(&config.region).await;
    let urls = aws::QueueUrls {
        // It puts nothing on these two.
        interruptions: String::new(),
        plans: String::new(),
        dead_letters: config.dead_letter_queue_url.clone(),
    };
    let mut courier = HttpCourier::new(Arc::new(Internet), None)?;
    if let Some(from) = &config.notification_email_from {
        courier = courier.with_letters(Arc::new(aws::Mail::new(&sdk, from.clone())));
    }
    let clock = Arc::new(SystemClock);
    let desk = Desk {
        outbox: Arc::new(aws::Table::new(&sdk, config.table_name.clone())),
        vault: Arc::new(aws::KeyVault::new(&sdk, config.kms_key_id.clone())),
        courier: Arc::new(courier),
        notices: Arc::new(aws::NoticeQueue::new(&sdk, config.notices_queue_url.clone())),
        clock: clock.clone(),
        meter: Arc::new(EmfMeter::new(clock)),
    };
    Ok(Deps { desk, queue: Arc::new(aws::Queues::new(&sdk, urls)) })
}
