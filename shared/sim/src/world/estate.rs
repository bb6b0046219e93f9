//! What else there is in EC2: volumes, addresses, gateways, and what Auto Scaling thinks of instances.

use super::World;
use super::happened::By;
use super::state::{Kube, Machine, State};
use async_trait::async_trait;
use domain::ids::{AccountId, InstanceId, VolumeId};
use domain::node::NodeOwner;
use domain::ports::estate::{
    Address, BalancerKind, Behind, EbsVolume, Estate, LoadBalancer, Member, NatGateway, SnapshotState, VolumeFilter, VolumeSnapshot,
};
use domain::ports::inventory::PersistentVolume;
use domain::ports::{CloudError, InstanceState};
use domain::tenant::AwsScope;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// Everything of it. One account: worlds with volumes have one.
#[derive(Debug, Default)]
pub(crate) struct Estates {
    /// Actions that roles of accounts do not have.
    pub(crate) denied: BTreeSet<(AccountId, String)>,
    pub(crate) group_min: BTreeMap<String, u32>,
    pub(crate) lifecycles: BTreeMap<InstanceId, String>,
    pub(crate) scale_in_protected: BTreeSet<InstanceId>,
    pub(crate) end_forbidden: BTreeSet<InstanceId>,
    pub(crate) volumes: BTreeMap<VolumeId, EbsVolume>,
    /// By volume and mark: its id, and when it is whole.
    pub(crate) snapshots: BTreeMap<(VolumeId, String), (String, Timestamp)>,
    pub(crate) persistent: Vec<PersistentVolume>,
    pub(crate) addresses: Vec<Address>,
    pub(crate) nat_gateways: Vec<NatGateway>,
    pub(crate) balancers: Vec<(LoadBalancer, Behind)>,
}

/// How long a snapshot takes.
const SNAPSHOT: jiff::SignedDuration = jiff::SignedDuration::from_mins(3);

fn group(machine: &Machine) -> Option<&String> {
    match &machine.owner {
        NodeOwner::AutoScalingGroup { group } | NodeOwner::ManagedNodeGroup { group } => Some(group),
        NodeOwner::Karpenter { .. } | NodeOwner::CloudOptim => None,
    }
}

impl State {
    fn member(&self, machine: &Machine) -> Option<Member> {
        let group_name = group(machine)?;
        let live = |other: &&Machine| other.state.live() && group(other) == Some(group_name) && other.account == machine.account;
        let desired = u32::try_from(self.machines.values().filter(live).count()).unwrap_or(u32::MAX);
        Some(Member {
            instance: machine.id.clone(),
            group: group_name.clone(),
            lifecycle: self.estates.lifecycles.get(&machine.id).cloned().unwrap_or_else(|| "InService".to_owned()),
            protected: self.estates.scale_in_protected.contains(&machine.id),
            desired,
            min: self.estates.group_min.get(group_name).copied().unwrap_or(0),
        })
    }
}

impl World {
    /// A Node object goes while its instance runs on: a kubelet that lost its way, a person with kubectl.
    pub fn lose_node(&self, instance: &InstanceId) {
        self.with(|state| {
            let Some(cluster) = state.machines.get(instance).and_then(|machine| machine.cluster) else { return };
            let node = state.clusters.get(cluster).and_then(|kube| kube.nodes.values().find(|node| node.instance == *instance));
            if let Some(uid) = node.map(|node| node.uid.clone()) {
                state.remove_node(cluster, &uid, By::Human);
            }
        });
    }

    /// How many instances a group must have.
    pub fn set_group_min(&self, group: &str, min: u32) {
        self.with(|state| state.estates.group_min.insert(group.to_owned(), min));
    }

    /// What a group has in mind with an instance: `Standby`, `Warmed:Running`.
    pub fn set_lifecycle(&self, instance: &InstanceId, word: &str) {
        self.with(|state| state.estates.lifecycles.insert(instance.clone(), word.to_owned()));
    }

