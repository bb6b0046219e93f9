//! Laws of surveys: what a snapshot says is what the world is.

use async_trait::async_trait;
use domain::catalog::Arch;
use domain::ids::{ClusterId, Region};
use domain::market::{PriceSource, Quote};
use domain::money::MicroDollars;
use domain::node::NodeOwner;
use domain::offering::{CapacityType, Pool};
use domain::ports::Cloud as _;
use domain::ports::{Clock, InstanceFilter};
use domain::snapshot::Snapshot;
use domain::{SignedDuration, Timestamp};
use execution::survey::{Containers, Machines, Sources, look};
use sim::clock::EPOCH;
use sim::world::{Allows, ClusterSpec, NodeSpec, PdbSpec, Volume, WorkloadSpec, World};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

struct Still;

#[async_trait]
impl Clock for Still {
    fn now(&self) -> Timestamp {
        EPOCH
    }
    async fn sleep(&self, _: SignedDuration) {}
}

struct Scene {
    world: Arc<World>,
    id: ClusterId,
    told: Mutex<Vec<(String, usize)>>,
}

fn quote(pool: &Pool) -> Option<Quote> {
    (pool.capacity == CapacityType::OnDemand)
        .then_some(Quote { price_per_hour: MicroDollars(96_000), source: PriceSource::Observed { at: EPOCH } })
}

impl Scene {
    /// Two nodes, one of them of a group; a web with a budget, a database with volumes, an agent on every node.
    fn new() -> Scene {
        let world = World::new(Arc::new(Still), 11);
        let id = world.add_cluster(ClusterSpec::new("acme", "prod", "123456789012", "us-east-1"));
        world.add_node(&id, NodeSpec::new("m6i.large", "us-east-1a", CapacityType::OnDemand));
        let owner = NodeOwner::AutoScalingGroup { group: "g".into() };
        world.add_node(&id, NodeSpec { owner, ..NodeSpec::new("m6g.large", "us-east-1b", CapacityType::Spot) });
        world.add_deployment(&id, WorkloadSpec::new("web", 4));
        let mut db = WorkloadSpec::new("db", 2);
        db.pod.volume = Some(Volume::Zonal);
        world.add_stateful_set(&id, db);
        world.add_daemon_set(&id, WorkloadSpec::new("agent", 0));
        world.add_pdb(&id, PdbSpec::new("web", Allows::MaxUnavailable(1)));
        Scene { world, id, told: Mutex::default() }
    }

    async fn machines(&self) -> Machines {
        let scope = domain::tenant::AwsScope {
            customer: domain::ids::CustomerId::parse("acme").unwrap(),
            account: domain::ids::AccountId::parse("123456789012").unwrap(),
            region: self.region(),
            role_arn: String::new(),
            external_id: String::new(),
            cluster: self.id.clone(),
            cluster_name: "prod".into(),
        };
        Machines::Seen(self.world.instances(&scope, &InstanceFilter::Cluster("prod".into())).await.unwrap())
    }

    fn region(&self) -> Region {
        Region::parse("us-east-1").unwrap()
    }

    async fn look(&self, machines: Machines) -> Snapshot {
        let cluster = self.world.cluster(&self.id).unwrap();
        let progress = |part: &str, count: usize| self.told.lock().unwrap().push((part.to_owned(), count));
        let sources = Sources { prices: &quote, progress: &progress };
        look(cluster.as_ref(), (&self.id, &self.region()), std::future::ready(machines), &Still, &sources, Containers::Dropped)
            .await
            .unwrap()
            .snapshot
    }
}

fn gap<'a>(snapshot: &'a Snapshot, part: &str) -> Option<&'a str> {
    snapshot.parts.iter().find(|p| p.name == part).unwrap().gap.as_deref()
}

#[tokio::test]
async fn a_snapshot_holds_every_pod_where_it_runs() {
    let scene = Scene::new();
    let snapshot = scene.look(scene.machines().await).await;
    let mut expected: BTreeMap<(String, String), u32> = BTreeMap::new();
    for pod in scene.world.pods(&scene.id) {
        let controller = pod.controller.unwrap().name;
        *expected.entry((pod.node.unwrap().to_string(), controller)).or_default() += 1;
    }
    let mut seen: BTreeMap<(String, String), u32> = BTreeMap::new();
    for node in &snapshot.nodes {
        for placed in &node.pods {
            let class = &snapshot.classes[placed.class as usize];
            *seen.entry((node.name.to_string(), class.controller.clone().unwrap().name)).or_default() += placed.count;
        }
    }
    assert_eq!(seen, expected);
    assert!(snapshot.pending.is_empty());
    assert_eq!(*scene.told.lock().unwrap(), [("nodes".to_owned(), 2), ("pods".to_owned(), 8)]);
    let back: Snapshot = serde_json::from_str(&serde_json::to_string(&snapshot).unwrap()).unwrap();
    assert_eq!(back, snapshot);
}

