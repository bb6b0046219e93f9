//! Ends an instance that is no node, after a last look at everything that could speak against it.

use super::{Attempt, Performed, from_cluster, launch};
use crate::ports::{Ports, Site};
use domain::SignedDuration;
use domain::ids::{InstanceId, NodeName};
use domain::node::NodeView;
use domain::plan::action::AskedBy;
use domain::plan::{Effect, PlanRecord};
use domain::policy::Mode;
use domain::ports::{Cluster, ClusterError, Instance, InstanceFilter, Member, StoreError};
use domain::watch::Watchbook;
use planning::ghosts::{End, Look, Proof, Settings, verify};
use std::sync::Arc;

/// How long to wait for a table that does not answer.
const TABLE_RETRY: SignedDuration = SignedDuration::from_secs(5);

/// Everything that is read again, in the order of a scan: the instance, the journal, the nodes; then what else must be known.
struct Sight {
    instances: Vec<Instance>,
    plans: Vec<PlanRecord>,
    nodes: Vec<NodeView>,
    namesake: Option<NodeView>,
    members: Vec<Member>,
    end_forbidden: bool,
    book: Watchbook,
}

pub(super) async fn terminate(ports: &Ports, site: &Site, attempt: &Attempt, instance: &InstanceId, by: AskedBy) -> Performed {
    let policy = &site.cluster.policy.waste;
    if by == AskedBy::Scan && policy.ghosts != Mode::Auto {
        return Performed::Failed("the cluster's policy does not allow ghosts to be ended any more".to_owned());
    }
    let sight = match look(ports, site, attempt, instance).await {
        Ok(sight) => sight,
        Err(performed) => return performed,
    };
    let look = Look {
        now: ports.clock.now(),
        cluster_name: &site.cluster.name,
        instances: &sight.instances,
        open_plans: &sight.plans,
        nodes: &sight.nodes,
        members: Some(&sight.members),
    };
    let proof = Proof {
        wanted: instance,
        look,
        namesake: sight.namesake.as_ref(),
        end_forbidden: sight.end_forbidden,
        book: &sight.book,
        settings: Settings::from(policy),
        by,
    };
    let ended = match verify(&proof) {
        Ok(End::Gone) => return Performed::Done(Some(Effect::WasGone)),
        Ok(End::Direct) => ports.cloud.terminate(&site.scope, instance).await,
        Ok(End::ThroughGroup) => ports.cloud.end_member(&site.scope, instance).await,
        Err(why) => {
            ports.meter.count("ghosts_spared", "last_look");
            return Performed::Failed(why);
        }
    };
    match ended {
        Ok(()) => {
            ports.meter.count("ghosts_ended", word(by));
            Performed::Done(None)
        }
        Err(error) => launch::from_cloud(ports, attempt, &error),
    }
}

fn word(by: AskedBy) -> &'static str {
    match by {
        AskedBy::Scan => "scan",
        AskedBy::Person => "person",
    }
}

async fn look(ports: &Ports, site: &Site, attempt: &Attempt, instance: &InstanceId) -> Result<Sight, Performed> {
    let cluster = site.kubernetes.as_ref().map_err(|error| from_cluster(ports, attempt, error))?;
    let cloud = |error| launch::from_cloud(ports, attempt, &error);
    let table = |error: StoreError| from_table(ports, attempt, &error);
    let instances = ports.cloud.instances(&site.scope, &InstanceFilter::Ids(vec![instance.clone()])).await.map_err(cloud)?;
    if !instances.iter().any(|found| found.state.live()) {
        // It is gone, or EC2 does not know it: nothing else needs to be read.
        let book = Watchbook::new(site.cluster.customer.clone(), site.cluster.id.clone());
        let (plans, nodes, members) = (Vec::new(), Vec::new(), Vec::new());
        return Ok(Sight { instances, plans, nodes, namesake: None, members, end_forbidden: false, book });
    }
    let plans = ports.journal.open_plans(&site.cluster.customer, &site.cluster.id).await.map_err(table)?;
    let nodes = cluster.nodes().await.map_err(|error| from_cluster(ports, attempt, &error))?;
    let namesake = namesake(cluster, &instances).await.map_err(|error| from_cluster(ports, attempt, &error))?;
    let members = ports.cloud.members(&site.scope, std::slice::from_ref(instance)).await.map_err(cloud)?;
    let end_forbidden = ports.cloud.end_forbidden(&site.scope, instance).await.map_err(cloud)?;
    let book = ports.watchbooks.watchbook(&site.cluster.customer, &site.cluster.id).await.map_err(table)?;
    Ok(Sight { instances, plans, nodes, namesake, members, end_forbidden, book })
}

/// The node that is called like the instance: on most clusters that is its own. Read by its name, which no list can lose.
async fn namesake(cluster: &Arc<dyn Cluster>, instances: &[Instance]) -> Result<Option<NodeView>, ClusterError> {
    let name = instances.iter().find_map(|instance| instance.private_dns.as_deref()).and_then(|dns| NodeName::parse(dns).ok());
    let Some(name) = name else {
        return Ok(None);
    };
    match cluster.node(&name).await {
        Ok(node) => Ok(Some(node)),
        Err(ClusterError::Gone) => Ok(None),
        Err(error) => Err(error),
    }
}

/// What an error of the table means for a step: it is waited for until the plan is over.
pub(super) fn from_table(ports: &Ports, attempt: &Attempt, error: &StoreError) -> Performed {
    let now = ports.clock.now();
    if now > attempt.plan_deadline {
        return Performed::Failed(format!("{error}, until the time was over"));
    }
    Performed::Wait { until: now + TABLE_RETRY, effect: None }
}
