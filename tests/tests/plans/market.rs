//! What the simulated cloud sells to random clusters, and the planner that knows it.

use async_trait::async_trait;
use domain::catalog::TypeInfo;
use domain::decision::{DecisionAnswer, DecisionRequest, PredictRequest, Prediction, PredictionOutcome};
use domain::ids::{InstanceType, Region, Zone};
use domain::market::{PriceSource, Quote};
use domain::money::MicroDollars;
use domain::offering::{CapacityType, Pool};
use domain::ports::{Advisor, AdvisorError};
use domain::snapshot::Snapshot;
use planning::optimize::{Effort, Market, Offer, decide};
use planning::public_data::Catalogue;
use sim::clock::EPOCH;
use sim::world::{TypeSpec, World};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};

/// Where everything happens.
pub(crate) const REGION: &str = "us-east-1";
/// What is sold: the types that random clusters have, and more of their kind.
pub(crate) const FAMILIES: [&str; 6] = ["m5", "m6i", "c6i", "r6i", "m7g", "c7g"];
const SIZES: [&str; 4] = ["large", "xlarge", "2xlarge", "4xlarge"];
const ZONES: [&str; 3] = ["us-east-1a", "us-east-1b", "us-east-1c"];

/// The types with their prices on demand, out of the public data.
static TYPES: LazyLock<Vec<(TypeInfo, MicroDollars)>> = LazyLock::new(|| {
    let (catalogue, region) = (Catalogue::embedded(), Region::parse(REGION).unwrap());
    let names = FAMILIES.iter().flat_map(|family| SIZES.iter().map(move |size| InstanceType::parse(format!("{family}.{size}")).unwrap()));
    names.map(|name| (catalogue.get(&name).unwrap().clone(), catalogue.on_demand(&region, &name).unwrap())).collect()
});

/// Every spot pool that is sold.
pub(crate) fn spot_pools() -> impl Iterator<Item = Pool> {
    let pool = |info: &TypeInfo, zone: &str| Pool {
        instance_type: info.name.clone(),
        zone: Zone::parse(zone).unwrap(),
        capacity: CapacityType::Spot,
    };
    TYPES.iter().flat_map(move |(info, _)| ZONES.iter().map(move |zone| pool(info, zone)))
}

/// Tells a world of the types.
pub(crate) fn sell(world: &World) {
    world.add_types(TYPES.iter().map(|(info, price)| TypeSpec::from_info(info, *price)));
}

/// Lets a world sell every pool at a price by the dice; some have few instances left, or none. Gives what a planner may know of it.
pub(crate) fn stock(world: &World, rng: &mut fastrand::Rng) -> Market {
    sell(world);
    let mut market = Market::default();
    let scarce = rng.choice([0, 0, 10, 40]).unwrap_or(0);
    let quote = |price_per_hour| Some(Quote { price_per_hour, source: PriceSource::Observed { at: EPOCH } });
    for (info, on_demand) in TYPES.iter() {
        market.types.insert(info.name.clone(), info.clone());
        for zone in ZONES {
            let pool = |capacity| Pool { instance_type: info.name.clone(), zone: Zone::parse(zone).unwrap(), capacity };
            let spot = MicroDollars(on_demand.0 * rng.i64(20..=75) / 100);
            world.set_spot_price(&pool(CapacityType::Spot), spot);
            let risk = MicroDollars(rng.i64(0..=3_000));
            for (capacity, price, cost) in [(CapacityType::OnDemand, *on_demand, MicroDollars(0)), (CapacityType::Spot, spot, risk)] {
                let pool = pool(capacity);
                if rng.u32(..100) < scarce {
                    world.set_capacity(&pool, rng.u32(0..2));
                }
                market.offers.push(Offer { pool, quote: quote(price), interruption_cost_per_hour: cost, risk: None });
            }
        }
    }
    market
}

/// What is done to a request before the planner sees it: nothing, or a mutant's blindness.
pub(crate) type Eyes = fn(&mut DecisionRequest);

/// The planner behind its port. Remembers what it was shown where it proposed something.
pub(crate) struct Real {
    market: Market,
    eyes: Option<Eyes>,
    accounts: bool,
    shown: Mutex<BTreeMap<String, Arc<Snapshot>>>,
}

impl Real {
    /// The planner in this market; whether it accounts for what it leaves where it is asked to.
    pub(crate) fn new(market: Market, eyes: Option<Eyes>, accounts: bool) -> Arc<Real> {
        Arc::new(Real { market, eyes, accounts, shown: Mutex::default() })
    }

    /// The cluster as it was when this request was answered with moves.
    pub(crate) fn shown(&self, request: &str) -> Option<Arc<Snapshot>> {
        self.shown.lock().unwrap().get(request).cloned()
    }
}

#[async_trait]
impl Advisor for Real {
    async fn decide(&self, request: &DecisionRequest) -> Result<DecisionAnswer, AdvisorError> {
        let mut seen = request.clone();
        // Nobody reads ten thousand accounts, and each costs as much as its decision.
        seen.constraints.account &= self.accounts;
        if let Some(eyes) = self.eyes {
            eyes(&mut seen);
        }
        let answer = decide(&seen, &self.market, &Effort::default());
        if !answer.execution_plan.is_empty() {
            self.shown.lock().unwrap().insert(request.request_id.clone(), Arc::new(request.snapshot.clone()));
        }
        Ok(answer)
    }

    async fn predict(&self, _request: &PredictRequest) -> Result<Vec<Prediction>, AdvisorError> {
        Ok(Vec::new())
    }

    /// It has promised nothing.
    async fn learn(&self, _outcomes: &[PredictionOutcome]) -> Result<(), AdvisorError> {
        Ok(())
    }
}
