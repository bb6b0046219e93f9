//! What the role of an account may do: the simulated world behind its port, and the real adapter over that world served as AWS.

use super::cloud::scope;
use domain::ids::{AccountId, InstanceId, VolumeId, Zone};
use domain::offering::{CapacityType, Offering, Pool};
use domain::permissions::account::GrantFound;
use domain::permissions::{Checklist, key};
use domain::ports::estate::EbsVolume;
use domain::ports::{Cloud, LaunchRequest, Registry};
use ec2::Ec2;
use execution::permissions::Inspector;
use harness::contracts::account::{Bench, Hands, account};
use harness::system::a_cluster;
use sim::clock::{EPOCH, SimClock};
use sim::http::aws::{ServedAws, Wire, serve};
use sim::store::{MemoryStore, MemoryTrust};
use sim::world::{ClusterSpec, NodeSpec, World};
use std::collections::BTreeMap;
use std::sync::Arc;

const ACCOUNT: &str = "111122223333";
const OURS: (&str, &str) = ("cloudoptim.io/cluster", "prod");
const OF_EKS: (&str, &str) = ("aws:eks:cluster-name", "prod");
const PROTECTED: (&str, &str) = ("cloudoptim.io/do-not-terminate", "true");

/// An account with one cluster.
struct Ground {
    world: Arc<World>,
    clock: Arc<SimClock>,
    cluster: domain::ids::ClusterId,
}

impl Ground {
    fn new() -> Ground {
        let clock = SimClock::new();
        let world = World::new(clock.clone(), 7);
        let cluster = world.add_cluster(ClusterSpec::new("acme", "prod", ACCOUNT, "us-east-1"));
        Ground { world, clock, cluster }
    }

    fn node(&self, tags: &[(&str, &str)]) -> InstanceId {
        let mut node = NodeSpec::new("m6i.large", "us-east-1a", CapacityType::OnDemand);
        node.tags.extend(tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
        self.world.add_node(&self.cluster, node)
    }

    fn volume(&self, id: &str, tags: &[(&str, &str)]) -> VolumeId {
        let id = VolumeId::parse(id).unwrap();
        self.world.put_volume(EbsVolume {
            id: id.clone(),
            zone: Zone::parse("us-east-1a").unwrap(),
            size_gib: 8,
            volume_type: "gp3".to_owned(),
            iops: 3_000,
            throughput_mib: 125,
            available: true,
            attached: false,
            created_at: Some(EPOCH),
            tags: tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        });
        id
    }

    async fn bench<'a>(&'a self, cloud: &'a dyn Cloud, denied: domain::tenant::AwsScope) -> Bench<'a> {
        let instances = [self.node(&[OURS]), self.node(&[OF_EKS]), self.node(&[]), self.node(&[OURS, PROTECTED])];
        let volumes = [self.volume("vol-1", &[("ebs.csi.aws.com/cluster", "true")]), self.volume("vol-2", &[])];
        let scope = scope(ACCOUNT, "the-external-id");
        let zone = Zone::parse("us-east-1a").unwrap();
        let launch = LaunchRequest {
            client_token: "dry".to_owned(),
            template: self.world.template_of(&scope, &instances[0]).await.unwrap(),
            offering: Offering {
                subnet: self.world.subnet(&self.cluster, &zone).unwrap(),
                pool: Pool { instance_type: domain::ids::InstanceType::parse("m6i.large").unwrap(), zone, capacity: CapacityType::Spot },
                price_per_hour: None,
            },
            tags: BTreeMap::from([(OURS.0.to_owned(), OURS.1.to_owned())]),
        };
        Bench { cloud, scope, denied, hands: self, launch, instances, volumes }
    }

    /// The real adapter over the world served as AWS.
    async fn served(&self) -> (ServedAws, Ec2) {
        let mut wire = Wire::new(self.world.clone());
        let scope = scope(ACCOUNT, "the-external-id");
        wire.external_ids.insert(scope.role_arn, scope.external_id);
        let served = serve(wire).await.unwrap();
        let config = aws::local_config(&served.url, "us-east-1");
        (served, Ec2::new(config))
    }

    /// What is written down of the account when somebody has looked at it through this.
    async fn looked(&self, cloud: Arc<dyn Cloud>) -> Checklist {
        let store = Arc::new(MemoryStore::default());
        let scope = scope(ACCOUNT, "the-external-id");
        let mut cluster = a_cluster(&scope.customer, &scope.cluster, ACCOUNT, "us-east-1", EPOCH);
        cluster.name = scope.cluster_name.clone();
        let inspector = Inspector {
            registry: store.clone(),
            rights: self.world.clone(),
            trust: Arc::new(MemoryTrust::default()),
            cloud,
            clock: self.clock.clone(),
        };
        assert!(inspector.look(&cluster, &scope).await.unwrap());
        serde_json::from_value(store.config(&scope.customer, &key(&scope.cluster)).await.unwrap().unwrap()).unwrap()
    }
}

impl Hands for Ground {
    fn deny(&self, action: &str) {
        self.world.deny_action(&AccountId::parse(ACCOUNT).unwrap(), action);
    }

