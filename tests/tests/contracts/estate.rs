//! What else there is in AWS: the simulated world behind its port, the real adapter over that world served as AWS, and the real adapter
//! over any endpoint that `CONTRACT_AWS_ENDPOINT` names (moto, for one).

#[path = "estate/outside.rs"]
mod outside;

use super::cloud::scope;
use async_trait::async_trait;
use domain::ids::{ClusterId, InstanceId, VolumeId, Zone};
use domain::node::NodeOwner;
use domain::offering::CapacityType;
use domain::ports::estate::{Address, BalancerKind, Behind, EbsVolume, Estate, LoadBalancer, NatGateway};
use domain::ports::{Clock, CloudError};
use domain::{SignedDuration, Timestamp};
use ec2::Ec2;
use harness::contracts::estate::{Bench, Hands, Knows, Tags, estate};
use sim::clock::EPOCH;
use sim::http::aws::{ServedAws, Wire, serve};
use sim::world::{ClusterSpec, NodeSpec, World};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

const ACCOUNT: &str = "111122223333";
const ALL: Knows = Knows { minimum: true, balancers: true };

/// A clock that stands still until a law lets time go by.
#[derive(Default)]
struct Still(AtomicI64);

#[async_trait]
impl Clock for Still {
    fn now(&self) -> Timestamp {
        EPOCH.checked_add(SignedDuration::from_secs(self.0.load(Ordering::SeqCst))).unwrap()
    }

    async fn sleep(&self, duration: SignedDuration) {
        self.0.fetch_add(duration.as_secs(), Ordering::SeqCst);
    }
}

/// An account with one cluster.
struct Ground {
    world: Arc<World>,
    clock: Arc<Still>,
    cluster: ClusterId,
    made: AtomicU32,
}

impl Ground {
    fn new() -> Ground {
        let clock = Arc::new(Still::default());
        let world = World::new(clock.clone(), 7);
        let cluster = world.add_cluster(ClusterSpec::new("acme", "prod", ACCOUNT, "us-east-1"));
        Ground { world, clock, cluster, made: AtomicU32::new(0) }
    }

    fn id(&self, of: &str) -> String {
        format!("{of}-{:017x}", self.made.fetch_add(1, Ordering::SeqCst))
    }

    fn bench<'a>(&'a self, estate: &'a dyn Estate) -> Bench<'a> {
        Bench { estate, scope: scope(ACCOUNT, "the-external-id"), hands: self, knows: ALL, run: "1".to_owned() }
    }

    /// The real adapter over the world served as AWS, with so many rows per page.
    async fn served(&self, page_max: usize) -> (ServedAws, Ec2) {
        let mut wire = Wire::new(self.world.clone());
        let scope = scope(ACCOUNT, "the-external-id");
        wire.external_ids.insert(scope.role_arn, scope.external_id);
        wire.page_max = page_max;
        let served = serve(wire).await.unwrap();
        let config = aws::local_config(&served.url, "us-east-1");
        (served, Ec2::new(config))
    }
}

#[async_trait]
impl Hands for Ground {
    async fn volume(&self, size_gib: u32, tags: &Tags) -> VolumeId {
        let id = VolumeId::parse(self.id("vol")).unwrap();
        self.world.put_volume(EbsVolume {
            id: id.clone(),
            zone: Zone::parse("us-east-1a").unwrap(),
            size_gib,
            volume_type: "gp3".to_owned(),
            iops: 3_000,
            throughput_mib: 125,
            available: true,
            attached: false,
            created_at: Some(self.clock.now()),
            tags: tags.clone(),
        });
        id
    }

    async fn address(&self, associated: bool, tags: &Tags) -> String {
        let id = self.id("eipalloc");
        self.world.add_address(Address { id: id.clone(), ip: "203.0.113.7".to_owned(), associated, tags: tags.clone() });
        id
    }

    async fn gateway(&self, routed: bool, tags: &Tags) -> String {
        let id = self.id("nat");
        let created_at = Some(self.clock.now());
        self.world.add_nat_gateway(NatGateway { id: id.clone(), available: true, routed, created_at, tags: tags.clone() });
        id
    }

    async fn balancer(&self, kind: BalancerKind, name: &str, any: bool, tags: &Tags) -> String {
        let classic = kind == BalancerKind::Classic;
        let arn = format!("arn:aws:elasticloadbalancing:us-east-1:{ACCOUNT}:loadbalancer/{name}");
        let id = if classic { name.to_owned() } else { arn };
        let balancer = LoadBalancer {
            id: id.clone(),
            name: name.to_owned(),
            kind,
            active: true,
            created_at: Some(self.clock.now()),
            tags: tags.clone(),
        };
        self.world.put_balancer(balancer, Behind { groups: if classic { 0 } else { 2 }, any });
        id
    }

    async fn group(&self, name: &str, instances: u32, min: u32) -> Vec<InstanceId> {
        self.world.set_group_min(name, min);
        let node = |_| {
            let mut node = NodeSpec::new("m6i.large", "us-east-1a", CapacityType::OnDemand);
            node.owner = NodeOwner::AutoScalingGroup { group: name.to_owned() };
            self.world.add_node(&self.cluster, node)
        };
        (0..instances).map(node).collect()
    }

    async fn instance(&self, protected: bool) -> InstanceId {
        let id = self.world.add_node(&self.cluster, NodeSpec::new("m6i.large", "us-east-1a", CapacityType::OnDemand));
        if protected {
            self.world.forbid_end(&id);
        }
        id
    }

    async fn pass(&self) {
        self.clock.sleep(SignedDuration::from_mins(5)).await;
    }
}

