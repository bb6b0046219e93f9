//! Connections of one cluster that leave their zone: found, priced where their bytes are known, and told.

use super::network::said;
use super::volumes::unseen;
use super::{Harvest, Scanner};
use crate::ports::Site;
use domain::finding::{Finding, FindingKind};
use domain::ports::Cluster;
use domain::ports::inventory::Flow;
use planning::zones::{Crossing, Look, Traffic, crossings};

impl Scanner {
    /// Looks at Services, their endpoints and who may call them.
    ///
    /// # Errors
    /// Why they could not be looked at: nothing that stood is called over, and they are looked at the next time.
    pub(super) async fn zones(&self, site: &Site, before: &[Finding], harvest: &mut Harvest) -> Result<(), String> {
        let (cluster, now) = (&site.cluster, self.ports.clock.now());
        let kubernetes = site.kubernetes.as_deref().map_err(unseen)?;
        let services = kubernetes.services().await.map_err(unseen)?;
        let endpoints = kubernetes.endpoints().await.map_err(unseen)?;
        let nodes = match harvest.nodes.take() {
            Some(nodes) => nodes,
            None => kubernetes.nodes().await.map_err(unseen)?,
        };
        let pods = kubernetes.pods(None).await.map_err(unseen)?;
        let flows = self.flows(site, kubernetes).await;
        let traffic = match &flows {
            Ok(flows) => Traffic::Told(flows),
            Err(why) => Traffic::Unknown(why),
        };
        let found = crossings(&Look { services: &services, endpoints: &endpoints, pods: &pods, nodes: &nodes, traffic });
        let finding =
            |it: &Crossing| said(cluster, (FindingKind::CrossZone, &it.subject), (&it.evidence, &it.remedy), it.cost_per_month, now);
        harvest.found(cluster, FindingKind::CrossZone, found.iter().map(finding).collect(), before, now);
        harvest.nodes = Some(nodes);
        Ok(())
    }

    /// What the source of traffic tells, or why it tells nothing, as the end of a sentence.
    async fn flows(&self, site: &Site, kubernetes: &dyn Cluster) -> Result<Vec<Flow>, String> {
        let Some(source) = &site.cluster.policy.waste.traffic else {
            return Err("no source of traffic is set for this cluster (policy.waste.traffic)".to_owned());
        };
        let told = kubernetes.traffic(source).await;
        told.map_err(|error| format!("the source of traffic {}/{}:{} did not tell: {error}", source.namespace, source.service, source.port))
    }
}
