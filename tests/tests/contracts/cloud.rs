//! EC2 and Auto Scaling: the simulated world behind its port, the real adapter over that world served as AWS, and the real
//! adapter over any endpoint that `CONTRACT_AWS_ENDPOINT` names (moto, for one).

#[path = "cloud/outside.rs"]
pub(crate) mod outside;
#[path = "cloud/wire.rs"]
mod wire;

use domain::SignedDuration;
use domain::decision::Commitment;
use domain::ids::{InstanceId, SubnetId, Zone};
use domain::node::NodeTemplate;
use domain::offering::{CapacityType, Pool};
use domain::ports::{Cloud, Lifecycle};
use domain::tenant::AwsScope;
use harness::contracts::cloud::{Bench, Hands, Knows, cloud};
use sim::clock::SimClock;
use sim::world::{ClusterSpec, NodeSpec, World};
use std::sync::Arc;

const ALL: Knows = Knows { client_token: true, filters: true, marks: true, reservations: true };
const ACCOUNT: &str = "111122223333";

/// A world with one cluster of one node.
struct Ground {
    world: Arc<World>,
    scope: AwsScope,
    subnets: [(Zone, SubnetId); 2],
    node: InstanceId,
}

fn ground() -> Ground {
    let world = World::new(SimClock::new(), 7);
    let id = world.add_cluster(ClusterSpec::new("acme", "prod", ACCOUNT, "us-east-1"));
    let subnets = ["us-east-1a", "us-east-1b"].map(|zone| {
        let zone = Zone::parse(zone).unwrap();
        let subnet = world.subnet(&id, &zone).unwrap();
        (zone, subnet)
    });
    let node = world.add_node(&id, NodeSpec::new("m6i.large", "us-east-1a", CapacityType::OnDemand));
    Ground { scope: scope(ACCOUNT, "the-external-id"), subnets, node, world }
}

pub(crate) fn scope(account: &str, external_id: &str) -> AwsScope {
    AwsScope {
        customer: domain::ids::CustomerId::parse("acme").unwrap(),
        account: domain::ids::AccountId::parse(account).unwrap(),
        region: domain::ids::Region::parse("us-east-1").unwrap(),
        role_arn: format!("arn:aws:iam::{account}:role/CloudOptim"),
        external_id: external_id.to_owned(),
        cluster: domain::ids::ClusterId::parse("prod").unwrap(),
        cluster_name: "prod".to_owned(),
    }
}

impl Ground {
    async fn template(&self) -> NodeTemplate {
        self.world.template_of(&self.scope, &self.node).await.unwrap()
    }

    async fn bench<'a>(&'a self, cloud: &'a dyn Cloud, denied: AwsScope) -> Bench<'a> {
        Bench {
            cloud,
            scope: self.scope.clone(),
            denied: Some(denied),
            template: self.template().await,
            subnets: self.subnets.clone(),
            knows: ALL,
            hands: Some(self),
            run: "1".to_owned(),
        }
    }
}

impl Hands for Ground {
    fn exhaust(&self, pool: &Pool) {
        self.world.set_capacity(pool, 0);
    }

    fn interrupt(&self, instance: &InstanceId) {
        self.world.interrupt(instance, SignedDuration::from_mins(2));
    }

    fn reserve(&self, commitment: &Commitment) {
        self.world.reserve(&self.scope.cluster, commitment.clone());
    }

    fn lifecycle(&self, instance: &InstanceId) -> Lifecycle {
        let body = self.world.asg_terminate(instance, SignedDuration::from_mins(5));
        let event: serde_json::Value = serde_json::from_str(&body).unwrap();
        let text = |name: &str| event["detail"][name].as_str().unwrap().to_owned();
        Lifecycle {
            group: text("AutoScalingGroupName"),
            hook: text("LifecycleHookName"),
            token: Some(text("LifecycleActionToken")),
            instance: instance.clone(),
        }
    }
}

#[tokio::test]
async fn the_world_keeps_the_contract_of_the_cloud() {
    let ground = ground();
    cloud(&ground.bench(&*ground.world, scope("999900001111", "x")).await).await;
}
