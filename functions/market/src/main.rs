//! Wiring: on schedule, on the real adapters. Read it beside the function's policy in template.yaml: both list the same things.

use async_trait::async_trait;
use domain::Timestamp;
use domain::ids::{InstanceType, Region};
use domain::ports::cloud::SpotPrice;
use domain::ports::{AdvisorFile, MarketSource, SourceError};
use lambda_runtime::{LambdaEvent, service_fn};
use market::{AdvisorSite, Deps};
use runtime::config::Var;
use runtime::deadline::{Budget, MARGIN};
use std::sync::Arc;
use wiring::Wires;

/// The three places where the market is read.
struct Sources {
    spot: ec2::SpotMarket,
    site: AdvisorSite,
    list: aws::PriceList,
}

#[async_trait]
impl MarketSource for Sources {
    async fn spot_prices(&self, region: &Region, types: &[InstanceType], since: Timestamp) -> Result<Vec<SpotPrice>, SourceError> {
        self.spot.prices(region, types, since).await
    }

    async fn advisor(&self, known: Option<&str>, bytes_max: usize) -> Result<Option<AdvisorFile>, SourceError> {
        self.site.fetch(known, bytes_max).await
    }

    async fn on_demand(&self, region: &Region) -> Result<Vec<String>, SourceError> {
        self.list.on_demand(region).await
    }
}

/// Everything that a look at the market works with.
const NEEDS: [Var; 3] = [Var::TableName, Var::DecisionTableName, Var::AwsRegion];

// One thread: the function's share of a processor is below one, and there is nothing to start for a second.
#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let Wires { config, sdk, table, clock, meter } = Wires::new(wiring::start(&NEEDS)?);
    let decision = Arc::new(aws::DecisionTable::new(&sdk, config.decision_table_name));
    let deps = &Deps {
        registry: table,
        source: Arc::new(Sources { spot: ec2::SpotMarket::new(sdk.clone()), site: AdvisorSite::aws()?, list: aws::PriceList::new(&sdk) }),
        store: decision.clone(),
        wishes: decision.clone(),
        work: decision,
        clock,
        meter,
    };
    let handle = |event: LambdaEvent<serde_json::Value>| async move {
        let budget = Budget::from_lambda(event.context.deadline, MARGIN);
        let [read, failed, left] = market::handle(deps, budget).await?.sums();
        Ok::<_, lambda_runtime::Error>(serde_json::json!({ "read": read, "failed": failed, "left": left }))
    };
    lambda_runtime::run(service_fn(handle)).await.map_err(|error| anyhow::anyhow!(error))
}
