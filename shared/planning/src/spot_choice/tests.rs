use super::*;
use domain::SignedDuration;
use domain::catalog::{Arch, Hypervisor};
use domain::ids::InstanceType;
use domain::market::PriceSource;

mod commitments;
mod ranking;
mod spreading;

pub(crate) fn now() -> Timestamp {
    "2026-08-01T12:00:00Z".parse().unwrap()
}

pub(crate) fn zone(name: &str) -> Zone {
    Zone::parse(format!("us-east-1{name}")).unwrap()
}

pub(crate) fn pool(kind: &str, at: &str, capacity: CapacityType) -> Pool {
    Pool { instance_type: InstanceType::parse(kind).unwrap(), zone: zone(at), capacity }
}

/// A type of so many cores with 4 GiB each; Arm where its family ends in `g`.
pub(crate) fn info(kind: &str, vcpu: u32) -> TypeInfo {
    let family = kind.split('.').next().unwrap();
    TypeInfo {
        name: InstanceType::parse(kind).unwrap(),
        arch: if family.ends_with('g') { Arch::Arm64 } else { Arch::Amd64 },
        vcpu,
        memory_bytes: u64::from(vcpu) << 32,
        allocatable_cpu_millis: u64::from(vcpu) * 1000 - 70,
        allocatable_memory_bytes: (u64::from(vcpu) << 32) - (1 << 30),
        pods_max: 58,
        category: "m".to_owned(),
        generation: 6,
        current: true,
        gpu_count: 0,
        accelerator_count: 0,
        nvme_bytes: 0,
        flex: false,
        hypervisor: Hypervisor::Nitro,
        coremark: None,
    }
}

pub(crate) fn offer<'a>(info: &'a TypeInfo, at: &str, capacity: CapacityType, micros: i64) -> Candidate<'a> {
    Candidate {
        pool: pool(info.name.as_str(), at, capacity),
        subnet: SubnetId::parse(format!("subnet-{at}")).unwrap(),
        info,
        price: Some(Quote { price_per_hour: MicroDollars(micros), source: PriceSource::Observed { at: now() } }),
        committed_rate: None,
        risk: 0.2,
        interruption_per_hour: 0.0001,
    }
}

pub(crate) fn need() -> Need {
    Need {
        cpu_millis: 1500,
        memory_bytes: 2 << 30,
        pods: 10,
        gpus: 0,
        arm64: Arm64::NotAllowed,
        zones: ZoneChoice::Open(["a", "b", "c"].map(zone).into()),
        purpose: Purpose::Launch,
    }
}

/// Policies that refuse nothing for want of choice: one law at a time.
pub(crate) fn easy() -> SpotPolicy {
    SpotPolicy { flexibility: 1, flexibility_spot_to_spot: 1, ..SpotPolicy::default() }
}

pub(crate) struct Scene {
    pub(crate) policy: SpotPolicy,
    pub(crate) unavailable: BTreeSet<Pool>,
    pub(crate) commitments: Commitments,
    pub(crate) fallback: Option<Fallback>,
}

impl Scene {
    pub(crate) fn with(policy: SpotPolicy) -> Scene {
        Scene { policy, unavailable: BTreeSet::new(), commitments: Commitments::default(), fallback: None }
    }

    pub(crate) fn rank(&self, candidates: &[Candidate<'_>], need: &Need) -> Ranking {
        let given = Given {
            policy: &self.policy,
            unavailable: &self.unavailable,
            commitments: &self.commitments,
            fallback: self.fallback,
            now: now(),
        };
        rank(candidates, need, &given)
    }
}

pub(crate) fn codes(ranking: &Ranking) -> Vec<&'static str> {
    ranking.rejected.iter().map(|rejected| rejected.reason.code()).collect()
}

pub(crate) fn names(ranking: &Ranking) -> Vec<String> {
    ranking.ranked.iter().map(|one| one.offering.pool.to_string()).collect()
}

pub(crate) use CapacityType::{OnDemand, Spot};

/// A market by chance: types of three sizes in three zones, some without a price, some unavailable, some Arm.
pub(crate) fn any_market<'a>(dice: &mut fastrand::Rng, types: &'a [TypeInfo]) -> (Vec<Candidate<'a>>, Scene) {
    let mut candidates = Vec::new();
    let mut scene = Scene::with(SpotPolicy {
        flexibility: dice.u32(0..6),
        flexibility_spot_to_spot: dice.u32(0..6),
        risk_percent_max: dice.u32(50..=100),
        ..SpotPolicy::default()
    });
    for info in types {
        let full = dice.i64(50_000..200_000);
        for at in ["a", "b", "d"] {
            let mut on_demand = offer(info, at, OnDemand, full);
            on_demand.price = on_demand.price.filter(|_| dice.u8(..8) > 0);
            let mut spot = offer(info, at, Spot, full * dice.i64(20..110) / 100);
            spot.price = spot.price.filter(|_| dice.u8(..8) > 0);
            spot.risk = if dice.u8(..20) == 0 { f64::NAN } else { dice.f64() };
            spot.interruption_per_hour = dice.f64() / 100.0;
            for candidate in [on_demand, spot] {
                if dice.u8(..10) == 0 {
                    scene.unavailable.insert(candidate.pool.clone());
                }
                candidates.push(candidate);
            }
        }
    }
    if dice.u8(..4) == 0 {
        let trouble = now() - SignedDuration::from_mins(dice.i64(0..60));
        scene.fallback = Some(Fallback { since: trouble, last_trouble: trouble });
    }
    if dice.u8(..3) == 0 {
        let instance_type = types[dice.usize(..types.len())].name.clone();
        scene.commitments.reserved.push(Reserved { instance_type, zone: None, count: dice.u32(..4), running: dice.u32(..4) });
    }
    (candidates, scene)
}

pub(crate) fn types() -> Vec<TypeInfo> {
    let sizes = [("large", 2), ("xlarge", 4), ("medium", 1)];
    let families = ["m5", "m6i", "m6g", "c5"];
    families.iter().flat_map(|family| sizes.iter().map(move |(size, vcpu)| info(&format!("{family}.{size}"), *vcpu))).collect()
}