#[tokio::test]
async fn the_world_keeps_the_contract_of_the_estate() {
    let ground = Ground::new();
    estate(&ground.bench(&*ground.world)).await;
}

#[tokio::test]
async fn the_adapter_keeps_the_contract_of_the_estate_over_the_wire() {
    let ground = Ground::new();
    // One row per page: who does not page, sees one.
    let (served, ec2) = ground.served(1).await;
    estate(&ground.bench(&ec2)).await;
    assert!(served.calls()["DescribeVolumes"] > 2, "pages are followed: {:?}", served.calls());
}

#[tokio::test]
async fn what_there_is_much_of_is_asked_for_in_pages_and_twenties() {
    let ground = Ground::new();
    let (served, ec2) = ground.served(10).await;
    let scope = scope(ACCOUNT, "the-external-id");
    for n in 0..45 {
        ground.balancer(BalancerKind::Network, &format!("n-{n}"), n % 2 == 0, &Tags::new()).await;
    }
    let all = ec2.load_balancers(&scope).await.unwrap();
    let calls = served.calls();
    assert_eq!((all.len(), calls["DescribeLoadBalancers"], calls["DescribeTags"]), (45, 6, 3), "five pages, an empty list, three twenties");
    let behind = ec2.behind(&scope, &all[..1]).await.unwrap();
    assert!(behind[&all[0].id].any);
    let calls = served.calls();
    assert_eq!((calls["DescribeTargetGroups"], calls["DescribeTargetHealth"]), (9, 2), "only what is asked about is looked behind");
}

/// A list is whole or an error, wherever it breaks; what is written is told apart from what is not.
#[tokio::test]
async fn a_call_that_fails_is_an_error_and_never_an_empty_list() {
    let ground = Ground::new();
    let (served, ec2) = ground.served(10).await;
    let scope = scope(ACCOUNT, "the-external-id");
    let tags = Tags::new();
    let volume = ground.volume(1, &tags).await;
    ground.gateway(true, &tags).await;
    let members = ground.group("workers", 1, 0).await;
    for kind in [BalancerKind::Application, BalancerKind::Classic] {
        ground.balancer(kind, if kind == BalancerKind::Classic { "old" } else { "new" }, true, &tags).await;
    }
    let balancers = ec2.load_balancers(&scope).await.unwrap();
    let filter = domain::ports::estate::VolumeFilter::Unattached;
    for (action, status, code) in [
        ("DescribeVolumes", 403, "UnauthorizedOperation"),
        ("DescribeAddresses", 403, "UnauthorizedOperation"),
        ("DescribeNatGateways", 403, "UnauthorizedOperation"),
        ("DescribeRouteTables", 403, "UnauthorizedOperation"),
        ("DescribeLoadBalancers", 403, "AccessDenied"),
        ("DescribeTags", 400, "LoadBalancerNotFound"),
        ("DescribeTargetGroups", 403, "AccessDenied"),
        ("DescribeTargetHealth", 403, "AccessDenied"),
        ("DescribeAutoScalingInstances", 403, "AccessDenied"),
        ("DescribeAutoScalingGroups", 403, "AccessDenied"),
        ("TerminateInstanceInAutoScalingGroup", 400, "ValidationError"),
        ("DescribeSnapshots", 403, "UnauthorizedOperation"),
        ("CreateSnapshot", 400, "SnapshotCreationPerVolumeRateExceeded"),
        ("DeleteVolume", 400, "VolumeInUse"),
        ("DescribeInstanceAttribute", 403, "UnauthorizedOperation"),
    ] {
        served.fail_next(action, status, code);
        let failed = match action {
            "DescribeVolumes" => ec2.volumes(&scope, &filter).await.err(),
            "DescribeAddresses" => ec2.addresses(&scope).await.err(),
            "DescribeNatGateways" | "DescribeRouteTables" => ec2.nat_gateways(&scope).await.err(),
            "DescribeLoadBalancers" | "DescribeTags" => ec2.load_balancers(&scope).await.err(),
            "DescribeTargetGroups" | "DescribeTargetHealth" => ec2.behind(&scope, &balancers).await.err(),
            "DescribeAutoScalingInstances" | "DescribeAutoScalingGroups" => ec2.members(&scope, &members).await.err(),
            "TerminateInstanceInAutoScalingGroup" => ec2.end_member(&scope, &members[0]).await.err(),
            "DescribeSnapshots" | "CreateSnapshot" => ec2.snapshot(&scope, &volume, "plan-1").await.err(),
            "DeleteVolume" => ec2.delete_volume(&scope, &volume).await.err(),
            _ => ec2.end_forbidden(&scope, &members[0]).await.err(),
        };
        let definite = |error: &CloudError| match error {
            CloudError::NoAccess(_) => status == 403,
            CloudError::Refused(_) => status == 400,
            CloudError::NoCapacity(_) | CloudError::TokenMismatch | CloudError::Ambiguous(_) | CloudError::Throttled => false,
        };
        assert!(failed.as_ref().is_some_and(definite), "{action}: {failed:?}");
    }
}

#[tokio::test]
async fn throttled_reads_are_repeated() {
    let ground = Ground::new();
    let (served, ec2) = ground.served(10).await;
    let scope = scope(ACCOUNT, "the-external-id");
    ground.balancer(BalancerKind::Network, "net", true, &Tags::new()).await;
    for (action, code) in
        [("DescribeAddresses", "RequestLimitExceeded"), ("DescribeLoadBalancers", "Throttling"), ("DescribeTags", "Throttling")]
    {
        served.fail_next(action, 503, code);
    }
    assert_eq!(ec2.addresses(&scope).await.unwrap(), []);
    assert_eq!(ec2.load_balancers(&scope).await.unwrap().len(), 1);
}
