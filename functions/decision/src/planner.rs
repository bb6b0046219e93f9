//! The engine: the planning crate, with what is known of the market.

use crate::models::Row;
use crate::{Engine, Knowledge};
use domain::catalog::TypeInfo;
use domain::decision::{DecisionAnswer, DecisionRequest, PoolName, PredictRequest, Prediction};
use domain::ids::{Region, Zone};
use domain::market::{Advice, PricePoint, PriceSeries, Quote};
use domain::money::MicroDollars;
use domain::offering::{CapacityType, Pool};
use domain::{SignedDuration, Timestamp};
use planning::optimize::{self, Effort, Market, Offer};
use planning::predict::{Size, features, predict};
use planning::risk::{Evidence, Trouble, assess};
use planning::spot_choice::SpotPolicy;
use std::collections::BTreeSet;

/// Plans with what is known. It keeps nothing itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Planner {
    effort: Effort,
}

/// One Region as it is known.
#[derive(Clone, Copy)]
struct Sight<'a> {
    known: &'a Knowledge,
    region: &'a Region,
}

/// What a Region sells in the zones of a cluster: every type with an on-demand price.
pub fn market(request: &DecisionRequest, known: &Knowledge) -> Market {
    let now = request.constraints.now.unwrap_or(request.snapshot.taken_at);
    let sight = Sight { known, region: &request.snapshot.region };
    let zones: BTreeSet<&Zone> = request.snapshot.subnets.iter().map(|subnet| &subnet.zone).collect();
    let mut market = Market::default();
    for info in known.catalogue.iter() {
        let Some(on_demand) = known.catalogue.on_demand_quote(sight.region, &info.name) else { continue };
        market.types.insert(info.name.clone(), info.clone());
        for zone in &zones {
            let pool = |capacity| Pool { instance_type: info.name.clone(), zone: (*zone).clone(), capacity };
            let free = MicroDollars(0);
            let offer = Offer { pool: pool(CapacityType::OnDemand), quote: Some(on_demand), interruption_cost_per_hour: free, risk: None };
            market.offers.push(offer);
            market.offers.push(sight.spot(info, pool(CapacityType::Spot), on_demand, now));
        }
    }
    market
}

impl<'a> Sight<'a> {
    fn spot(self, info: &TypeInfo, pool: Pool, on_demand: Quote, now: Timestamp) -> Offer {
        let evidence = self.evidence(&pool, now);
        let hour = SignedDuration::from_hours(1);
        let one = on_demand.price_per_hour.0.saturating_mul(i64::from(SpotPolicy::default().interruption_cost_minutes)) / 60;
        // In millionths, rounded up: money stays whole.
        let reckoned = predict(&evidence, hour, now).probability;
        let chance = millionths(self.known.learnt.correct(hour, reckoned).unwrap_or(reckoned));
        let cost = one.saturating_mul(chance).saturating_add(999_999) / 1_000_000;
        Offer {
            quote: evidence.price.or_else(|| self.known.catalogue.spot_estimate(self.region, &info.name)),
            interruption_cost_per_hour: MicroDollars(cost),
            risk: Some(assess(&evidence, now).score),
            pool,
        }
    }

    /// What is known of a spot pool at a time. Nobody keeps records of troubles here: the core names pools to avoid.
    fn evidence(self, pool: &Pool, now: Timestamp) -> Evidence<'a> {
        let catalogue = &self.known.catalogue;
        Evidence {
            advice: catalogue.advisor(self.region, &pool.instance_type),
            history: self.known.series.get(pool).map(PriceSeries::points).unwrap_or_default(),
            price: self.known.spot_price(pool, now).or_else(|| catalogue.spot_estimate(self.region, &pool.instance_type)),
            on_demand: catalogue.on_demand(self.region, &pool.instance_type),
            trouble: Trouble::Unknown,
        }
    }

    /// The newest that is known of a pool: a question for chances does not say what time it is, and its answer must not depend on it.
    fn newest(self, pool: &Pool, advice: Option<Advice>) -> Timestamp {
        let point = self.known.series.get(pool).and_then(|series| series.points().last()).map(|point: &PricePoint| point.at);
        let read = self.known.spot_read_at.filter(|_| point.is_some());
        read.max(point).or_else(|| advice.map(|advice| advice.as_of)).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// What models are given of a pool: at the same time as it is reckoned for here.
    fn features(self, name: &PoolName, horizon: SignedDuration) -> Row {
        let pool = Pool { instance_type: name.instance_type.clone(), zone: name.zone.clone(), capacity: CapacityType::Spot };
        let now = self.newest(&pool, self.known.catalogue.advisor(self.region, &pool.instance_type));
        let info = self.known.catalogue.get(&pool.instance_type);
        // Exact up to 2^53 bytes.
        #[expect(clippy::cast_precision_loss, reason = "a size in GiB needs no more than 53 bits")]
        let gib = |bytes: u64| bytes as f64 / f64::from(1 << 30);
        let size = info.map(|info| Size { vcpus: f64::from(info.vcpu), memory_gib: gib(info.memory_bytes) });
        features(&self.evidence(&pool, now), size.unwrap_or_default(), horizon, now)
    }

    fn chance(self, name: &PoolName, horizon: SignedDuration) -> Prediction {
        let pool = Pool { instance_type: name.instance_type.clone(), zone: name.zone.clone(), capacity: CapacityType::Spot };
        let advice = self.known.catalogue.advisor(self.region, &pool.instance_type);
        let now = self.newest(&pool, advice);
        let evidence = self.evidence(&pool, now);
        if advice.is_none() && evidence.history.is_empty() {
            let because = vec![format!("nothing is known of {} in {}", name.instance_type, self.region)];
            return Prediction { pool: name.clone(), probability: None, uncorrected: None, risk: None, because };
        }
        let (chance, risk) = (predict(&evidence, horizon, now), assess(&evidence, now));
        let mut because: Vec<String> = advice.iter().map(band).collect();
        if !evidence.history.is_empty() {
            because.push(format!("its price moved {} times in what was read", evidence.history.len()));
        }
        because.extend(risk.gaps.iter().map(|gap| format!("not known: {}", gap.code())));
        because.push(self.known.learnt.sentence(horizon));
        because.extend(self.known.notes.iter().cloned());
        let corrected = self.known.learnt.correct(horizon, chance.probability);
        let uncorrected = corrected.map(|_| chance.probability);
        let probability = Some(corrected.unwrap_or(chance.probability));
        Prediction { pool: name.clone(), probability, uncorrected, risk: Some(risk.score), because }
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

    fn decide(&self, request: &DecisionRequest, known: &Knowledge) -> DecisionAnswer {
        let mut answer = optimize::decide(request, &market(request, known), &self.effort);
        answer.reasons.push(known.learnt.sentence(SignedDuration::from_hours(1)));
        answer.reasons.extend(known.notes.iter().cloned());
        answer
    }

    fn predict(&self, request: &PredictRequest, known: &Knowledge) -> Vec<Prediction> {
        let horizon = SignedDuration::from_mins(request.horizon_minutes.into());
        let sight = Sight { known, region: &request.region };
        request.pools.iter().map(|pool| sight.chance(pool, horizon)).collect()
    }

    fn features(&self, request: &PredictRequest, known: &Knowledge) -> Vec<Row> {
        let horizon = SignedDuration::from_mins(request.horizon_minutes.into());
        let sight = Sight { known, region: &request.region };
        request.pools.iter().map(|pool| sight.features(pool, horizon)).collect()
    }
}

#[cfg(test)]
mod tests;