    fn allow(&self) {
        self.world.allow_actions();
    }

    fn snapshots(&self) -> usize {
        self.world.all_snapshots().len()
    }
}

fn of<'a>(list: &'a Checklist, statement: &str) -> Vec<&'a GrantFound> {
    list.account.iter().filter(|found| found.statement == statement).collect()
}

fn held(list: &Checklist, statement: &str) -> Option<bool> {
    of(list, statement)[0].held
}

#[tokio::test(start_paused = true)]
async fn the_world_keeps_the_contract_of_what_an_account_allows() {
    let ground = Ground::new();
    account(&ground.bench(&*ground.world, scope("999900001111", "x")).await).await;
}

#[tokio::test]
async fn ec2_over_the_wire_keeps_the_contract_of_what_an_account_allows() {
    let ground = Ground::new();
    let (_served, ec2) = ground.served().await;
    account(&ground.bench(&ec2, scope(ACCOUNT, "a-guess")).await).await;
}

/// The whole way: what a customer reads of an account from which one statement was taken away, over the wire.
#[tokio::test]
async fn the_checklist_names_the_statement_that_is_missing_and_what_nobody_can_know() {
    let ground = Ground::new();
    let (served, ec2) = ground.served().await;
    let ec2: Arc<dyn Cloud> = Arc::new(ec2);
    let empty = ground.looked(ec2.clone()).await;
    let why = |list: &Checklist, statement: &str| of(list, statement)[0].why.clone().unwrap_or_default();
    assert!(of(&empty, "Look").iter().all(|found| found.held == Some(true)) && held(&empty, "LetGroupsGoOn") == Some(true), "{empty:?}");
    assert_eq!(held(&empty, "LaunchTagged"), None);
    assert_eq!(why(&empty, "EndOurs"), "CloudOptim has no instance in the cluster yet to ask about.");
    assert_eq!(why(&empty, "DeleteVolumes"), "There is no unattached volume of the EBS driver to ask about.");

    let before = ground.bench(&*ground.world, scope(ACCOUNT, "x")).await.instances.len();
    let whole = ground.looked(ec2.clone()).await;
    let open: Vec<&str> = whole.account.iter().filter(|found| found.held != Some(true)).map(|found| found.statement.as_str()).collect();
    assert_eq!(open, ["EndGhostsOfGroups"], "{whole:?}");
    assert_eq!(why(&whole, "EndGhostsOfGroups"), "AWS has no way to ask for this without doing it.");
    let calls = served.calls();
    assert_eq!((calls["RunInstances"], calls["CreateSnapshot"], calls["DeleteVolume"], before), (1, 1, 1, 4));

    for (action, statement, others) in [
        ("iam:PassRole", "GiveNodesTheirRole", "LaunchTagged"),
        ("ec2:CreateSnapshot", "SnapshotVolumes", "TagSnapshots"),
        ("ec2:DescribeInstanceAttribute", "CopyBootstrap", "LaunchTagged"),
    ] {
        ground.deny(action);
        let list = ground.looked(ec2.clone()).await;
        assert_eq!((held(&list, statement), held(&list, others)), (Some(false), None), "{action}: {list:?}");
        assert_eq!(held(&list, "EndOurs"), Some(true), "{action}");
        ground.allow();
    }
    ground.deny("ec2:DescribeInstances");
    let list = ground.looked(ec2.clone()).await;
    assert_eq!((held(&list, "EndGhosts"), held(&list, "LaunchFrom"), held(&list, "DeleteVolumes")), (None, None, Some(true)));
    let named: Vec<&str> = list.account.iter().filter(|found| found.held == Some(false)).map(|found| found.action.as_str()).collect();
    assert_eq!(named, ["ec2:DescribeInstances"]);
}

/// An account that does not answer is an account of which nothing is known.
#[tokio::test]
async fn of_an_account_that_does_not_answer_nothing_is_known() {
    let ground = Ground::new();
    let nowhere: Arc<dyn Cloud> = Arc::new(Ec2::new(aws::local_config("http://127.0.0.1:9", "us-east-1")));
    let list = ground.looked(nowhere).await;
    assert!(list.account.len() > 20 && list.account.iter().all(|found| found.held.is_none()), "{list:?}");
    assert_eq!(of(&list, "Look")[0].why.as_deref(), Some("AWS does not answer."));
}
