//! What lies idle in the network of one cluster: found and told, never touched.

use super::volumes::unseen;
use super::{Harvest, Scanner};
use crate::ports::Site;
use domain::Timestamp;
use domain::finding::{Finding, FindingKind, FindingState};
use domain::money::MicroDollars;
use domain::policy::Mode;
use domain::ports::{Moment, Notice};
use domain::tenant::Cluster;
use domain::watch::Part;
use planning::network::{Idle, idle_addresses, idle_balancers, idle_gateways, ours};

impl Scanner {
    /// Looks for addresses, gateways or load balancers.
    ///
    /// # Errors
    /// Why they could not be looked at: nothing that stood is called over, and they are looked at the next time.
    pub(super) async fn idle(&self, part: Part, site: &Site, before: &[Finding], harvest: &mut Harvest) -> Result<(), String> {
        let (cluster, now) = (&site.cluster, self.ports.clock.now());
        let (kind, found) = match part {
            Part::Addresses => {
                let addresses = self.ports.cloud.addresses(&site.scope).await.map_err(unseen)?;
                (FindingKind::IdleAddress, idle_addresses(&cluster.name, &addresses, now).map_err(unseen)?)
            }
            Part::Gateways => {
                let gateways = self.ports.cloud.nat_gateways(&site.scope).await.map_err(unseen)?;
                (FindingKind::IdleNatGateway, idle_gateways(&cluster.name, &gateways, now).map_err(unseen)?)
            }
            Part::Balancers => (FindingKind::IdleLoadBalancer, self.balancers(site, now).await?),
            // These are looked at elsewhere.
            Part::Volumes | Part::Zones => return Ok(()),
        };
        let standing = found.iter().map(|idle| finding(cluster, idle, now)).collect();
        harvest.found(cluster, kind, standing, before, now);
        Ok(())
    }

    async fn balancers(&self, site: &Site, now: Timestamp) -> Result<Vec<Idle>, String> {
        let cloud = &self.ports.cloud;
        let ours = ours(&site.cluster.name, cloud.load_balancers(&site.scope).await.map_err(unseen)?, now).map_err(unseen)?;
        if ours.is_empty() {
            return Ok(Vec::new());
        }
        let behind = cloud.behind(&site.scope, &ours).await.map_err(unseen)?;
        // A cluster that does not answer says nothing of its Services; what is without targets is idle all the same.
        let services = match &site.kubernetes {
            Ok(kubernetes) => kubernetes.services().await.ok(),
            Err(_) => None,
        };
        Ok(idle_balancers(&ours, &behind, services.as_deref(), now))
    }
}

impl Harvest {
    /// What of a kind stands, and what people are told of it: only what is new.
    pub(super) fn found(&mut self, cluster: &Cluster, kind: FindingKind, standing: Vec<Finding>, before: &[Finding], now: Timestamp) {
        if cluster.policy.waste.network >= Mode::Recommend {
            self.notices.extend(standing.iter().filter(|finding| new(finding, before)).map(|finding| notice(cluster, finding, now)));
        }
        self.standing.insert(kind, standing);
    }
}

/// Whether it is seen for the first time, or again after it was over.
fn new(finding: &Finding, before: &[Finding]) -> bool {
    before.iter().find(|there| there.id == finding.id).is_none_or(|there| matches!(there.state, FindingState::Resolved { .. }))
}

fn finding(cluster: &Cluster, idle: &Idle, now: Timestamp) -> Finding {
    said(cluster, (idle.kind, &idle.subject), (&idle.evidence, &idle.remedy), Some(idle.cost_per_month), now)
}

/// A finding in these words.
pub(super) fn said(
    cluster: &Cluster,
    (kind, subject): (FindingKind, &str),
    (evidence, remedy): (&[String], &str),
    cost_per_month: Option<MicroDollars>,
    now: Timestamp,
) -> Finding {
    let new = Finding::new(cluster.customer.clone(), cluster.id.clone(), kind, subject, now);
    Finding { evidence: evidence.to_vec(), remedy: remedy.to_owned(), cost_per_month, ..new }
}

/// One a day at the most: whoever dies before the finding is written tells it again under the same id.
fn notice(cluster: &Cluster, finding: &Finding, now: Timestamp) -> Notice {
    let day = Timestamp::from_second(now.as_second().div_euclid(86_400) * 86_400).unwrap_or(now);
    let what = (finding.kind.as_str(), Moment::Detected);
    let said = finding.evidence.iter().cloned().chain([finding.remedy.clone()]).collect();
    Notice::new((&cluster.customer, &cluster.id), what, (&finding.subject, day), said, now)
}
