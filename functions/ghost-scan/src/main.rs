//! Wiring: ticks and scans, on the real adapters. Read it beside the function's policy in template.yaml: both list the same things.

use execution::Ports;
use execution::waste::{Scanner, Settings};
use lambda_runtime::{LambdaEvent, service_fn};
use runtime::clock::SystemClock;
use runtime::config::{Config, Var};
use runtime::meter::EmfMeter;
use runtime::telemetry;
use std::sync::Arc;

/// Everything that a scan works with.
const NEEDS: [Var; 8] = [
    Var::AwsRegion,
    Var::TableName,
    Var::KmsKeyId,
    Var::InterruptionsQueueUrl,
    Var::PlansQueueUrl,
    Var::ScansQueueUrl,
    Var::NoticesQueueUrl,
    Var::DeadLetterQueueUrl,
];

// One thread: the function's share of a processor is below one, and there is nothing to start for a second.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let config = Config::from_env_with(&NEEDS)?;
    telemetry::init(config.log_level);
    tracing::info!(%config, "Starting");
    let deps = &wire(&config).await;
    let handle = |event: LambdaEvent<serde_json::Value>| async move {
        ghost_scan::handle_any(event.payload, deps).await.map_err(lambda_runtime::Error::from)
    };
    lambda_runtime::run(service_fn(handle)).await.map_err(|error| anyhow::anyhow!(error))
}

async fn wire(config: &Config) -> Scanner {
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
    let ports = Ports {
        journal: table.clone(),
        registry: table.clone(),
        routes: table.clone(),
        pools: table.clone(),
        watchbooks: table.clone(),
        cloud: Arc::new(ec2::Ec2::new(sdk.clone())),
        clusters: Arc::new(kubernetes::Connections::new(vault, settings)),
        queue: Arc::new(aws::Queues::new(&sdk, urls)),
        clock: clock.clone(),
        meter: Arc::new(EmfMeter::new(clock)),
    };
    Scanner {
        ports,
        findings: table,
        notices: Arc::new(aws::NoticeQueue::new(&sdk, config.notices_queue_url.clone())),
        scans: Arc::new(aws::ScanQueue::new(&sdk, config.scans_queue_url.clone())),
        settings: Settings { ghosts: config.waste.ghosts, volumes: config.waste.volumes },
    }
}
