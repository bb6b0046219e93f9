//! Wiring: requests from API Gateway, answered by the planner. Read it beside the function's policy in template.yaml: it may write its
//! log, read the decision server's own table, keep outcomes, models, predictions and wishes in it, and files of models in a bucket of
//! their own, and nothing else.

use decision::planner::Planner;
use decision::{Bench, Deps, Desk, Key, Library, Limits, Records, Uploads};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use runtime::clock::SystemClock;
use runtime::config::{Config, Var};
use runtime::telemetry;
use runtime::web::gateway;
use runtime::web::ids::random_ids;
use std::sync::Arc;

// One thread answers, and one works: Lambda sends one request at a time.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let config = Config::from_env_with(&[Var::AwsRegion, Var::DecisionTableName, Var::MlServerApiKey])?;
    telemetry::init(config.log_level);
    tracing::info!(%config, "Starting");
    let keys = config.ml_server_api_key.iter().map(|key| Key::of(key.expose())).collect();
    let sdk = aws::sdk_config(&config.region);
    let table = Arc::new(aws::DecisionTable::new(&sdk, config.decision_table_name.clone()));
    let clock = Arc::new(SystemClock);
    let library = Arc::new(Library::new(table.clone(), clock.clone()).learning_from(table.clone(), clock.clone()));
    let records = Some(Records { store: table.clone(), clock: clock.clone() });
    let bench = Bench::new(table.clone(), clock.clone());
    let bench = Some(Arc::new(match &config.model_bucket {
        Some(bucket) => {
            let objects = Arc::new(aws::BucketObjects::new(&sdk, bucket, clock.clone()));
            bench.taking(Uploads { objects, ids: random_ids() })
        }
        None => bench,
    }));
    let desk = Some(Desk { market: table.clone(), wishes: table.clone(), work: table, clock });
    let deps = Deps { engine: Arc::new(Planner::default()), library, records, bench, desk, keys, limits: Limits::LAMBDA };
    let router = &decision::router(Arc::new(deps));
    let handle = |event: LambdaEvent<serde_json::Value>| async move { gateway::handle(router, event.payload).await.map_err(Error::from) };
    lambda_runtime::run(service_fn(handle)).await.map_err(|error| anyhow::anyhow!(error))
}
