//! The engine: the planning crate, with what is known of the market. Without anything read from AWS it works on public data.

use crate::Engine;
use domain::catalog::TypeInfo;
use domain::decision::{DecisionAnswer, DecisionRequest, PoolName, PredictRequest, Prediction};
use domain::ids::{Region, Zone};
use domain::market::{Advice, PricePoint, PriceSeries, PriceSource, Quote};
use domain::money::MicroDollars;
use domain::offering::{CapacityType, Pool};
use domain::{SignedDuration, Timestamp};
use planning::optimize::{self, Effort, Market, Offer};
use planning::predict::predict;
use planning::public_data::Catalogue;
use planning::risk::{Evidence, Trouble, assess};
use planning::spot_choice::SpotPolicy;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of the market.
#[derive(Debug, Clone)]
pub struct Knowledge {
    /// Types, on-demand prices, and how often spot is taken back.
    pub catalogue: Catalogue,
    /// Spot prices as they were read, by pool. A pool that is not here has an estimated price.
    pub series: BTreeMap<Pool, PriceSeries>,
}

/// Plans with what is known.
pub struct Planner {
    knowledge: Knowledge,
    effort: Effort,
}

impl Planner {
    /// Plans with this knowledge.
    pub fn new(knowledge: Knowledge) -> Planner {
        Planner { knowledge, effort: Effort::default() }
    }

    /// Plans with the embedded public data alone: day zero.
    pub fn day_zero() -> Planner {
        Planner::new(Knowledge { catalogue: Catalogue::embedded().clone(), series: BTreeMap::new() })
    }

    /// What a Region sells in the zones of a cluster: every type with an on-demand price.
    pub fn market(&self, request: &DecisionRequest) -> Market {
        let now = request.constraints.now.unwrap_or(request.snapshot.taken_at);
        let region = &request.snapshot.region;
        let zones: BTreeSet<&Zone> = request.snapshot.subnets.iter().map(|subnet| &subnet.zone).collect();
        let mut market = Market::default();
        for info in self.knowledge.catalogue.iter() {
            let Some(on_demand) = self.knowledge.catalogue.on_demand_quote(region, &info.name) else { continue };
            market.types.insert(info.name.clone(), info.clone());
            for zone in &zones {
                let pool = |capacity| Pool { instance_type: info.name.clone(), zone: (*zone).clone(), capacity };
                let free = MicroDollars(0);
                let offer =
                    Offer { pool: pool(CapacityType::OnDemand), quote: Some(on_demand), interruption_cost_per_hour: free, risk: None };
                market.offers.push(offer);
                market.offers.push(self.spot(region, info, pool(CapacityType::Spot), on_demand, now));
            }
        }
        market
    }

    fn spot(&self, region: &Region, info: &TypeInfo, pool: Pool, on_demand: Quote, now: Timestamp) -> Offer {
        let evidence = self.evidence(region, &pool, now);
        let hour = SignedDuration::from_hours(1);
        let one = on_demand.price_per_hour.0.saturating_mul(i64::from(SpotPolicy::default().interruption_cost_minutes)) / 60;
        // In millionths, rounded up: money stays whole.
        let chance = millionths(predict(&evidence, hour, now).probability);
        let cost = one.saturating_mul(chance).saturating_add(999_999) / 1_000_000;
        Offer {
            quote: evidence.price.or_else(|| self.knowledge.catalogue.spot_estimate(region, &info.name)),
            interruption_cost_per_hour: MicroDollars(cost),
            risk: Some(assess(&evidence, now).score),
            pool,
        }
    }

    /// What is known of a spot pool at a time. Nobody keeps records of troubles here: the core names pools to avoid.
    fn evidence(&self, region: &Region, pool: &Pool, now: Timestamp) -> Evidence<'_> {
        let catalogue = &self.knowledge.catalogue;
        let series = self.knowledge.series.get(pool);
        let observed = series.and_then(|series| series.price_at(now));
        let price = observed.map(|price_per_hour| Quote { price_per_hour, source: PriceSource::Observed { at: now } });
        Evidence {
            advice: catalogue.advisor(region, &pool.instance_type),
            history: series.map(PriceSeries::points).unwrap_or_default(),
            price: price.or_else(|| catalogue.spot_estimate(region, &pool.instance_type)),
            on_demand: catalogue.on_demand(region, &pool.instance_type),
            trouble: Trouble::Unknown,
        }
    }

    /// The newest that is known of a pool: a question for chances does not say what time it is, and its answer must not depend on it.
    fn newest(&self, pool: &Pool, advice: Option<Advice>) -> Timestamp {
        let point = self.knowledge.series.get(pool).and_then(|series| series.points().last()).map(|point: &PricePoint| point.at);
        point.or(advice.map(|advice| advice.as_of)).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn chance(&self, region: &Region, name: &PoolName, horizon: SignedDuration) -> Prediction {
        let pool = Pool { instance_type: name.instance_type.clone(), zone: name.zone.clone(), capacity: CapacityType::Spot };
        let advice = self.knowledge.catalogue.advisor(region, &pool.instance_type);
        let now = self.newest(&pool, advice);
        let evidence = self.evidence(region, &pool, now);
        if advice.is_none() && evidence.history.is_empty() {
            let because = vec![format!("nothing is known of {} in {region}", name.instance_type)];
            return Prediction { pool: name.clone(), probability: None, risk: None, because };
        }
        let (chance, risk) = (predict(&evidence, horizon, now), assess(&evidence, now));
        let mut because: Vec<String> = advice.iter().map(band).collect();
        if !evidence.history.is_empty() {
            because.push(format!("its price moved {} times in what was read", evidence.history.len()));
        }
        because.extend(risk.gaps.iter().map(|gap| format!("not known: {}", gap.code())));
        Prediction { pool: name.clone(), probability: Some(chance.probability), risk: Some(risk.score), because }
    }
}

fn band(advice: &Advice) -> String {
    let low = advice.band.index() * 5;
    let range = if advice.band.index() == 4 { "more than 20 %".to_owned() } else { format!("{low} to {} %", low + 5) };
    format!("in the month before {} AWS took back {range} of such instances", advice.as_of.strftime("%Y-%m-%d"))
}

/// A probability in whole millionths.
#[expect(clippy::cast_possible_truncation, reason = "a probability times a million is at most a million")]
fn millionths(probability: f64) -> i64 {
    (probability.clamp(0.0, 1.0) * 1_000_000.0).ceil() as i64
}

impl Engine for Planner {
    fn name(&self) -> String {
        concat!("cloudoptim-planning/", env!("CARGO_PKG_VERSION")).to_owned()
    }

    fn decide(&self, request: &DecisionRequest) -> DecisionAnswer {
        optimize::decide(request, &self.market(request), &self.effort)
    }

    fn predict(&self, request: &PredictRequest) -> Vec<Prediction> {
        let horizon = SignedDuration::from_mins(request.horizon_minutes.into());
        request.pools.iter().map(|pool| self.chance(&request.region, pool, horizon)).collect()
    }
}

#[cfg(test)]
mod tests;
