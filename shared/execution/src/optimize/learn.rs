//! How good predictions are: once an hour each spot pool of a cluster is asked about, and when the hour is over the decision server is
//! told what became of its instances. Nothing is decided with any of it.

use super::Optimizer;
use super::ask::View;
use crate::ports::{Site, Trouble};
use domain::Timestamp;
use domain::decision::{PoolName, PredictRequest, PredictionOutcome, verify};
use domain::ids::InstanceId;
use domain::offering::CapacityType;
use domain::optimization::{Forecast, Standing};
use domain::ports::{AdvisorError, Instance};
use std::collections::{BTreeMap, BTreeSet};
use tracing::{info, warn};

/// Predictions are made for an hour: long enough for some interruptions, and short enough that rounds see what became of the instances.
const HORIZON_MINUTES: u32 = 60;
/// How many instances of a pool are watched: the item that stands between rounds has 400 kB, and an id 22 bytes.
const WATCHED_MAX: usize = 100;
/// How many pools are.
const POOLS_MAX: usize = 50;
/// How many spot events of a customer are looked through: a storm over a large cluster.
const EVENTS_MAX: usize = 2_000;
/// How long an outcome waits for a server that is down, in hours.
const WAITS_H: i64 = 24;

impl Optimizer {
    /// Tells what is over, and asks anew.
    pub(super) async fn learn(&self, site: &Site, view: &mut View) -> Result<(), Trouble> {
        if !matches!(&view.snapshot, Some(Ok(_))) {
            return Ok(());
        }
        let now = self.ports.clock.now();
        let [before, mut standing] = self.standing(site, &view.standing).await?;
        self.tell_what_became(site, view, &mut standing, now).await?;
        if standing.forecasts.iter().all(|forecast| forecast.over_at() <= now) {
            let fresh = self.forecasts(site, view, now).await;
            standing.forecasts.extend(fresh);
        }
        view.standing = Some([before, standing]);
        Ok(())
    }

    async fn tell_what_became(&self, site: &Site, view: &View, standing: &mut Standing, now: Timestamp) -> Result<(), Trouble> {
        let (over, open): (Vec<Forecast>, Vec<Forecast>) =
            std::mem::take(&mut standing.forecasts).into_iter().partition(|forecast| forecast.over_at() <= now);
        standing.forecasts = open;
        if over.is_empty() {
            return Ok(());
        }
        let (customer, cluster) = (&site.cluster.customer, &site.cluster.id);
        let events = self.ports.journal.spot_events(customer, None, EVENTS_MAX).await?;
        let live: BTreeSet<&InstanceId> = view.instances.iter().filter(|i| i.state.live()).map(|instance| &instance.id).collect();
        let whose = (customer, cluster, &site.cluster.region);
        let outcomes: Vec<PredictionOutcome> = over.iter().filter_map(|forecast| forecast.outcome(whose, &live, &events)).collect();
        if outcomes.is_empty() {
            return Ok(());
        }
        match self.advisor.learn(&outcomes).await {
            Ok(()) => info!(cluster.id = %cluster, outcomes = outcomes.len(), "Told what became of predictions"),
            // It may be up again in an hour. What is older than a day is given up.
            Err(error @ (AdvisorError::Down(_) | AdvisorError::Slow(_) | AdvisorError::Unauthorized)) => {
                warn!(cluster.id = %cluster, %error, "What became of predictions could not be told");
                let young = |forecast: &Forecast| now.duration_since(forecast.over_at()).as_hours() < WAITS_H;
                standing.forecasts.extend(over.into_iter().filter(young));
            }
            Err(error) => info!(cluster.id = %cluster, %error, "The decision server does not learn"),
        }
        Ok(())
    }

    /// What the decision server says of the pools that the cluster uses. A server that predicts nothing is none that is judged.
    async fn forecasts(&self, site: &Site, view: &View, now: Timestamp) -> Vec<Forecast> {
        let mut pools: BTreeMap<PoolName, Vec<InstanceId>> = BTreeMap::new();
        let spot = |i: &&Instance| i.state.live() && i.pool.capacity == CapacityType::Spot && !i.marked_for_interruption;
        for instance in view.instances.iter().filter(spot) {
            let name = PoolName { instance_type: instance.pool.instance_type.clone(), zone: instance.pool.zone.clone() };
            let watched = pools.entry(name).or_default();
            if watched.len() < WATCHED_MAX {
                watched.push(instance.id.clone());
            }
        }
        let names: Vec<PoolName> = pools.keys().take(POOLS_MAX).cloned().collect();
        if names.is_empty() {
            return Vec::new();
        }
        let question = PredictRequest { region: site.cluster.region.clone(), pools: names, horizon_minutes: HORIZON_MINUTES };
        let answered = match self.advisor.predict(&question).await {
            Ok(answered) => answered,
            Err(error) => {
                info!(cluster.id = %site.cluster.id, %error, "Chances of interruption were not told");
                return Vec::new();
            }
        };
        let Ok(predictions) = verify::predictions(&question, answered) else {
            self.ports.meter.count("predictions_refused", "not_ours");
            return Vec::new();
        };
        let forecast = |prediction: domain::decision::Prediction| {
            let instances = pools.remove(&prediction.pool)?;
            let probability_ppm = ppm(prediction.probability?);
            let uncorrected_ppm = prediction.uncorrected.map(ppm);
            Some(Forecast { pool: prediction.pool, at: now, horizon_minutes: HORIZON_MINUTES, probability_ppm, uncorrected_ppm, instances })
        };
        predictions.into_iter().filter_map(forecast).collect()
    }
}

/// A probability in millionths.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a probability was checked to be in 0 to 1")]
fn ppm(probability: f64) -> u32 {
    (probability.clamp(0.0, 1.0) * 1e6).round() as u32
}
