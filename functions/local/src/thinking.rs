//! The optimizer and the decision server in this process. They talk over HTTP as they do on AWS, so that another server can take the
//! place of ours: `ML_SERVER_URL` and `ML_SERVER_API_KEY` name it.

use anyhow::Context;
use data_encoding::HEXLOWER;
use decision::planner::Planner;
use domain::SignedDuration;
use domain::decision::DecisionType;
use domain::ids::Region;
use domain::offering::{CapacityType, Pool};
use execution::Ports;
use execution::optimize::{Lookout, Optimizer, Settings, Sizing};
use planning::public_data::Catalogue;
use runtime::advisor::HttpAdvisor;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use sim::store::MemoryQueue;
use sim::world::{ClusterSpec, TypeSpec, World};
use std::sync::Arc;

/// As OPTIMIZATION_INTERVAL_MINUTES is by default.
pub(crate) const INTERVAL: SignedDuration = SignedDuration::from_mins(10);

/// Where another decision server answers, and its key.
pub(crate) struct OtherServer {
    /// `https://...`.
    pub(crate) url: String,
    /// Its key.
    pub(crate) key: SecretString,
}

/// Everything that optimises. Starts the decision server on a free port where no other one is named.
pub(crate) async fn optimizer(
    ports: &Ports,
    table: &Arc<aws::Table>,
    queue: &Arc<MemoryQueue>,
    other: Option<&OtherServer>,
) -> anyhow::Result<Optimizer> {
    let advisor = match other {
        Some(other) => HttpAdvisor::new(&other.url, &other.key, runtime::http::Limits::default())?,
        None => {
            let key = SecretString::from(HEXLOWER.encode(&Sha256::digest(format!("decision {}", ports.clock.now()))));
            let url = serve(&key).await?;
            HttpAdvisor::new(&url, &key, runtime::http::Limits::default())?
        }
    };
    Ok(Optimizer {
        ports: ports.clone(),
        optimizations: table.clone(),
        ledger: table.clone(),
        rounds: queue.clone(),
        advisor: Arc::new(advisor),
        surveyor: Arc::new(Lookout::new(ports.clone())),
        sizing: Some(Sizing { usages: table.clone(), findings: table.clone(), rightsizing: true, oom: true }),
        settings: Settings {
            interval: INTERVAL,
            enabled: vec![DecisionType::SpotOptimize, DecisionType::BinPack, DecisionType::Rightsize],
        },
    })
}

/// Our own decision server, on public data. Answers its address.
async fn serve(key: &SecretString) -> anyhow::Result<String> {
    let deps = decision::Deps {
        engine: Arc::new(Planner::day_zero()),
        keys: vec![decision::Key::of(key.expose_secret())],
        limits: decision::Limits::default(),
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.context("the decision server has no port")?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, decision::router(Arc::new(deps))).await });
    Ok(url)
}

/// Lets the simulated cloud sell what the public catalogue lists for a Region, at its prices: so world and decision server speak of one
/// market.
pub(crate) fn stock(world: &World, spec: &ClusterSpec) {
    let (catalogue, region): (&Catalogue, &Region) = (Catalogue::embedded(), &spec.region);
    for info in catalogue.iter() {
        let Some(on_demand) = catalogue.on_demand(region, &info.name) else {
            continue;
        };
        world.add_types([TypeSpec::from_info(info, on_demand)]);
        let Some(spot) = catalogue.spot_estimate(region, &info.name) else {
            continue;
        };
        for zone in &spec.zones {
            let pool = Pool { instance_type: info.name.clone(), zone: zone.clone(), capacity: CapacityType::Spot };
            world.set_spot_price(&pool, spot.price_per_hour);
        }
    }
}
