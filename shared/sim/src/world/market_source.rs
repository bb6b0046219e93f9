//! The market of a world as the three places where a market is read: spot prices, the Spot Advisor's file, the Price List.

use super::World;
use super::state::State;
use async_trait::async_trait;
use domain::ids::{InstanceType, Region, Zone};
use domain::market::Advice;
use domain::offering::{CapacityType, Pool};
use domain::ports::cloud::SpotPrice;
use domain::ports::{AdvisorFile, MarketSource, SourceError};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Where each band ends in the file, in percent.
const BAND_ENDS: [u64; 5] = [5, 11, 16, 22, 100];

impl World {
    /// What the Spot Advisor says of a type, in every Region of this world.
    pub fn advise(&self, instance_type: &InstanceType, advice: Advice) {
        self.with(|state| state.advice.insert(instance_type.clone(), advice));
    }
}

impl State {
    /// The zones of a Region that have a subnet of some cluster.
    fn zones(&self, region: &Region) -> BTreeSet<Zone> {
        let here = self.clusters.iter().filter(|kube| kube.spec.region == *region);
        here.flat_map(|kube| kube.subnets.keys().cloned()).collect()
    }

    fn region_prices(&mut self, region: &Region, types: &[InstanceType], since: Timestamp) -> Vec<SpotPrice> {
        let asked: Vec<InstanceType> = if types.is_empty() { self.types.keys().cloned().collect() } else { types.to_vec() };
        let zones = self.zones(region);
        let mut prices = Vec::new();
        for (instance_type, zone) in asked.iter().flat_map(|name| zones.iter().map(move |zone| (name, zone))) {
            prices.extend(
                self.prices_of(&Pool { instance_type: instance_type.clone(), zone: zone.clone(), capacity: CapacityType::Spot }, since),
            );
        }
        prices
    }

    fn advisor_file(&self) -> Vec<u8> {
        let cell = |advice: &Advice| json!({ "s": advice.savings_percent, "r": advice.band.index() });
        let linux: Map<String, Value> = self.advice.iter().map(|(name, advice)| (name.to_string(), cell(advice))).collect();
        let regions: BTreeSet<&Region> = self.clusters.iter().map(|kube| &kube.spec.region).collect();
        let all: Map<String, Value> = regions.into_iter().map(|region| (region.to_string(), json!({ "Linux": linux }))).collect();
        let ranges: Vec<Value> = BAND_ENDS.iter().enumerate().map(|(index, max)| json!({ "index": index, "max": max })).collect();
        json!({ "ranges": ranges, "spot_advisor": all }).to_string().into_bytes()
    }
}

/// A product as the Price List tells it.
fn product(region: &Region, name: &InstanceType, micros: i64) -> String {
    let usd = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    json!({
        "product": { "attributes": {
            "instanceType": name.as_str(), "regionCode": region.as_str(), "tenancy": "Shared", "operatingSystem": "Linux",
            "preInstalledSw": "NA", "capacitystatus": "Used",
        } },
        "terms": { "OnDemand": { "T": { "priceDimensions": { "D": { "unit": "Hrs", "pricePerUnit": { "USD": usd } } } } } },
    })
    .to_string()
}

#[async_trait]
impl MarketSource for World {
    async fn spot_prices(&self, region: &Region, types: &[InstanceType], since: Timestamp) -> Result<Vec<SpotPrice>, SourceError> {
        Ok(self.with(|state| state.region_prices(region, types, since)))
    }

    /// Its version is a checksum.
    async fn advisor(&self, known: Option<&str>, bytes_max: usize) -> Result<Option<AdvisorFile>, SourceError> {
        let (bytes, as_of) = self.with(|state| (state.advisor_file(), state.now));
        let version = format!("{:016x}", bytes.iter().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte))));
        if known == Some(version.as_str()) {
            return Ok(None);
        }
        if bytes.len() > bytes_max {
            return Err(SourceError::TooLong(bytes_max));
        }
        Ok(Some(AdvisorFile { bytes, version, as_of }))
    }

    async fn on_demand(&self, region: &Region) -> Result<Vec<String>, SourceError> {
        Ok(self.with(|state| state.types.values().map(|spec| product(region, &spec.name, spec.on_demand.0)).collect()))
    }
}
