//! What the account of a customer allows us.

use super::{CloudError, LaunchRequest};
use crate::ids::{InstanceId, VolumeId};
use crate::tenant::AwsScope;
use async_trait::async_trait;

/// A read of what there is: it knows no resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Read {
    /// Instances.
    Instances,
    /// Reserved instances.
    ReservedInstances,
    /// Spot requests.
    SpotInstanceRequests,
    /// Spot prices.
    SpotPriceHistory,
    /// Volumes.
    Volumes,
    /// Snapshots.
    Snapshots,
    /// Elastic IP addresses.
    Addresses,
    /// NAT gateways.
    NatGateways,
    /// Route tables.
    RouteTables,
    /// Load balancers.
    LoadBalancers,
    /// Tags of load balancers.
    BalancerTags,
    /// Target groups.
    TargetGroups,
    /// What is registered in a target group.
    TargetHealth,
    /// Instances of Auto Scaling groups.
    GroupMembers,
    /// Auto Scaling groups.
    Groups,
}

impl Read {
    /// Every one.
    pub const ALL: [Read; 15] = [
        Read::Instances,
        Read::ReservedInstances,
        Read::SpotInstanceRequests,
        Read::SpotPriceHistory,
        Read::Volumes,
        Read::Snapshots,
        Read::Addresses,
        Read::NatGateways,
        Read::RouteTables,
        Read::LoadBalancers,
        Read::BalancerTags,
        Read::TargetGroups,
        Read::TargetHealth,
        Read::GroupMembers,
        Read::Groups,
    ];
}

/// What of an instance may be looked into only where it is allowed by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute {
    /// What it boots with: it may hold a token.
    UserData,
    /// Whether ending it is forbidden.
    DisableApiTermination,
}

/// A question about one right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// May this be listed?
    Read(Read),
    /// May this be read of this instance?
    Attribute(InstanceId, Attribute),
    /// May this be launched? It is not.
    Launch(Box<LaunchRequest>),
    /// May this instance be ended? It is not.
    End(InstanceId),
    /// May a snapshot of this volume be made? It is not.
    Snapshot(VolumeId),
    /// May this volume be deleted? It is not.
    DeleteVolume(VolumeId),
    /// May groups be told to go on? A group that nobody has is.
    GoOn,
}

/// What AWS says to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// We may.
    Yes,
    /// We may not. `action`: which one is missing, where AWS names it; a launch takes several.
    No {
        /// `iam:PassRole`.
        action: Option<String>,
    },
    /// It refused for a reason that has nothing to do with rights: its code.
    Unclear(String),
}

/// Asks AWS what we may do in an account, in the very session that it would be done in.
///
/// # Guarantees
/// Nothing is changed by asking: what changes something is asked as a dry run, or of something that nobody has.
#[async_trait]
pub trait AccountRights: Send + Sync {
    /// The answer.
    ///
    /// # Errors
    /// The role cannot be assumed, or AWS does not answer.
    async fn may(&self, scope: &AwsScope, question: &Question) -> Result<Said, CloudError>;
}
