//! The optimizer and the decision server in this process. They talk over HTTP as they do on AWS, so that another server can take the
//! place of ours: `ML_SERVER_URL` and `ML_SERVER_API_KEY` name it.

use anyhow::Context;
use data_encoding::HEXLOWER;
use decision::planner::Planner;
use decision::{Bench, Desk, Library, Records, Uploads};
use domain::SignedDuration;
use domain::decision::DecisionType;
use domain::ids::Region;
use domain::offering::{CapacityType, Pool};
use execution::Ports;
use execution::optimize::{Lookout, Optimizer, Settings, Sizing};
use planning::public_data::Catalogue;
use runtime::advisor::HttpAdvisor;
use runtime::deadline::Budget;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use sim::store::MemoryQueue;
use sim::world::{ClusterSpec, TypeSpec, World};
use std::sync::Arc;

/// As OPTIMIZATION_INTERVAL_MINUTES is by default.
pub(crate) const INTERVAL: SignedDuration = SignedDuration::from_mins(10);

/// Where a decision server answers, and its key.
#[derive(Clone)]
pub(crate) struct Server {
    /// `https://...`.
    pub(crate) url: String,
    /// Its key.
    pub(crate) key: SecretString,
}

/// Everything that optimises.
pub(crate) fn optimizer(ports: &Ports, table: &Arc<aws::Table>, queue: &Arc<MemoryQueue>, server: &Server) -> anyhow::Result<Optimizer> {
    Ok(Optimizer {
        ports: ports.clone(),
        optimizations: table.clone(),
        ledger: table.clone(),
        rounds: queue.clone(),
        advisor: Arc::new(HttpAdvisor::new(&server.url, &server.key, runtime::http::Limits::default(), &gate::Gate::this_machine())?),
        surveyor: Arc::new(Lookout::new(ports.clone())),
        sizing: Some(Sizing { usages: table.clone(), findings: table.clone(), rightsizing: true, oom: true }),
        settings: Settings {
            interval: INTERVAL,
            enabled: vec![DecisionType::SpotOptimize, DecisionType::BinPack, DecisionType::Rightsize],
        },
    })
}

/// Reads the market once, so that the first plan rests on it, and starts our own decision server over what was read.
pub(crate) async fn serve(market: &market::Deps, table: Arc<aws::DecisionTable>, uploads: Uploads) -> anyhow::Result<Server> {
    read(market).await;
    let clock = market.clock.clone();
    let key = SecretString::from(HEXLOWER.encode(&Sha256::digest(format!("decision {}", market.clock.now()))));
    let deps = decision::Deps {
        engine: Arc::new(Planner::default()),
        library: Arc::new(Library::new(table.clone(), clock.clone()).learning_from(table.clone(), clock.clone())),
        records: Some(Records { store: table.clone(), clock: clock.clone() }),
        bench: Some(Arc::new(Bench::new(table.clone(), clock.clone()).taking(uploads))),
        desk: Some(Desk { market: table.clone(), wishes: table.clone(), work: table, clock }),
        keys: vec![decision::Key::of(key.expose_secret())],
        limits: decision::Limits::default(),
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.context("the decision server has no port")?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, decision::router(Arc::new(deps))).await });
    Ok(Server { url, key })
}

/// One tick of the function `market`. What it cannot read is read by the next one.
pub(crate) async fn read(market: &market::Deps) {
    let budget = Budget::lasting(&*market.clock, SignedDuration::from_secs(60));
    if let Err(error) = market::handle(market, budget).await {
        tracing::warn!(%error, "The market was not read; the next tick reads it");
    }
}

/// Lets the simulated cloud sell what the public catalogue lists for a Region, at its prices: a believable market. The function
/// `market` reads it, as it reads AWS's.
pub(crate) fn stock(world: &World, spec: &ClusterSpec) {
    let (catalogue, region): (&Catalogue, &Region) = (Catalogue::embedded(), &spec.region);
    for info in catalogue.iter() {
        if let Some(advice) = catalogue.advisor(region, &info.name) {
            world.advise(&info.name, advice);
        }
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
