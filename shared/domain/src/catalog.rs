//! Instance types: what EC2 can launch, as far as placement needs to know it.

use crate::ids::InstanceType;
use crate::scheduling::Resources;
use serde::{Deserialize, Serialize};

/// A processor architecture, as in the label `kubernetes.io/arch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arch {
    /// x86-64.
    Amd64,
    /// 64-bit Arm: Graviton.
    Arm64,
}

impl Arch {
    /// The value of the label.
    pub fn as_str(self) -> &'static str {
        match self {
            Arch::Amd64 => "amd64",
            Arch::Arm64 => "arm64",
        }
    }
}

/// One instance type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeInfo {
    /// Its name.
    pub name: InstanceType,
    /// Its architecture.
    pub arch: Arch,
    /// vCPUs.
    pub vcpu: u32,
    /// Memory as it is sold, bytes.
    pub memory_bytes: u64,
    /// What pods can have of a node of it: after the reservations of kubelet and system, with the defaults of Amazon Linux 2023.
    pub allocatable: Resources,
    /// How many pods fit (VPC CNI without prefix delegation).
    pub pods_max: u32,
    /// The letters of its category: `c`, `m`, `r`, `t`, `g`, ...
    pub category: String,
    /// Its generation: 6 of `m6i`.
    pub generation: u32,
    /// Whether AWS still lists it as a current generation.
    pub current: bool,
    /// GPUs and other accelerators.
    pub gpus: u32,
    /// Whether its CPU is not wholly its own all the time (`t` and `flex` types).
    pub burstable: bool,
    /// Whether it is a whole machine.
    pub metal: bool,
}

impl TypeInfo {
    /// The family: `m6i` of `m6i.large`.
    pub fn family(&self) -> &str {
        let name = self.name.as_str();
        name.split_once('.').map_or(name, |(family, _)| family)
    }
}
