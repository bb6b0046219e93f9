//! Wiring: ticks and scans, on the real adapters. Read it beside the function's policy in template.yaml: both list the same things.

use execution::permissions::Inspector;
use execution::waste::{Scanner, Settings};
use lambda_runtime::{LambdaEvent, service_fn};
use runtime::config::Var;
use std::sync::Arc;
use wiring::Wires;

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
    let wires = Wires::new(wiring::start(&NEEDS)?);
    let Wires { config, sdk, table, .. } = &wires;
    let ports = wires.ports();
    let deps = &Scanner {
        inspector: Some(Inspector::on(
            &ports,
            wires.clusters(wires.vault(), aws::EksRole::Act),
            Arc::new(aws::RoleTrust::new(sdk.clone(), aws::EksRole::Act)),
        )),
        ports,
        findings: table.clone(),
        notices: Arc::new(aws::NoticeQueue::new(sdk, config.notices_queue_url.clone())),
        scans: Arc::new(aws::ScanQueue::new(sdk, config.scans_queue_url.clone())),
        settings: Settings { ghosts: config.waste.ghosts, volumes: config.waste.volumes, network: config.waste.network },
    };
    let handle = |event: LambdaEvent<serde_json::Value>| async move {
        ghost_scan::handle_any(event.payload, deps).await.map_err(lambda_runtime::Error::from)
    };
    lambda_runtime::run(service_fn(handle)).await.map_err(|error| anyhow::anyhow!(error))
}
