//! A small world to try laws on.

use crate::clock::EPOCH;
use crate::world::{Allows, ClusterSpec, NodeSpec, PdbSpec, What, WorkloadSpec, World, minted};
use domain::ids::{ClusterId, InstanceId, PlanId};
use domain::node::NodeTarget;
use domain::offering::{CapacityType, Offering, Pool};
use domain::pod::PodView;
use domain::ports::{Clock, Cloud, Cluster, Cordon, LaunchRequest};
use domain::tenant::AwsScope;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// A clock that stands still until somebody sleeps.
pub(super) struct Hands(pub(super) Mutex<Timestamp>);

#[async_trait::async_trait]
impl Clock for Hands {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
    async fn sleep(&self, duration: SignedDuration) {
        let mut now = self.0.lock().unwrap();
        *now = now.checked_add(duration).unwrap();
    }
}

pub(super) struct Small {
    pub(super) world: Arc<World>,
    pub(super) clock: Arc<Hands>,
    pub(super) id: ClusterId,
    pub(super) api: Arc<dyn Cluster>,
    pub(super) nodes: Vec<InstanceId>,
}

/// A cluster of so many spot nodes of two cores in zone a.
pub(super) fn small(nodes: usize) -> Small {
    let clock = Arc::new(Hands(Mutex::new(EPOCH)));
    let world = World::new(clock.clone(), 7);
    let id = world.add_cluster(ClusterSpec::new("acme", "c-1", "123456789012", "us-east-1"));
    let spec = || NodeSpec::new("m6i.large", "us-east-1a", CapacityType::Spot);
    let nodes = (0..nodes).map(|_| world.add_node(&id, spec())).collect();
    let api = world.cluster(&id).unwrap();
    Small { world, clock, id, api, nodes }
}

impl Small {
    pub(super) async fn pass(&self, seconds: i64) {
        self.clock.sleep(SignedDuration::from_secs(seconds)).await;
    }

    /// A Deployment whose pods start on the first node.
    pub(super) fn deploy(&self, name: &str, replicas: u32) {
        let spec = WorkloadSpec { on: vec![self.nodes[0].clone()], ..WorkloadSpec::new(name, replicas) };
        self.world.add_deployment(&self.id, spec);
    }

    pub(super) fn guard(&self, app: &str, allows: Allows) {
        self.world.add_pdb(&self.id, PdbSpec::new(app, allows));
    }

    pub(super) fn pods(&self) -> Vec<PodView> {
        self.world.pods(&self.id)
    }

    pub(super) fn target(&self, index: usize) -> NodeTarget {
        self.world.node_of(&self.nodes[index]).unwrap().target().unwrap()
    }

    pub(super) fn whats(&self) -> Vec<What> {
        self.world.history().into_iter().map(|happened| happened.what).collect()
    }

    pub(super) fn scope(&self) -> AwsScope {
        AwsScope {
            customer: minted("acme"),
            account: minted("123456789012"),
            region: minted("us-east-1"),
            role_arn: "arn:aws:iam::123456789012:role/cloudoptim".into(),
            external_id: "e".into(),
            cluster: self.id.clone(),
            cluster_name: "c-1".into(),
        }
    }

    /// A request for a node like the first, in a zone.
    pub(super) async fn request(&self, token: &str, zone: &str) -> LaunchRequest {
        let pool = Pool { instance_type: minted("m6i.large"), zone: minted(zone), capacity: CapacityType::Spot };
        LaunchRequest {
            client_token: token.into(),
            template: self.world.template_of(&self.scope(), &self.nodes[0]).await.unwrap(),
            offering: Offering { subnet: self.world.subnet(&self.id, &pool.zone).unwrap(), pool, price_per_hour: None },
            tags: BTreeMap::from([("cloudoptim.io/plan".to_owned(), "p-1".to_owned())]),
        }
    }
}

pub(super) fn mark(plan: &str) -> Cordon {
    Cordon { plan: plan_id(plan) }
}

pub(super) fn plan_id(plan: &str) -> PlanId {
    minted(plan)
}
