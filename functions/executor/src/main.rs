//! Wiring: plans from the queue, on the real adapters. Read it beside the function's policy in template.yaml: both list the same things.

use executor::Deps;
use lambda_runtime::{LambdaEvent, service_fn};
use runtime::clock::SystemClock;
use runtime::config::Config;
use runtime::deadline::Budget;
use runtime::meter::EmfMeter;
use runtime::telemetry;
use std::sync::Arc;

// One thread: the function's share of a processor is below one, and there is nothing to start for a second.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let config = Config::from_env()?;
    telemetry::init(config.log_level);
    tracing::info!(%config, "Starting");
    let sdk = aws::sdk_config(&config.region).await;
    let table = Arc::new(aws::Table::new(&sdk, config.table_name.clone()));
    let urls = aws::QueueUrls {
        interruptions: config.interruptions_queue_url.clone(),
        plans: config.plans_queue_url.clone(),
        dead_letters: config.dead_letter_queue_url.clone(),
    };
    let vault = Arc::new(aws::KeyVault::new(&sdk, config.kms_key_id.clone()));
    let settings = kubernetes::Settings {
        timeout_s: config.k8s_api.timeout_s,
        retry_attempts: config.k8s_api.retry_attempts,
        backoff_factor: config.k8s_api.backoff_factor,
    };
    let clock = Arc::new(SystemClock);
    let deps = Deps {
        journal: table.clone(),
        registry: table.clone(),
        routes: table.clone(),
        pools: table.clone(),
        watchbooks: table,
        cloud: Arc::new(ec2::Ec2::new(sdk.clone())),
        clusters: Arc::new(kubernetes::Connections::new(vault, settings)),
        queue: Arc::new(aws::Queues::new(&sdk, urls)),
        clock: clock.clone(),
        meter: Arc::new(EmfMeter::new(clock)),
    };
    let deps = &deps;
    let handle = |event: LambdaEvent<aws_lambda_events::sqs::SqsEvent>| async move {
        let budget = Budget::from_lambda(event.context.deadline, runtime::deadline::MARGIN);
        Ok::<_, lambda_runtime::Error>(executor::handle(event.payload, deps, budget).await)
    };
    lambda_runtime::run(service_fn(handle)).await.map_err(|error| anyhow::anyhow!(error))
}
