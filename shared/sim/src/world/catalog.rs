//! Sizes and prices of instance types, near enough to life.

use super::state::State;
use domain::catalog::{Arch, TypeInfo};
use domain::ids::InstanceType;
use domain::money::MicroDollars;
use domain::offering::CapacityType;
use std::collections::BTreeMap;

/// An instance type of a world: what its nodes offer to pods, and what it costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeSpec {
    /// `m6i.large`.
    pub name: InstanceType,
    /// Allocatable CPU, thousandths of a core.
    pub cpu_millis: u64,
    /// Allocatable memory, bytes.
    pub memory_bytes: u64,
    /// How many pods fit.
    pub pods_max: u32,
    /// What else it has by name, in whole units: `nvidia.com/gpu`.
    pub extended: BTreeMap<String, u64>,
    /// What its images must be built for.
    pub arch: Arch,
    /// An hour on demand.
    pub on_demand: MicroDollars,
}

impl TypeSpec {
    /// The type as a world knows it that was told nothing about it.
    pub fn of(name: &InstanceType) -> TypeSpec {
        let size = size(name);
        TypeSpec {
            name: name.clone(),
            cpu_millis: size.cpu_millis,
            memory_bytes: size.memory_bytes,
            pods_max: size.pods_max,
            extended: BTreeMap::new(),
            arch: arch(name),
            on_demand: price(name, CapacityType::OnDemand),
        }
    }

    /// The type as a catalogue has it, at this price of an hour on demand.
    pub fn from_info(info: &TypeInfo, on_demand: MicroDollars) -> TypeSpec {
        let gpus = (info.gpu_count > 0).then(|| ("nvidia.com/gpu".to_owned(), u64::from(info.gpu_count)));
        TypeSpec {
            name: info.name.clone(),
            cpu_millis: info.allocatable_cpu_millis,
            memory_bytes: info.allocatable_memory_bytes,
            pods_max: info.pods_max,
            extended: gpus.into_iter().collect(),
            arch: info.arch,
            on_demand,
        }
    }
}

impl State {
    /// What is known of a type: what the world was told, or else what its name says.
    pub(crate) fn type_of(&self, name: &InstanceType) -> TypeSpec {
        self.types.get(name).cloned().unwrap_or_else(|| TypeSpec::of(name))
    }
}

/// The letter g after the generation stands for Graviton.
fn arch(name: &InstanceType) -> Arch {
    let family = name.as_str().split_once('.').map_or("", |(family, _)| family);
    let rest = family.trim_start_matches(|c: char| !c.is_ascii_digit()).trim_start_matches(|c: char| c.is_ascii_digit());
    if rest.contains('g') { Arch::Arm64 } else { Arch::Amd64 }
}

/// What a node of a type offers to pods.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Allocatable CPU, thousandths of a core.
    pub cpu_millis: u64,
    /// Allocatable memory, bytes.
    pub memory_bytes: u64,
    /// How many pods fit.
    pub pods_max: u32,
}

fn vcpus(size: &str) -> u64 {
    match size {
        "nano" | "micro" | "small" | "medium" => 1,
        "large" => 2,
        "xlarge" => 4,
        more => more.strip_suffix("xlarge").and_then(|n| n.parse::<u64>().ok()).unwrap_or(1).clamp(1, 128) * 4,
    }
}

fn parts(instance_type: &InstanceType) -> (u64, u64) {
    let (family, size) = instance_type.as_str().split_once('.').unwrap_or(("m", "large"));
    let gib_per_vcpu = match family.as_bytes().first() {
        Some(b'c') => 2,
        Some(b'r' | b'x') => 8,
        _ => 4,
    };
    (vcpus(size), gib_per_vcpu)
}

/// The size of a type: what is left when kubelet and system have had their share.
pub fn size(instance_type: &InstanceType) -> Size {
    let (vcpus, gib) = parts(instance_type);
    let pods_max = match vcpus {
        0..=2 => 29,
        3..=8 => 58,
        _ => 110,
    };
    Size { cpu_millis: vcpus * 1000 - 70, memory_bytes: (vcpus * gib * 1024 - 574) << 20, pods_max }
}

/// The price of an hour: 2 cents per core and 0.6 cents per GiB on demand, a third of it as spot.
pub fn price(instance_type: &InstanceType, capacity: CapacityType) -> MicroDollars {
    let (vcpus, gib) = parts(instance_type);
    let full = i64::try_from(vcpus * 20_000 + vcpus * gib * 6_000).unwrap_or(i64::MAX);
    match capacity {
        CapacityType::OnDemand => MicroDollars(full),
        CapacityType::Spot => MicroDollars(full / 3),
    }
}