#[tokio::test]
async fn nodes_come_with_instance_owner_price_and_use() {
    let scene = Scene::new();
    let snapshot = scene.look(scene.machines().await).await;
    let of = |family: &str| {
        let wanted = |node: &&domain::snapshot::SnapshotNode| node.pool.as_ref().unwrap().instance_type.as_str().starts_with(family);
        snapshot.nodes.iter().find(wanted).unwrap()
    };
    let (plain, grouped) = (of("m6i"), of("m6g"));
    assert_eq!(plain.owner, NodeOwner::CloudOptim);
    assert_eq!(grouped.owner, NodeOwner::AutoScalingGroup { group: "g".into() });
    assert!(plain.price.is_some() && grouped.price.is_none() && plain.instance.is_some() && plain.usage.is_some());
    assert!(gap(&snapshot, "prices").unwrap().starts_with("1 of 2 nodes"));
    assert!(gap(&snapshot, "instances").is_none() && gap(&snapshot, "budgets").is_none());
    assert_eq!(snapshot.subnets.len(), 2);
    let db = snapshot.classes.iter().filter(|class| class.controller.as_ref().unwrap().name == "db");
    assert!(db.clone().count() >= 1 && db.clone().all(|class| class.scheduling.volume_zones.as_ref().unwrap().len() == 1));
    let agent = snapshot.classes.iter().find(|class| class.daemon).unwrap();
    assert!(agent.arches.contains(&Arch::Amd64));
}

#[tokio::test]
async fn without_ec2_the_labels_of_nodes_say_what_they_are() {
    let scene = Scene::new();
    let snapshot = scene.look(Machines::Labelled).await;
    assert!(snapshot.nodes.iter().all(|node| node.pool.is_some() && node.instance.is_some()));
    assert!(snapshot.subnets.iter().all(|subnet| subnet.id.as_str() == format!("subnet-in-{}", subnet.zone)));
    assert!(gap(&snapshot, "instances").is_some());
}

#[tokio::test]
async fn a_part_that_is_missing_is_told_and_fails_nothing() {
    let scene = Scene::new();
    let snapshot = scene.look(Machines::Unseen("no access".into())).await;
    assert!(snapshot.nodes.iter().all(|node| node.pool.is_none() && node.price.is_none() && node.instance.is_none()));
    assert_eq!(gap(&snapshot, "instances"), Some("no access"));
}

mod denied {
    use super::*;
    use domain::ports::ClusterError;
    use kubernetes::{Access, Credential, Settings, open};
    use sim::http::kubernetes::serve;

    async fn without(right: (&str, &str)) -> Result<Snapshot, ClusterError> {
        let scene = Scene::new();
        scene.world.deny(&scene.id, right.0, right.1);
        let served = serve(scene.world.clone(), &scene.id, "the-token", std::time::Duration::ZERO).await.unwrap();
        let access = Access {
            endpoint: served.url.clone(),
            ca_pem: Some(served.ca_pem.clone()),
            credential: Credential::Token("the-token".to_owned().into()),
        };
        let cluster = open(&access, Settings::default(), gate::Gate::this_machine())?;
        let sources = Sources { prices: &quote, progress: &|_, _| {} };
        let machines = std::future::ready(Machines::Labelled);
        look(cluster.as_ref(), (&scene.id, &scene.region()), machines, &Still, &sources, Containers::Dropped)
            .await
            .map(|looked| looked.snapshot)
    }

    #[tokio::test]
    async fn budgets_that_cannot_be_read_are_none_and_not_nothing() {
        let snapshot = without(("list", "poddisruptionbudgets")).await.unwrap();
        assert!(snapshot.budgets.is_none());
        assert!(gap(&snapshot, "budgets").unwrap().contains("poddisruptionbudgets"));
        assert_eq!(snapshot.nodes.len(), 2);
    }

    #[tokio::test]
    async fn volumes_that_cannot_be_read_bind_pods_to_where_they_are() {
        for resource in ["persistentvolumeclaims", "persistentvolumes"] {
            let snapshot = without(("list", resource)).await.unwrap();
            let db = snapshot.classes.iter().find(|class| class.controller.as_ref().unwrap().name == "db").unwrap();
            assert!(db.scheduling.pinned && gap(&snapshot, "volumes").unwrap().contains(resource));
        }
        assert!(gap(&without(("list", "storageclasses")).await.unwrap(), "volumes").is_none());
    }

    #[tokio::test]
    async fn without_nodes_or_pods_there_is_no_snapshot() {
        for resource in ["nodes", "pods"] {
            assert!(matches!(without(("list", resource)).await, Err(ClusterError::Forbidden(text)) if text.contains(resource)));
        }
    }
}
