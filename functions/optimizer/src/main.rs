//! Wiring: ticks and rounds, on the real adapters. Read it beside the function's policy in template.yaml: both list the same things.

use domain::SignedDuration;
use domain::decision::DecisionType;
use execution::optimize::{Lookout, Optimizer, Settings, Sizing};
use lambda_runtime::{LambdaEvent, service_fn};
use runtime::advisor::HttpAdvisor;
use runtime::config::{Optimization, Var};
use runtime::deadline::{Budget, MARGIN};
use runtime::http::Limits;
use std::sync::Arc;
use wiring::Wires;

/// Everything that a round works with.
const NEEDS: [Var; 10] = [
    Var::AwsRegion,
    Var::TableName,
    Var::KmsKeyId,
    Var::InterruptionsQueueUrl,
    Var::PlansQueueUrl,
    Var::NoticesQueueUrl,
    Var::RoundsQueueUrl,
    Var::DeadLetterQueueUrl,
    Var::MlServerUrl,
    Var::MlServerApiKey,
];

// One thread: the function's share of a processor is below one, and there is nothing to start for a second.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let deps = &wire(&Wires::new(wiring::start(&NEEDS)?))?;
    let handle = |event: LambdaEvent<serde_json::Value>| async move {
        let budget = Budget::from_lambda(event.context.deadline, MARGIN);
        optimizer::handle_any(event.payload, deps, budget).await.map_err(lambda_runtime::Error::from)
    };
    lambda_runtime::run(service_fn(handle)).await.map_err(|error| anyhow::anyhow!(error))
}

fn wire(wires: &Wires) -> anyhow::Result<Optimizer> {
    let Wires { config, sdk, table, .. } = wires;
    let ports = wires.looking();
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
        ledger: table.clone(),
        rounds: Arc::new(aws::RoundQueue::new(sdk, config.rounds_queue_url.clone())),
        advisor: Arc::new(HttpAdvisor::over(wires.ml(Limits::default())?)),
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
