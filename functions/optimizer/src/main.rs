//! Wiring: ticks and rounds, on the real adapters. Read it beside the function's policy in template.yaml: both list the same things.

use domain::SignedDuration;
use domain::decision::DecisionType;
use execution::Ports;
use execution::optimize::{Lookout, Optimizer, Settings, Sizing};
use lambda_runtime::{LambdaEvent, service_fn};
use runtime::advisor::HttpAdvisor;
use runtime::clock::SystemClock;
use runtime::config::{Config, Optimization, Var};
use runtime::deadline::Budget;
use runtime::http::Limits;
use runtime::meter::EmfMeter;
use runtime::telemetry;
use std::sync::Arc;

/// Everything that a round works with.
const NEEDS: [Var; 9] = [
    Var::AwsRegion,
    Var::TableName,
    Var::KmsKeyId,
    Var::InterruptionsQueueUrl,
    Var::PlansQueueUrl,
    Var::RoundsQueueUrl,
    Var::DeadLetterQueueUrl,
    Var::MlServerUrl,
    Var::MlServerApiKey,
];

// One thread: the function's share of a processor is below one, and there is nothing to start for a second.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let config = Config::from_env_with(&NEEDS)?;
    telemetry::init(config.log_level);
    tracing::info!(%config, "Starting");
    let deps = &wire(&config).await?;
    let handle = |event: LambdaEvent<serde_json::Value>| async move {
        let budget = Budget::from_lambda(event.context.deadline, runtime::deadline::MARGIN);
        optimizer::handle_any(event.payload, deps, budget).await.map_err(lambda_runtime::Error::from)
    };
    lambda_runtime::run(service_fn(handle)).await.map_err(|error| anyhow::anyhow!(error))
}

async fn wire(config: &Config) -> anyhow::Result<Optimizer> {
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
    let Some(key) = &config.ml_server_api_key else {
        anyhow::bail!("ML_SERVER_API_KEY is not set");
    };
    Ok(Optimizer {
        surveyor: Arc::new(Lookout::new(ports.clone())),
        ports,
        optimizations: table.clone(),
        sizing: Some(Sizing {
            usages: table.clone(),
            findings: table.clone(),
            rightsizing: config.optimization.rightsizing,
            oom: config.optimization.oom_remediation,
        }),
        ledger: table,
        rounds: Arc::new(aws::RoundQueue::new(&sdk, config.rounds_queue_url.clone())),
        advisor: Arc::new(HttpAdvisor::new(&config.ml_server_url, key.wrapped(), Limits::default())?),
        settings: settings_of(config.optimization),
    })
}

fn settings_of(said: Optimization) -> Settings {
    let all =
        [(said.spot, DecisionType::SpotOptimize), (said.bin_packing, DecisionType::BinPack), (said.rightsizing, DecisionType::Rightsize)];
    Settings {
        interval: SignedDuration::from_mins(i64::from(said.interval_minutes)),
        enabled: all.into_iter().filter_map(|(on, decision)| on.then_some(decision)).collect(),
    }
}
