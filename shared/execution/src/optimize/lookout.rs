//! The surveyor of registered clusters: what runs, from the cluster's own API; what was bought, from EC2; what it costs, from the spot
//! price history of the customer's account and the public on-demand list.

use crate::optimize::{Surveyor, Unseen};
use crate::ports::{Ports, Site};
use crate::survey::{Machines, Sources, look};
use async_trait::async_trait;
use domain::SignedDuration;
use domain::ids::{InstanceType, Zone};
use domain::market::{PriceSource, Quote};
use domain::offering::{CapacityType, Pool};
use domain::ports::{Instance, InstanceFilter};
use domain::snapshot::Snapshot;
use planning::public_data::Catalogue;
use std::collections::{BTreeMap, BTreeSet};

/// How far back prices are asked for. EC2 answers with the price that held at the beginning, too, so that a price which never moved is
/// among them.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(3);

/// Looks at clusters over the ports.
pub struct Lookout {
    ports: Ports,
    catalogue: Catalogue,
}

impl Lookout {
    /// With the public data of day zero for what AWS is not asked.
    pub fn new(ports: Ports) -> Lookout {
        Lookout { ports, catalogue: Catalogue::embedded().clone() }
    }

    /// The last spot price of each pool that the cluster has an instance of.
    async fn spot(&self, site: &Site, instances: &[Instance]) -> Result<BTreeMap<Pool, Quote>, Unseen> {
        let spot: Vec<&Pool> = instances.iter().map(|i| &i.pool).filter(|pool| pool.capacity == CapacityType::Spot).collect();
        let types: BTreeSet<InstanceType> = spot.iter().map(|pool| pool.instance_type.clone()).collect();
        let zones: BTreeSet<Zone> = spot.iter().map(|pool| pool.zone.clone()).collect();
        if types.is_empty() {
            return Ok(BTreeMap::new());
        }
        let (types, zones): (Vec<_>, Vec<_>) = (types.into_iter().collect(), zones.into_iter().collect());
        let since = self.ports.clock.now() - LOOK_BACK;
        let history = self.ports.cloud.spot_prices(&site.scope, &types, &zones, since).await;
        let history = history.map_err(|error| Unseen(format!("the spot prices of its nodes cannot be read: {error}")))?;
        // Oldest first: the last one stays.
        let quote = |price: domain::ports::cloud::SpotPrice| {
            let quote = Quote { price_per_hour: price.price_per_hour, source: PriceSource::Observed { at: price.since } };
            (price.pool, quote)
        };
        Ok(history.into_iter().map(quote).collect())
    }
}

#[async_trait]
impl Surveyor for Lookout {
    async fn survey(&self, site: &Site) -> Result<Snapshot, Unseen> {
        let cluster = site.kubernetes.as_ref().map_err(|error| Unseen(error.to_string()))?;
        let filter = InstanceFilter::Cluster(site.cluster.name.clone());
        let instances = self.ports.cloud.instances(&site.scope, &filter).await;
        let instances = instances.map_err(|error| Unseen(format!("its instances cannot be listed: {error}")))?;
        let spot = self.spot(site, &instances).await?;
        let region = &site.cluster.region;
        let price = |pool: &Pool| match pool.capacity {
            CapacityType::OnDemand => self.catalogue.on_demand_quote(region, &pool.instance_type),
            CapacityType::Spot => spot.get(pool).copied().or_else(|| self.catalogue.spot_estimate(region, &pool.instance_type)),
        };
        let sources = Sources { prices: &price, progress: &|_, _| () };
        let whose = (&site.cluster.id, region);
        let machines = std::future::ready(Machines::Seen(instances));
        look(cluster.as_ref(), whose, machines, self.ports.clock.as_ref(), &sources).await.map_err(|error| Unseen(error.to_string()))
    }
}
