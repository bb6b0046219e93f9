//! The contract of what else a customer has in AWS: volumes, snapshots, addresses, gateways, groups and load balancers.

use async_trait::async_trait;
use domain::ids::{InstanceId, VolumeId};
use domain::ports::Estate;
use domain::ports::estate::{BalancerKind, Behind, LoadBalancer, SnapshotState, VolumeFilter};
use domain::tenant::AwsScope;
use std::collections::BTreeMap;

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// Makes things on the other side, as a customer would.
#[async_trait]
pub trait Hands: Send + Sync {
    /// A gp3 volume that nothing is attached to.
    async fn volume(&self, size_gib: u32, tags: &Tags) -> VolumeId;
    /// An elastic IP address. Its allocation id.
    async fn address(&self, associated: bool, tags: &Tags) -> String;
    /// A NAT gateway, and a route to it or none. Its id.
    async fn gateway(&self, routed: bool, tags: &Tags) -> String;
    /// A load balancer with two target groups of which the second has a target or none; a classic one with an instance or none. Its id.
    async fn balancer(&self, kind: BalancerKind, name: &str, any: bool, tags: &Tags) -> String;
    /// A group of so many instances, and its least size.
    async fn group(&self, name: &str, instances: u32, min: u32) -> Vec<InstanceId>;
    /// An instance that is in no group, protected from being ended or not.
    async fn instance(&self, protected: bool) -> InstanceId;
    /// Lets snapshots become whole.
    async fn pass(&self);
}

/// What the other side knows of what AWS does. A side that does not know something is held to *that*.
#[derive(Debug, Clone, Copy)]
pub struct Knows {
    /// A group at its least refuses to lose a member.
    pub minimum: bool,
    /// Which load balancers carry which tags, one page at a time.
    pub balancers: bool,
}

/// An estate to judge.
pub struct Bench<'a> {
    /// The estate.
    pub estate: &'a dyn Estate,
    /// A scope that may do everything.
    pub scope: AwsScope,
    /// Hands.
    pub hands: &'a dyn Hands,
    /// What the other side knows.
    pub knows: Knows,
    /// Sets what this run makes apart from what another made on the same endpoint. Short: names of load balancers are.
    pub run: String,
}

/// Runs every law.
///
/// # Panics
/// Where one does not hold.
pub async fn estate(bench: &Bench<'_>) {
    volumes_are_listed_with_what_decides_about_them(bench).await;
    one_mark_makes_one_snapshot(bench).await;
    a_volume_is_deleted_once_and_may_be_deleted_again(bench).await;
    addresses_say_whether_they_stand_for_anything(bench).await;
    gateways_say_whether_a_route_leads_to_them(bench).await;
    load_balancers_of_both_generations_say_what_is_behind_them(bench).await;
    members_are_known_with_their_group_and_strangers_are_absent(bench).await;
    a_member_is_ended_with_one_instance_less_asked_for(bench).await;
    a_protected_instance_says_so(bench).await;
}

impl Bench<'_> {
    fn tags(&self, of: &str) -> Tags {
        let word = format!("{of}-{}", self.run);
        [("kubernetes.io/cluster/prod", "owned"), ("Name", word.as_str())].map(|(key, value)| (key.to_owned(), value.to_owned())).into()
    }

    async fn volume(&self, id: &VolumeId) -> Vec<domain::ports::estate::EbsVolume> {
        self.estate.volumes(&self.scope, &VolumeFilter::Ids(vec![id.clone()])).await.unwrap()
    }
}

async fn volumes_are_listed_with_what_decides_about_them(bench: &Bench<'_>) {
    let tags = bench.tags("volume");
    let (first, second) = (bench.hands.volume(40, &tags).await, bench.hands.volume(7, &Tags::new()).await);
    let listed = bench.estate.volumes(&bench.scope, &VolumeFilter::Unattached).await.unwrap();
    for (id, size, tags) in [(&first, 40, &tags), (&second, 7, &Tags::new())] {
        let found = listed.iter().find(|volume| volume.id == *id).unwrap_or_else(|| panic!("{id} is missing"));
        assert_eq!((found.size_gib, found.volume_type.as_str(), &found.tags), (size, "gp3", tags));
        assert!(found.available && !found.attached, "{found:?}");
    }
    let unknown = VolumeId::parse("vol-0fffffffffffffff0").unwrap();
    let asked = VolumeFilter::Ids(vec![first.clone(), unknown]);
    let found = bench.estate.volumes(&bench.scope, &asked).await.unwrap();
    assert_eq!(found.into_iter().map(|volume| volume.id).collect::<Vec<_>>(), [first]);
}

async fn one_mark_makes_one_snapshot(bench: &Bench<'_>) {
    let volume = bench.hands.volume(1, &Tags::new()).await;
    let mark = |n: u8| format!("plan-{n}-{}", bench.run);
    let first = bench.estate.snapshot(&bench.scope, &volume, &mark(1)).await.unwrap();
    assert!(first.id.starts_with("snap-"), "{first:?}");
    bench.hands.pass().await;
    let again = bench.estate.snapshot(&bench.scope, &volume, &mark(1)).await.unwrap();
    assert_eq!((again.id, again.state), (first.id.clone(), SnapshotState::Completed));
    let other = bench.estate.snapshot(&bench.scope, &volume, &mark(2)).await.unwrap();
    assert_ne!(other.id, first.id, "another plan makes its own");
}

