//! Instance types: what a node of each is.

use crate::ids::InstanceType;
use serde::{Deserialize, Serialize};

/// The instruction set, as the label `kubernetes.io/arch` spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Arch {
    /// x86-64, of Intel or AMD.
    Amd64,
    /// 64-bit Arm: Graviton.
    Arm64,
}

impl Arch {
    /// The word of the label.
    pub fn as_str(self) -> &'static str {
        match self {
            Arch::Amd64 => "amd64",
            Arch::Arm64 => "arm64",
        }
    }
}

/// What lies between the instance and the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hypervisor {
    /// Nitro: every type of today.
    Nitro,
    /// Xen: types of earlier generations; their volumes and network cards have other names.
    Xen,
    /// Nothing: a whole machine, minutes slower to boot.
    Metal,
}

/// An instance type, as far as planning asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TypeInfo {
    /// `m6i.large`.
    pub name: InstanceType,
    /// What its images must be built for.
    pub arch: Arch,
    /// Virtual cores.
    pub vcpu: u32,
    /// Memory of the instance, bytes.
    pub memory_bytes: u64,
    /// CPU that pods can have, thousandths of a core: what the kubelet and the system keep is taken off.
    pub allocatable_cpu_millis: u64,
    /// Memory that pods can have, bytes: also less what the hypervisor keeps and the eviction threshold.
    pub allocatable_memory_bytes: u64,
    /// How many pods get an address with the AWS network plugin, without prefix delegation.
    pub pods_max: u32,
    /// The letters before the generation: `m`, `c`, `inf`.
    pub category: String,
    /// The number after them.
    pub generation: u32,
    /// Whether AWS sells it as current. A type of a previous generation still runs, and seldom pays.
    pub current: bool,
    /// GPUs.
    pub gpu_count: u32,
    /// Accelerators that are no GPU: Inferentia, Trainium and the like.
    pub accelerator_count: u32,
    /// Local NVMe storage, bytes. Its content goes with the instance.
    pub nvme_bytes: u64,
    /// Whether its cores are a share of the machine's (`flex`): full speed most of the time, not all of it.
    pub flex: bool,
    /// See [`Hypervisor`].
    pub hypervisor: Hypervisor,
    /// CoreMark iterations per second of all its cores together, where somebody has measured it.
    pub coremark: Option<u32>,
}

impl TypeInfo {
    /// `m6i` of `m6i.large`: what savings plans and quotas go by.
    pub fn family(&self) -> &str {
        self.name.as_str().split_once('.').map_or(self.name.as_str(), |(family, _)| family)
    }

    /// Whether its cores run on credits (category `t`): cheap for what idles, slow for what works.
    pub fn burstable(&self) -> bool {
        self.category == "t"
    }

    /// Whether it is a whole machine.
    pub fn metal(&self) -> bool {
        self.hypervisor == Hypervisor::Metal
    }

    /// Whether an ordinary pod has no use for what makes it dear: GPUs and other accelerators.
    pub fn accelerated(&self) -> bool {
        self.gpu_count > 0 || self.accelerator_count > 0
    }
}
