//! Looks at the world for the safety check of what only saves money.

use crate::ports::{Ports, Site, Trouble};
use domain::Timestamp;
use domain::ids::{InstanceId, NodeName};
use domain::money::MicroDollars;
use domain::node::NodeView;
use domain::offering::{CapacityType, Pool};
use domain::plan::check::{Before, Blocked, Scene, may_go_on};
use domain::plan::{Plan, PlanRecord, Progress, Stakes};
use domain::pod::{PodBudget, PodView};
use domain::ports::{ClusterError, Instance, InstanceFilter};
use domain::tenant::Halt;
use std::collections::BTreeMap;

/// What was seen, all of it read for this one check.
#[derive(Debug, Clone)]
pub struct Sight {
    nodes: Vec<NodeView>,
    pods: BTreeMap<NodeName, Vec<PodView>>,
    budgets: Option<Vec<PodBudget>>,
    instances: Vec<Instance>,
    open_plans: Vec<PlanRecord>,
    halted: Option<Halt>,
}

/// Why the world could not be looked at, in one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blind(pub String);

/// Looks at the nodes that plans take out of service, and at what surrounds them. Reads of the cluster are consistent ones: a list
/// without a resource version is answered from etcd.
///
/// # Errors
/// [`Trouble`] where the table does not answer; the inner [`Blind`] where the cluster or EC2 does not.
pub async fn look(ports: &Ports, site: &Site, going: &[(NodeName, InstanceId)]) -> Result<Result<Sight, Blind>, Trouble> {
    let (customer, id) = (&site.cluster.customer, &site.cluster.id);
    let (open_plans, halted) = futures::try_join!(ports.journal.open_plans(customer, id), ports.registry.halted(customer, id))?;
    let cluster = match &site.kubernetes {
        Ok(cluster) => cluster,
        Err(error) => return Ok(Err(Blind(error.to_string()))),
    };
    let ids: Vec<InstanceId> = going.iter().map(|(_, instance)| instance.clone()).collect();
    let filter = InstanceFilter::Ids(ids);
    let on =
        futures::future::try_join_all(going.iter().map(|(node, _)| async move { Ok((node.clone(), cluster.pods(Some(node)).await?)) }));
    let (nodes, pods, budgets, instances) =
        futures::join!(cluster.nodes(), on, cluster.pod_budgets(), ports.cloud.instances(&site.scope, &filter));
    let seen = || -> Result<Sight, ClusterError> {
        Ok(Sight { nodes: nodes?, pods: pods?.into_iter().collect(), budgets: budgets.ok(), instances: Vec::new(), open_plans, halted })
    };
    let sight = match seen() {
        Ok(sight) => sight,
        Err(error) => return Ok(Err(Blind(error.to_string()))),
    };
    match instances {
        Ok(instances) => Ok(Ok(Sight { instances, ..sight })),
        Err(error) => Ok(Err(Blind(error.to_string()))),
    }
}

/// The nodes that a plan of the optimizer takes out of service.
pub fn going(stakes: &Stakes) -> Vec<(NodeName, InstanceId)> {
    stakes.nodes.iter().map(|node| (node.node.clone(), node.instance.clone())).collect()
}

impl Sight {
    /// All nodes.
    pub fn nodes(&self) -> &[NodeView] {
        &self.nodes
    }

    /// Plans that are under way.
    pub fn open_plans(&self) -> &[PlanRecord] {
        &self.open_plans
    }

    /// The instances that were asked for.
    pub fn instances(&self) -> &[Instance] {
        &self.instances
    }

    /// Adds a plan to those that are under way: one that was opened after the look.
    pub fn opened(&mut self, record: PlanRecord) {
        self.open_plans.push(record);
    }

    /// What speaks against a plan.
    pub fn judge(
        &self,
        site: &Site,
        plan: &Plan,
        progress: Option<&Progress>,
        before: Before,
        prices: &[(Pool, MicroDollars)],
        now: Timestamp,
    ) -> Vec<Blocked> {
        let scene = Scene {
            policy: &site.cluster.policy,
            nodes: &self.nodes,
            pods: &self.pods,
            pod_budgets: self.budgets.as_deref(),
            instances: &self.instances,
            open_plans: &self.open_plans,
            prices,
            halted: self.halted.as_ref(),
            now,
        };
        may_go_on(plan, progress, before, &scene)
    }
}

/// What the spot pools of a plan cost now: those of the nodes that go, and those that were launched from. A price that cannot be
/// read is left out: the one that the plan was made with holds.
pub async fn spot_prices(ports: &Ports, site: &Site, plan: &Plan, progress: &Progress) -> Vec<(Pool, MicroDollars)> {
    let going = plan.stakes.iter().flat_map(|stakes| stakes.nodes.iter().map(|node| &node.pool));
    let launched = (0..plan.steps.len()).filter_map(|step| progress.launched(step)).map(|(_, offering)| &offering.pool);
    let mut pools: Vec<&Pool> = going.chain(launched).filter(|pool| pool.capacity == CapacityType::Spot).collect();
    pools.sort();
    pools.dedup();
    if pools.is_empty() {
        return Vec::new();
    }
    let mut types: Vec<_> = pools.iter().map(|pool| pool.instance_type.clone()).collect();
    types.dedup();
    let mut zones: Vec<_> = pools.iter().map(|pool| pool.zone.clone()).collect();
    zones.sort();
    zones.dedup();
    let found = ports.cloud.spot_prices(&site.scope, &types, &zones, ports.clock.now()).await.unwrap_or_default();
    let newest = |pool: &Pool| found.iter().rev().find(|price| price.pool == *pool).map(|price| (pool.clone(), price.price_per_hour));
    pools.into_iter().filter_map(newest).collect()
}
