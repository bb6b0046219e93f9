//! What else a customer has in EC2 besides what is launched and ended every day: Auto Scaling memberships, volumes, addresses,
//! gateways, load balancers.

use super::CloudError;
use crate::ids::{InstanceId, VolumeId, Zone};
use crate::tenant::AwsScope;
use async_trait::async_trait;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// An instance as its Auto Scaling group sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The instance.
    pub instance: InstanceId,
    /// Name of the group.
    pub group: String,
    /// Its state in the group, as AWS spells it: `InService`, `Warmed:Stopped`, `Standby`, `Terminating:Wait`.
    pub lifecycle: String,
    /// Whether it is protected from scale-in.
    pub protected: bool,
    /// How many instances the group is asked to have.
    pub desired: u32,
    /// How many it must have at the least.
    pub min: u32,
}

/// An EBS volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EbsVolume {
    /// Its id.
    pub id: VolumeId,
    /// Its zone.
    pub zone: Zone,
    /// Its size, in GiB.
    pub size_gib: u32,
    /// `gp3` and the like.
    pub volume_type: String,
    /// Provisioned operations per second, where there are any.
    pub iops: u32,
    /// Provisioned throughput in MiB/s, where there is any.
    pub throughput_mib: u32,
    /// Whether it is `available`: whole, and attached to nothing.
    pub available: bool,
    /// Whether anything is attached, or being attached or detached.
    pub attached: bool,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// Which volumes to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VolumeFilter {
    /// By id. Those that EC2 does not know are absent.
    Ids(Vec<VolumeId>),
    /// Volumes without an attachment that the EBS driver made for a cluster: all of the account's, in this Region.
    Unattached,
}

/// A snapshot of a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeSnapshot {
    /// `snap-...`.
    pub id: String,
    /// How far it is.
    pub state: SnapshotState,
}

/// How far a snapshot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SnapshotState {
    /// Being made.
    Pending,
    /// Whole.
    Completed,
    /// It failed.
    Failed,
}

/// An elastic IP address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// `eipalloc-...`.
    pub id: String,
    /// The address itself.
    pub ip: String,
    /// Whether it stands for an instance, a network interface or anything else.
    pub associated: bool,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// A NAT gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatGateway {
    /// `nat-...`.
    pub id: String,
    /// Whether it works.
    pub available: bool,
    /// Whether a route table leads to it.
    pub routed: bool,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// The kind of a load balancer: each has a price of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BalancerKind {
    /// Application Load Balancer.
    Application,
    /// Network Load Balancer.
    Network,
    /// Gateway Load Balancer.
    Gateway,
    /// Of the first generation.
    Classic,
}

/// A load balancer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadBalancer {
    /// Its ARN; of a classic one its name, which is its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What kind it is.
    pub kind: BalancerKind,
    /// Whether it works.
    pub active: bool,
    /// When it was made.
    pub created_at: Option<Timestamp>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// What is registered behind a load balancer, whether it is healthy or not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Behind {
    /// How many target groups it has; a classic one has none.
    pub groups: u32,
    /// Whether any target, or instance of a classic one, is registered.
    pub any: bool,
}

/// Volumes, addresses, gateways, load balancers and Auto Scaling memberships in one Region of one customer's account.
///
/// # Guarantees
/// Lists are whole or an error: a page that is missing never looks like things that are not there. `snapshot` with the same mark
/// makes one snapshot; ends and deletions may be repeated.
#[async_trait]
pub trait Estate: Send + Sync {
    /// What Auto Scaling knows of these instances. Those that are in no group are absent.
    async fn members(&self, scope: &AwsScope, instances: &[InstanceId]) -> Result<Vec<Member>, CloudError>;
    /// Whether the instance is protected from being ended through the API.
    async fn end_forbidden(&self, scope: &AwsScope, instance: &InstanceId) -> Result<bool, CloudError>;
    /// Ends a member through its group, and asks the group for one instance less. A group at its least refuses.
    async fn end_member(&self, scope: &AwsScope, instance: &InstanceId) -> Result<(), CloudError>;
    /// Lists volumes.
    async fn volumes(&self, scope: &AwsScope, filter: &VolumeFilter) -> Result<Vec<EbsVolume>, CloudError>;
    /// Makes a snapshot of a volume, or finds the one that was made under this mark.
    async fn snapshot(&self, scope: &AwsScope, volume: &VolumeId, mark: &str) -> Result<VolumeSnapshot, CloudError>;
    /// Deletes a volume. One that is gone is no error; one that is attached is.
    async fn delete_volume(&self, scope: &AwsScope, volume: &VolumeId) -> Result<(), CloudError>;
    /// Lists elastic IP addresses.
    async fn addresses(&self, scope: &AwsScope) -> Result<Vec<Address>, CloudError>;
    /// Lists NAT gateways that are not deleted.
    async fn nat_gateways(&self, scope: &AwsScope) -> Result<Vec<NatGateway>, CloudError>;
    /// Lists load balancers of every generation, with their tags.
    async fn load_balancers(&self, scope: &AwsScope) -> Result<Vec<LoadBalancer>, CloudError>;
    /// What is registered behind these, by their ids. Where one went meanwhile there is an error, or nothing behind it.
    async fn behind(&self, scope: &AwsScope, balancers: &[LoadBalancer]) -> Result<BTreeMap<String, Behind>, CloudError>;
}
