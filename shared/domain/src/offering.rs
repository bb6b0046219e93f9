//! What EC2 can sell: a type in a zone, as spot or on-demand.

use crate::ids::{InstanceType, SubnetId, Zone};
use crate::money::MicroDollars;
use serde::{Deserialize, Serialize};

/// How an instance is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CapacityType {
    /// Spare capacity: cheaper, and taken back with two minutes of notice.
    Spot,
    /// Kept until it is terminated by its owner.
    OnDemand,
}

impl CapacityType {
    /// The word that Kubernetes labels, tags and the API use.
    pub fn as_str(self) -> &'static str {
        match self {
            CapacityType::Spot => "spot",
            CapacityType::OnDemand => "on-demand",
        }
    }
}

/// The unit in which EC2 runs out of capacity and interrupts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Pool {
    /// The instance type.
    pub instance_type: InstanceType,
    /// The availability zone.
    pub zone: Zone,
    /// Spot or on-demand.
    pub capacity: CapacityType,
}

impl std::fmt::Display for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} in {} ({})", self.instance_type, self.zone, self.capacity.as_str())
    }
}

/// A pool together with the subnet through which this cluster can use it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Offering {
    /// What is bought.
    pub pool: Pool,
    /// The subnet that the instance gets its address from; it fixes the zone of the client token.
    pub subnet: SubnetId,
    /// Price per hour where one is known; advice may be made before prices are.
    pub price_per_hour: Option<MicroDollars>,
}
