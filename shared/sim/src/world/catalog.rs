//! Sizes and prices of instance types, near enough to life.

use domain::ids::InstanceType;
use domain::money::MicroDollars;
use domain::offering::CapacityType;

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