    /// Sets a tag, as a person does.
    pub fn set_tag(&self, instance: &InstanceId, key: &str, value: &str) {
        self.with(|state| {
            if let Some(machine) = state.machines.get_mut(instance) {
                machine.tags.insert(key.to_owned(), value.to_owned());
            }
        });
    }

    /// Protects an instance from being ended through the API.
    pub fn forbid_end(&self, instance: &InstanceId) {
        self.with(|state| state.estates.end_forbidden.insert(instance.clone()));
    }

    /// Adds a volume, or shows it otherwise.
    pub fn put_volume(&self, volume: EbsVolume) {
        self.with(|state| state.estates.volumes.insert(volume.id.clone(), volume));
    }

    /// Which PersistentVolumes of EBS there are, in every cluster of this world.
    pub fn set_persistent_volumes(&self, volumes: Vec<PersistentVolume>) {
        self.with(|state| state.estates.persistent = volumes);
    }

    /// Volumes that are there.
    pub fn all_volumes(&self) -> Vec<EbsVolume> {
        self.with(|state| state.estates.volumes.values().cloned().collect())
    }

    /// Snapshots that were made: of which volume, and under which mark.
    pub fn all_snapshots(&self) -> Vec<(VolumeId, String)> {
        self.with(|state| state.estates.snapshots.keys().cloned().collect())
    }

    /// Adds an address.
    pub fn add_address(&self, address: Address) {
        self.with(|state| state.estates.addresses.push(address));
    }

    /// Adds a load balancer with what is behind it, or has it otherwise.
    pub fn put_balancer(&self, balancer: LoadBalancer, behind: Behind) {
        self.with(|state| {
            let all = &mut state.estates.balancers;
            all.retain(|(there, _)| there.id != balancer.id);
            all.push((balancer, behind));
        });
    }

    /// Adds a NAT gateway.
    pub fn add_nat_gateway(&self, gateway: NatGateway) {
        self.with(|state| state.estates.nat_gateways.push(gateway));
    }
}

fn no_instance(id: &InstanceId) -> CloudError {
    CloudError::Refused(format!("InvalidInstanceID.NotFound: {id}"))
}

#[async_trait]
impl Estate for World {
    async fn members(&self, _scope: &AwsScope, instances: &[InstanceId]) -> Result<Vec<Member>, CloudError> {
        self.call("members", |state| {
            Ok(instances.iter().filter_map(|id| state.machines.get(id)).filter_map(|machine| state.member(machine)).collect())
        })
    }

    async fn end_forbidden(&self, _scope: &AwsScope, instance: &InstanceId) -> Result<bool, CloudError> {
        self.call("end_forbidden", |state| {
            let known = state.machines.get(instance).filter(|machine| machine.state != InstanceState::Terminated);
            known.map(|machine| state.estates.end_forbidden.contains(&machine.id)).ok_or_else(|| no_instance(instance))
        })
    }

    async fn end_member(&self, _scope: &AwsScope, instance: &InstanceId) -> Result<(), CloudError> {
        self.call("end_member", |state| {
            let machine = state.machines.get(instance).ok_or_else(|| no_instance(instance))?;
            if !machine.state.live() {
                return Ok(());
            }
            let member = state.member(machine).ok_or_else(|| CloudError::Refused(format!("ValidationError: {instance} is in no group")))?;
            if member.desired <= member.min {
                let why = "ValidationError: the group is at its minimum size, and the desired capacity cannot be decremented";
                return Err(CloudError::Refused(why.to_owned()));
            }
            // One less is asked for: nothing takes its place.
            if let Some(machine) = state.machines.get_mut(instance) {
                machine.replaced = true;
            }
            state.ends(instance, By::Us, "Client.UserInitiatedShutdown: User initiated shutdown");
            Ok(())
        })
    }

