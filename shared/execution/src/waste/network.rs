//! What lies idle in the network of one cluster: found and told, never touched.

use super::{Harvest, Scanner};
use crate::ports::Site;
use domain::Timestamp;
use domain::finding::{Finding, FindingKind, FindingState};
use domain::policy::Mode;
use domain::ports::{CloudError, Moment, Notice};
use domain::tenant::Cluster;
use planning::network::{Idle, idle};
use tracing::info;

/// What is found here.
const KINDS: [FindingKind; 2] = [FindingKind::IdleAddress, FindingKind::IdleNatGateway];

impl Scanner {
    /// Looks for addresses and gateways. What cannot be looked at is looked at the next time.
    pub(super) async fn network(&self, site: &Site, before: &[Finding], harvest: &mut Harvest) {
        let cluster = &site.cluster;
        let now = self.ports.clock.now();
        let found = match self.idle(site, now).await {
            Ok(found) => found,
            Err(why) => {
                info!(cluster.id = %cluster.id, why, "The network could not be looked at");
                return;
            }
        };
        for kind in KINDS {
            let of_kind = found.iter().filter(|idle| idle.kind == kind).map(|idle| finding(cluster, idle, now));
            let standing: Vec<Finding> = of_kind.collect();
            if cluster.policy.waste.ghosts >= Mode::Recommend {
                let fresh = standing.iter().filter(|finding| new(finding, before));
                harvest.notices.extend(fresh.map(|finding| notice(cluster, finding, now)));
            }
            harvest.standing.insert(kind, standing);
        }
    }

    async fn idle(&self, site: &Site, now: Timestamp) -> Result<Vec<Idle>, String> {
        let why = |error: CloudError| error.to_string();
        let addresses = self.ports.cloud.addresses(&site.scope).await.map_err(why)?;
        let gateways = self.ports.cloud.nat_gateways(&site.scope).await.map_err(why)?;
        idle(&site.cluster.name, &addresses, &gateways, now).map_err(|error| error.to_string())
    }
}

/// Whether it is seen for the first time, or again after it was over.
fn new(finding: &Finding, before: &[Finding]) -> bool {
    before.iter().find(|there| there.id == finding.id).is_none_or(|there| matches!(there.state, FindingState::Resolved { .. }))
}

fn finding(cluster: &Cluster, idle: &Idle, now: Timestamp) -> Finding {
    let mut finding = Finding::new(cluster.customer.clone(), cluster.id.clone(), idle.kind, &idle.subject, now);
    finding.evidence.clone_from(&idle.evidence);
    finding.remedy.clone_from(&idle.remedy);
    finding.cost_per_month = Some(idle.cost_per_month);
    finding
}

/// One a day at the most: whoever dies before the finding is written tells it again under the same id.
fn notice(cluster: &Cluster, finding: &Finding, now: Timestamp) -> Notice {
    let day = Timestamp::from_second(now.as_second().div_euclid(86_400) * 86_400).unwrap_or(now);
    let what = (finding.kind.as_str(), Moment::Detected);
    let said = finding.evidence.iter().cloned().chain([finding.remedy.clone()]).collect();
    Notice::new((&cluster.customer, &cluster.id), what, (&finding.subject, day), said, now)
}
