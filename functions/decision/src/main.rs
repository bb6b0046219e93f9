//! Wiring: requests from API Gateway, answered by the planner. Read it beside the function's policy in template.yaml: it may write its
//! log, and nothing else.

use decision::planner::Planner;
use decision::{Deps, Key, Limits};
use runtime::config::{Config, Var};
use runtime::telemetry;
use std::sync::Arc;

// One thread answers, and one works: Lambda sends one request at a time.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let config = Config::from_env_with(&[Var::MlServerApiKey])?;
    telemetry::init(config.log_level);
    tracing::info!(%config, "Starting");
    let keys = config.ml_server_api_key.iter().map(|key| Key::of(key.expose())).collect();
    let deps = Deps { engine: Arc::new(Planner::day_zero()), keys, limits: Limits::LAMBDA };
    lambda_http::run(decision::router(Arc::new(deps))).await.map_err(|error| anyhow::anyhow!(error))
}
