//! Whose is an instance that the index does not know? Asked of EC2 and the cluster, once.

use crate::ports::{Ports, Site, Trouble};
use crate::refresh;
use domain::ids::{InstanceId, InstanceKey};
use domain::interruption::Notice;
use domain::node::NodeRecord;
use domain::plan::precondition::CLUSTER_TAG;
use domain::ports::{Instance, InstanceFilter};
use domain::tenant::Cluster;

/// Looks an unknown instance up. `None`: the account is not registered, or the instance belongs to no cluster of ours.
pub(super) async fn of_unknown(ports: &Ports, key: &InstanceKey) -> Result<Option<NodeRecord>, Trouble> {
    let clusters = ports.routes.clusters_of(&key.account).await?;
    let clusters: Vec<Cluster> = clusters.into_iter().filter(|c| c.region == key.region).collect();
    if clusters.is_empty() {
        ports.meter.count("unknown_account", "not_registered");
        return Ok(None);
    }
    for cluster in clusters {
        let Some(site) = Site::open(ports, &cluster.customer, &cluster.id).await? else {
            continue;
        };
        let found = ports.cloud.instances(&site.scope, &InstanceFilter::Ids(vec![key.instance.clone()])).await?;
        if let Some(instance) = found.first().filter(|i| belongs(i, &cluster)) {
            return Ok(refresh::record_of(ports, &site, instance).await);
        }
    }
    ports.meter.count("unknown_account", "no_cluster_tag");
    Ok(None)
}

/// Whether its tags say that the instance is a node of the cluster.
fn belongs(instance: &Instance, cluster: &Cluster) -> bool {
    instance.tags.get(CLUSTER_TAG).map(String::as_str) == Some(cluster.id.as_str())
        || instance.tags.contains_key(&format!("kubernetes.io/cluster/{}", cluster.name))
}

/// The instances of a capacity reservation that ends.
pub(super) async fn of_reservation(ports: &Ports, notice: &Notice, reservation: &str) -> Result<Vec<InstanceId>, Trouble> {
    let clusters = ports.routes.clusters_of(&notice.account).await?;
    let Some(cluster) = clusters.into_iter().find(|c| c.region == notice.region) else {
        ports.meter.count("unknown_account", "not_registered");
        return Ok(Vec::new());
    };
    let Some(site) = Site::open(ports, &cluster.customer, &cluster.id).await? else {
        return Ok(Vec::new());
    };
    let found = ports.cloud.instances(&site.scope, &InstanceFilter::CapacityReservation(reservation.to_owned())).await?;
    Ok(found.into_iter().filter(|i| i.state.live()).map(|i| i.id).collect())
}