async fn a_volume_is_deleted_once_and_may_be_deleted_again(bench: &Bench<'_>) {
    let volume = bench.hands.volume(1, &Tags::new()).await;
    assert_eq!(bench.volume(&volume).await.len(), 1);
    for _ in 0..2 {
        bench.estate.delete_volume(&bench.scope, &volume).await.unwrap();
    }
    assert_eq!(bench.volume(&volume).await, []);
}

async fn addresses_say_whether_they_stand_for_anything(bench: &Bench<'_>) {
    let tags = bench.tags("address");
    let (spare, used) = (bench.hands.address(false, &tags).await, bench.hands.address(true, &tags).await);
    let listed = bench.estate.addresses(&bench.scope).await.unwrap();
    for (id, associated) in [(spare, false), (used, true)] {
        let found = listed.iter().find(|address| address.id == id).unwrap_or_else(|| panic!("{id} is missing"));
        assert_eq!((found.associated, &found.tags), (associated, &tags));
        assert!(found.ip.parse::<std::net::Ipv4Addr>().is_ok(), "{found:?}");
    }
}

async fn gateways_say_whether_a_route_leads_to_them(bench: &Bench<'_>) {
    let tags = bench.tags("gateway");
    let (spare, used) = (bench.hands.gateway(false, &tags).await, bench.hands.gateway(true, &tags).await);
    let listed = bench.estate.nat_gateways(&bench.scope).await.unwrap();
    for (id, routed) in [(spare, false), (used, true)] {
        let found = listed.iter().find(|gateway| gateway.id == id).unwrap_or_else(|| panic!("{id} is missing"));
        assert_eq!((found.routed, found.available, &found.tags), (routed, true, &tags));
        assert!(found.created_at.is_some());
    }
}

async fn load_balancers_of_both_generations_say_what_is_behind_them(bench: &Bench<'_>) {
    if !bench.knows.balancers {
        return;
    }
    let tags = bench.tags("balancer");
    let mut made = Vec::new();
    for (n, (kind, any)) in [BalancerKind::Application, BalancerKind::Network, BalancerKind::Classic]
        .into_iter()
        .flat_map(|kind| [(kind, true), (kind, false)])
        .enumerate()
    {
        made.push((bench.hands.balancer(kind, &format!("b{n}-{}", bench.run), any, &tags).await, kind, any));
    }
    let listed = bench.estate.load_balancers(&bench.scope).await.unwrap();
    let ours: Vec<LoadBalancer> = listed.into_iter().filter(|it| made.iter().any(|(id, ..)| *id == it.id)).collect();
    assert_eq!(ours.len(), made.len(), "{ours:?}");
    let behind = bench.estate.behind(&bench.scope, &ours).await.unwrap();
    for (id, kind, any) in &made {
        let it = ours.iter().find(|it| it.id == *id).unwrap();
        assert_eq!((it.kind, it.active, &it.tags), (*kind, true, &tags));
        assert!(it.created_at.is_some());
        let groups = if *kind == BalancerKind::Classic { 0 } else { 2 };
        assert_eq!(behind[id], Behind { groups, any: *any }, "{id}");
    }
    assert_eq!(bench.estate.behind(&bench.scope, &[]).await.unwrap(), BTreeMap::new());
}

async fn members_are_known_with_their_group_and_strangers_are_absent(bench: &Bench<'_>) {
    let name = format!("known-{}", bench.run);
    let (members, stranger) = (bench.hands.group(&name, 3, 1).await, bench.hands.instance(false).await);
    let asked: Vec<InstanceId> = members.iter().cloned().chain([stranger]).collect();
    let known = bench.estate.members(&bench.scope, &asked).await.unwrap();
    assert_eq!(known.len(), 3, "{known:?}");
    for it in known {
        assert!(members.contains(&it.instance));
        assert_eq!((it.group.as_str(), it.lifecycle.as_str(), it.protected, it.desired, it.min), (name.as_str(), "InService", false, 3, 1));
    }
    assert_eq!(bench.estate.members(&bench.scope, &[]).await.unwrap(), []);
}

async fn a_member_is_ended_with_one_instance_less_asked_for(bench: &Bench<'_>) {
    let members = bench.hands.group(&format!("ended-{}", bench.run), 2, 1).await;
    bench.estate.end_member(&bench.scope, &members[0]).await.unwrap();
    let left = bench.estate.members(&bench.scope, &members[1..]).await.unwrap();
    assert_eq!((left.len(), left[0].desired), (1, 1));
    if bench.knows.minimum {
        let refused = bench.estate.end_member(&bench.scope, &members[1]).await.unwrap_err();
        assert!(refused.to_string().contains("minimum"), "{refused}");
    }
}

async fn a_protected_instance_says_so(bench: &Bench<'_>) {
    for protected in [true, false] {
        let instance = bench.hands.instance(protected).await;
        assert_eq!(bench.estate.end_forbidden(&bench.scope, &instance).await.unwrap(), protected);
    }
}
