//! Wiring: requests from API Gateway, on the real adapters. Read it beside the function's policy in template.yaml: both list the same things.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use runtime::config::Var;
use runtime::web::gateway;
use runtime::web::issuer::Issuer;
use std::sync::Arc;
use wiring::Wires;

/// All but the dead-letter queue, which this function has no right to.
const NEEDS: [Var; 9] = [
    Var::AwsRegion,
    Var::TableName,
    Var::KmsKeyId,
    Var::InterruptionsQueueUrl,
    Var::PlansQueueUrl,
    Var::RoundsQueueUrl,
    Var::MlServerUrl,
    Var::MlServerApiKey,
    Var::ScansQueueUrl,
];

// One thread: the function's share of a processor is below one, and there is nothing to start for a second.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let wires = Wires::new(wiring::start(&NEEDS)?);
    let Wires { config, sdk, table, .. } = &wires;
    let (vault, gate) = (wires.vault(), wires.gate());
    let deps = api::Deps {
        ml: Some(Arc::new(wires.ml(api::routes::ml::LIMITS)?)),
        registry: table.clone(),
        journal: table.clone(),
        optimizations: table.clone(),
        ledger: table.clone(),
        outbox: table.clone(),
        nights: table.clone(),
        rounds: Arc::new(aws::RoundQueue::new(sdk, config.rounds_queue_url.clone())),
        findings: table.clone(),
        scans: Arc::new(aws::ScanQueue::new(sdk, config.scans_queue_url.clone())),
        routes: table.clone(),
        trail: table.clone(),
        rates: api::rates(table.clone()),
        issuer: config.tokens.as_ref().map(|tokens| Issuer::named(tokens, &gate)).transpose()?.map(Arc::new),
        gate,
        idempotency: table.clone(),
        queue: wires.queues(),
        trust: Arc::new(aws::RoleTrust::new(sdk.clone(), aws::EksRole::Look)),
        vault: vault.clone(),
        directory: Some(Arc::new(aws::EksDirectory::new(sdk))),
        clusters: wires.clusters(vault, aws::EksRole::Look),
        clock: wires.clock.clone(),
        bootstrap_admin_hash: config.bootstrap_admin_key_sha256.clone(),
        ids: api::random_ids(),
    };
    let router = &api::router(Arc::new(deps));
    let handle = |event: LambdaEvent<serde_json::Value>| async move { gateway::handle(router, event.payload).await.map_err(Error::from) };
    lambda_runtime::run(service_fn(handle)).await.map_err(|error| anyhow::anyhow!(error))
}