    async fn volumes(&self, _scope: &AwsScope, filter: &VolumeFilter) -> Result<Vec<EbsVolume>, CloudError> {
        self.call("volumes", |state| {
            let wanted = |volume: &&EbsVolume| match filter {
                VolumeFilter::Ids(ids) => ids.contains(&volume.id),
                VolumeFilter::Unattached => volume.available,
            };
            let of_claims = state.clusters.iter().flat_map(Kube::ebs_volumes);
            let all: Vec<EbsVolume> = state.estates.volumes.values().cloned().chain(of_claims).collect();
            Ok(all.into_iter().filter(|volume| wanted(&volume)).collect())
        })
    }

    async fn snapshot(&self, _scope: &AwsScope, volume: &VolumeId, mark: &str) -> Result<VolumeSnapshot, CloudError> {
        self.call("snapshot", |state| {
            let of_claims = || state.clusters.iter().flat_map(Kube::ebs_volumes).any(|it| it.id == *volume);
            if !state.estates.volumes.contains_key(volume) && !of_claims() {
                return Err(CloudError::Refused(format!("InvalidVolume.NotFound: {volume}")));
            }
            let (now, next) = (state.now, state.estates.snapshots.len());
            let whole_at = state.after(SNAPSHOT);
            let made = state.estates.snapshots.entry((volume.clone(), mark.to_owned()));
            let (id, whole_at) = made.or_insert_with(|| (format!("snap-{next:017x}"), whole_at));
            let how_far = if *whole_at <= now { SnapshotState::Completed } else { SnapshotState::Pending };
            Ok(VolumeSnapshot { id: id.clone(), state: how_far })
        })
    }

    async fn delete_volume(&self, _scope: &AwsScope, volume: &VolumeId) -> Result<(), CloudError> {
        self.call("delete_volume", |state| {
            let mut of_claims = state.clusters.iter().flat_map(Kube::ebs_volumes);
            let attached = |it: &EbsVolume| it.id == *volume && it.attached;
            if state.estates.volumes.values().any(attached) || of_claims.any(|it| attached(&it)) {
                return Err(CloudError::Refused(format!("VolumeInUse: {volume}")));
            }
            state.estates.volumes.remove(volume);
            state.clusters.iter_mut().any(|kube| kube.lose_volume(volume));
            Ok(())
        })
    }

    async fn addresses(&self, _scope: &AwsScope) -> Result<Vec<Address>, CloudError> {
        self.call("addresses", |state| Ok(state.estates.addresses.clone()))
    }

    async fn nat_gateways(&self, _scope: &AwsScope) -> Result<Vec<NatGateway>, CloudError> {
        self.call("nat_gateways", |state| {
            // Where there is one, its routes are asked for, too.
            let routes = u64::from(!state.estates.nat_gateways.is_empty());
            *state.calls.entry("route_tables").or_default() += routes;
            Ok(state.estates.nat_gateways.clone())
        })
    }

    async fn load_balancers(&self, _scope: &AwsScope) -> Result<Vec<LoadBalancer>, CloudError> {
        self.call("load_balancers", |state| {
            let all: Vec<LoadBalancer> = state.estates.balancers.iter().map(|(balancer, _)| balancer.clone()).collect();
            let classic = all.iter().filter(|it| it.kind == BalancerKind::Classic).count();
            // A list of each generation, and the tags of twenty at a time.
            let asked = 2 + classic.div_ceil(20) + (all.len() - classic).div_ceil(20);
            *state.calls.entry("balancer_requests").or_default() += asked as u64;
            Ok(all)
        })
    }

    async fn behind(&self, _scope: &AwsScope, balancers: &[LoadBalancer]) -> Result<BTreeMap<String, Behind>, CloudError> {
        self.call("behind", |state| {
            let wanted = |it: &LoadBalancer| balancers.iter().any(|asked| asked.id == it.id);
            let found: BTreeMap<String, Behind> =
                state.estates.balancers.iter().filter(|(it, _)| wanted(it)).map(|(it, behind)| (it.id.clone(), *behind)).collect();
            // A list of all target groups, and each of theirs.
            let asked = u64::from(!balancers.is_empty()) + found.values().map(|behind| u64::from(behind.groups)).sum::<u64>();
            *state.calls.entry("balancer_requests").or_default() += asked;
            Ok(found)
        })
    }
}
