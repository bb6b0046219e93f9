//! Wiring: requests from API Gateway, on the real adapters. Read it beside the function's policy in template.yaml: both list the same things.

use console::fleet::Fleets;
use console::session::Signer;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use runtime::config::Var;
use runtime::http::Limits;
use runtime::web::gateway;
use runtime::web::issuer::Issuer;
use std::sync::Arc;
use wiring::Wires;

/// No key service, no interruptions queue: the console opens no token and hands in no notice.
const NEEDS: [Var; 9] = [
    Var::AwsRegion,
    Var::TableName,
    Var::DecisionTableName,
    Var::PlansQueueUrl,
    Var::RoundsQueueUrl,
    Var::ScansQueueUrl,
    Var::MlServerUrl,
    Var::MlServerApiKey,
    Var::SessionSecret,
];

// One thread: the function's share of a processor is below one, and there is nothing to start for a second.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let wires = Wires::new(wiring::start(&NEEDS)?);
    let Wires { config, sdk, table, .. } = &wires;
    let Some(secret) = &config.session_secret else {
        anyhow::bail!("SESSION_SECRET is not set");
    };
    let gate = wires.gate();
    // A page waits for the decision server no longer than a person would.
    let limits = Limits { connect_s: 1, whole_s: 5, wire_bytes_max: 2_000_000, plain_bytes_max: 8_000_000 };
    let decision = Arc::new(aws::DecisionTable::new(sdk, config.decision_table_name.clone()));
    let deps = console::Deps {
        registry: table.clone(),
        journal: table.clone(),
        optimizations: table.clone(),
        ledger: table.clone(),
        outbox: table.clone(),
        nights: table.clone(),
        findings: table.clone(),
        trail: table.clone(),
        routes: table.clone(),
        market: decision.clone(),
        fillings: decision,
        rounds: Arc::new(aws::RoundQueue::new(sdk, config.rounds_queue_url.clone())),
        scans: Arc::new(aws::ScanQueue::new(sdk, config.scans_queue_url.clone())),
        queue: wires.queues(),
        ml: Some(Arc::new(wires.ml(limits)?)),
        clock: wires.clock.clone(),
        ids: console::random_ids(),
        issuer: config.tokens.as_ref().map(|tokens| Issuer::named(tokens, &gate)).transpose()?.map(Arc::new),
        sessions: Signer::new(secret.expose().as_bytes(), true),
        fleets: Fleets::default(),
    };
    let router = &console::router(Arc::new(deps));
    let handle = |event: LambdaEvent<serde_json::Value>| async move { gateway::handle(router, event.payload).await.map_err(Error::from) };
    lambda_runtime::run(service_fn(handle)).await.map_err(|error| anyhow::anyhow!(error))
}
