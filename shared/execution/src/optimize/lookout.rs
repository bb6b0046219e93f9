//! The surveyor of registered clusters: what runs, from the cluster's own API; what was bought, from EC2; what it costs, from the spot
//! price history of the customer's account and the public on-demand list.

use crate::optimize::{Surveyed, Surveyor, Unseen};
use crate::ports::{Ports, Site};
use crate::survey::{Containers, Looked, Machines, Sources, look};
use async_trait::async_trait;
use domain::SignedDuration;
use domain::decision::{Commitment, PoolPrice};
use domain::ids::{InstanceType, Zone};
use domain::market::{PriceSource, Quote};
use domain::offering::{CapacityType, Pool};
use domain::ports::{Instance, InstanceFilter};
use domain::snapshot::Part;
use planning::public_data::Catalogue;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;
use tracing::info;

/// How far back prices are asked for. EC2 answers with the price that held at the beginning, too, so that a price which never moved is
/// among them.
const LOOK_BACK: SignedDuration = SignedDuration::from_hours(3);

/// Looks at clusters over the ports.
pub struct Lookout {
    ports: Ports,
    catalogue: Catalogue,
}

/// What EC2 says.
struct Bought {
    instances: Vec<Instance>,
    spot: BTreeMap<Pool, Quote>,
}

impl Lookout {
    /// With the public data of day zero for what AWS is not asked.
    pub fn new(ports: Ports) -> Lookout {
        Lookout { ports, catalogue: Catalogue::embedded().clone() }
    }

    /// The instances of the cluster, and then what those cost.
    async fn bought(&self, site: &Site) -> Result<Bought, Unseen> {
        let filter = InstanceFilter::Cluster(site.cluster.name.clone());
        let instances = self.ports.cloud.instances(&site.scope, &filter).await;
        let instances = instances.map_err(|error| Unseen(format!("its instances cannot be listed: {error}")))?;
        let spot = self.spot(site, &instances).await?;
        Ok(Bought { instances, spot })
    }

    /// The spot prices of now in the zones of the cluster, of the types that it runs: whatever they are bought as, they are the
    /// likeliest to be launched next.
    async fn spot(&self, site: &Site, instances: &[Instance]) -> Result<BTreeMap<Pool, Quote>, Unseen> {
        let live = || instances.iter().filter(|instance| instance.state.live()).map(|instance| &instance.pool);
        let types: BTreeSet<InstanceType> = live().map(|pool| pool.instance_type.clone()).collect();
        let zones: BTreeSet<Zone> = live().map(|pool| pool.zone.clone()).collect();
        if types.is_empty() {
            return Ok(BTreeMap::new());
        }
        let (types, zones): (Vec<_>, Vec<_>) = (types.into_iter().collect(), zones.into_iter().collect());
        let at = self.ports.clock.now();
        let history = self.ports.cloud.spot_prices(&site.scope, &types, &zones, at - LOOK_BACK).await;
        let history = history.map_err(|error| Unseen(format!("the spot prices of its nodes cannot be read: {error}")))?;
        // Oldest first: the last one stays, and holds now.
        let quote = |price: domain::ports::cloud::SpotPrice| {
            (price.pool, Quote { price_per_hour: price.price_per_hour, source: PriceSource::Observed { at } })
        };
        Ok(history.into_iter().map(quote).collect())
    }

    /// What the account has reserved. Where that cannot be read, the customer's word is all there is, and the snapshot says so.
    async fn reserved(&self, site: &Site) -> (Vec<Commitment>, Part) {
        let taken_at = self.ports.clock.now();
        let (found, gap) = match self.ports.cloud.reserved(&site.scope).await {
            Ok(found) => (found, None),
            Err(error) => {
                info!(cluster.id = %site.cluster.id, %error, "Reserved instances cannot be read");
                (Vec::new(), Some(format!("reserved instances could not be read, so that only those of the policy are known: {error}")))
            }
        };
        (found, Part { name: "commitments".to_owned(), taken_at, gap })
    }
}

#[async_trait]
impl Surveyor for Lookout {
    async fn survey(&self, site: &Site) -> Result<Surveyed, Unseen> {
        let cluster = site.kubernetes.as_ref().map_err(|error| Unseen(error.to_string()))?;
        // Asked for while the cluster is; prices are looked up when both have answered.
        let bought: OnceLock<Result<Bought, Unseen>> = OnceLock::new();
        let machines = async {
            let found = self.bought(site).await;
            match bought.get_or_init(|| found) {
                Ok(found) => Machines::Seen(found.instances.clone()),
                Err(unseen) => Machines::Unseen(unseen.0.clone()),
            }
        };
        let region = &site.cluster.region;
        let price = |pool: &Pool| match pool.capacity {
            CapacityType::OnDemand => self.catalogue.on_demand_quote(region, &pool.instance_type),
            CapacityType::Spot => {
                let seen = bought.get().and_then(|bought| bought.as_ref().ok()?.spot.get(pool).copied());
                seen.or_else(|| self.catalogue.spot_estimate(region, &pool.instance_type))
            }
        };
        let sources = Sources { prices: &price, progress: &|_, _| () };
        let whose = (&site.cluster.id, region);
        let looked = look(cluster.as_ref(), whose, machines, self.ports.clock.as_ref(), &sources, Containers::Kept);
        let (seen, reserved) = futures::join!(looked, self.reserved(site));
        let Looked { mut snapshot, containers } = seen.map_err(|error| Unseen(error.to_string()))?;
        let unasked = || Err(Unseen("its instances were not listed".to_owned()));
        let Bought { instances, spot } = bought.into_inner().unwrap_or_else(unasked)?;
        let (commitments, part) = reserved;
        snapshot.parts.push(part);
        let prices = spot.into_iter().filter_map(|(pool, quote)| live(pool, quote)).collect();
        Ok(Surveyed { snapshot, prices, commitments, instances, containers: Some(containers) })
    }
}

/// A price that AWS has just answered.
fn live(pool: Pool, quote: Quote) -> Option<PoolPrice> {
    match quote.source {
        PriceSource::Observed { at } => Some(PoolPrice { pool, per_hour: quote.price_per_hour, as_of: at }),
        PriceSource::PublicEstimate { .. } => None,
    }
}
