//! Ghosts of one cluster.

use super::open::Due;
use super::{Harvest, Scanner, tell};
use crate::ports::{Site, Trouble};
use domain::finding::{Finding, FindingKind, FindingState};
use domain::ids::Region;
use domain::money::MicroDollars;
use domain::offering::{CapacityType, Pool};
use domain::plan::PlanRecord;
use domain::plan::action::{Action, AskedBy};
use domain::policy::Mode;
use domain::ports::{Instance, InstanceFilter};
use domain::savings::arithmetic::month_of;
use domain::tenant::Cluster;
use domain::watch::Watchbook;

use planning::ghosts::{Ghost, Look, News, Settings, Way, scan, suspects};
use planning::public_data::Catalogue;
use tracing::error;

impl Scanner {
    /// Looks for ghosts: instances first, then the journal, then the nodes, and at last the groups of those that look like ghosts.
    pub(super) async fn ghosts(&self, site: &Site, before: &[Finding], harvest: &mut Harvest) -> Result<(), Trouble> {
        let cluster = &site.cluster;
        let instances = match self.ports.cloud.instances(&site.scope, &InstanceFilter::Owned(cluster.name.clone())).await {
            Ok(instances) => instances,
            Err(error) => return blind(harvest, &error),
        };
        let plans: Vec<PlanRecord> = self.ports.journal.open_plans(&cluster.customer, &cluster.id).await?;
        let kubernetes = match &site.kubernetes {
            Ok(kubernetes) => kubernetes,
            Err(error) => return blind(harvest, error),
        };
        let nodes = match kubernetes.nodes().await {
            Ok(nodes) => nodes,
            Err(error) => return blind(harvest, &error),
        };
        let mut look = Look {
            now: self.ports.clock.now(),
            cluster_name: &cluster.name,
            instances: &instances,
            open_plans: &plans,
            nodes: &nodes,
            members: None,
        };
        let asked = match suspects(&look) {
            Ok(asked) => asked,
            Err(nameless) => {
                // A mistake of ours or of whoever registered it: a person must look, and no look is worth anything until then.
                error!(cluster.id = %cluster.id, "A cluster without a name is not scanned");
                return blind(harvest, &nameless);
            }
        };
        let members = if asked.is_empty() { Ok(Vec::new()) } else { self.ports.cloud.members(&site.scope, &asked).await };
        look.members = members.as_deref().ok();
        let settings = Settings::from(&cluster.policy.waste);
        let seen = match scan(&look, &harvest.book, settings) {
            Ok(seen) => seen,
            Err(nameless) => return blind(harvest, &nameless),
        };
        self.hear(cluster, &seen.news, (&seen.book, before), look.now, harvest);
        harvest.blind = seen.book.stopped.as_ref().map(|(_, why)| why.clone());
        let standing = |ghost: &Ghost| {
            let instance = instances.iter().find(|instance| instance.id == ghost.instance)?;
            let first_seen = seen.book.watches.get(ghost.instance.as_str())?.first_seen;
            Some(Finding { first_seen, ..finding(site, ghost, instance, look.now, nodes.len()) })
        };
        // While a scan is stopped nothing that stood is called over.
        if seen.book.stopped.is_none() && members.is_ok() {
            harvest.standing.insert(FindingKind::Ghost, seen.ghosts.iter().filter_map(standing).collect());
        }
        let dismissed = |id: &str| before.iter().any(|f| f.subject == id && matches!(f.state, FindingState::Dismissed { .. }));
        for instance in seen.due.iter().filter(|id| !dismissed(id.as_str())) {
            let price = instances.iter().find(|found| found.id == *instance).and_then(|found| price(&cluster.region, &found.pool));
            harvest.due.push(Due {
                kind: FindingKind::Ghost,
                subject: instance.to_string(),
                action: Action::TerminateGhost { instance: instance.clone(), by: AskedBy::Scan },
                saving_per_hour: price.unwrap_or_default(),
            });
        }
        harvest.book = seen.book;
        harvest.nodes = Some(nodes);
        Ok(())
    }

    /// What is new since the last look: what is over, what stopped the scan, and what people are told.
    fn hear(
        &self,
        cluster: &Cluster,
        all: &[News],
        (book, before): (&Watchbook, &[Finding]),
        now: domain::Timestamp,
        harvest: &mut Harvest,
    ) {
        // What we have ended ourselves has not recovered: that it was ended has been told.
        let stood = |id: &str| before.iter().any(|f| f.kind == FindingKind::Ghost && f.subject == id && f.state == FindingState::Open);
        for news in all {
            if let News::Recovered(instance, _, why) = news {
                harvest.over.insert((FindingKind::Ghost, instance.to_string()), format!("It is no ghost any more: {why}."));
            }
            if let News::Stopped(stop) = news {
                self.ports.meter.count("scans_stopped", tell::word(stop));
            }
            let ours = matches!(news, News::Recovered(instance, ..) if !stood(instance.as_str()));
            if cluster.policy.waste.ghosts >= Mode::Recommend && !ours {
                harvest.notices.extend(tell::ghost(cluster, news, book, now));
            }
        }
    }
}

/// What could not be looked at, and why: the scan says so, and nothing that stood is called over.
fn blind(harvest: &mut Harvest, error: &dyn std::error::Error) -> Result<(), Trouble> {
    harvest.blind = Some(error.to_string());
    Ok(())
}

/// What an instance costs per hour. `None`: the public lists do not have it.
fn price(region: &Region, pool: &Pool) -> Option<MicroDollars> {
    let catalogue = Catalogue::embedded();
    match pool.capacity {
        CapacityType::OnDemand => catalogue.on_demand(region, &pool.instance_type),
        CapacityType::Spot => catalogue.spot_estimate(region, &pool.instance_type).map(|quote| quote.price_per_hour),
    }
}

fn finding(site: &Site, ghost: &Ghost, instance: &Instance, now: domain::Timestamp, nodes: usize) -> Finding {
    let cluster = &site.cluster;
    let mut finding = Finding::new(cluster.customer.clone(), cluster.id.clone(), FindingKind::Ghost, ghost.instance.as_str(), now);
    let since = instance.launched_at.map_or_else(|| "an unknown time".to_owned(), |at| at.to_string());
    finding.evidence = vec![
        format!("{} ({}) runs since {since} and is tagged kubernetes.io/cluster/{}=owned.", instance.id, instance.pool, cluster.name),
        "No node of the cluster has its id in its providerID.".to_owned(),
    ];
    if nodes == 0 {
        finding.evidence.push("The cluster has no nodes at all.".to_owned());
    }
    let how = match &ghost.way {
        Way::Direct => "It would be terminated.".to_owned(),
        Way::ThroughGroup(group) => {
            format!("It would be terminated through Auto Scaling group {group}, which would be asked for one instance less.")
        }
        Way::HandsOff(why) => why.clone(),
    };
    finding.remedy = format!("{how} Looked at again just before. Cannot be taken back; the tag cloudoptim.io/do-not-terminate keeps it.");
    finding.cost_per_month = price(&cluster.region, &instance.pool).map(month_of);
    finding
}
