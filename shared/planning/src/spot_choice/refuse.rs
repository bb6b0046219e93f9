//! The rules that take an offering out.

use super::{Arm64, Candidate, Given, Need, Purpose, Ranked, Reason, SpotPolicy, ZoneChoice};
use domain::catalog::Arch;
use domain::market::Quote;
use domain::money::MicroDollars;
use domain::offering::CapacityType;
use std::collections::BTreeSet;

/// A price that can be believed: known, and above zero, for a price of zero is a price that nobody read.
fn price(candidate: &Candidate<'_>) -> Result<Quote, Reason> {
    candidate.price.filter(|quote| quote.price_per_hour.0 > 0).ok_or(Reason::PriceUnknown)
}

/// Whether the pods could run there at all, on a type that the customer wants.
fn suits(candidate: &Candidate<'_>, need: &Need, policy: &SpotPolicy) -> Result<(), Reason> {
    let refused = policy.refused_traits.iter().find(|refused| refused.of(candidate.info, need.gpus));
    if let Some(refused) = refused {
        return Err(Reason::Unwanted(*refused));
    }
    if candidate.info.arch == Arch::Arm64 && need.arm64 == Arm64::NotAllowed {
        return Err(Reason::Arm64NotAllowed);
    }
    let zone = &candidate.pool.zone;
    let reachable = match &need.zones {
        ZoneChoice::Pinned(only) => zone == only,
        ZoneChoice::Open(zones) => zones.contains(zone),
    };
    if !reachable {
        return Err(Reason::WrongZone);
    }
    let info = candidate.info;
    let large = info.allocatable_cpu_millis >= need.cpu_millis
        && info.allocatable_memory_bytes >= need.memory_bytes
        && info.pods_max >= need.pods
        && info.gpu_count >= need.gpus;
    if large { Ok(()) } else { Err(Reason::TooSmall) }
}

/// The cheapest on-demand price that would do, whether the pool has capacity now or not: it is what spot is measured by.
pub(super) fn cheapest_on_demand(candidates: &[Candidate<'_>], need: &Need, policy: &SpotPolicy) -> Option<MicroDollars> {
    let on_demand = candidates.iter().filter(|candidate| candidate.pool.capacity == CapacityType::OnDemand);
    let fit = on_demand.filter(|candidate| suits(candidate, need, policy).is_ok());
    fit.filter_map(|candidate| price(candidate).ok()).map(|quote| quote.price_per_hour).min()
}

/// What a candidate is refused for by itself; else its price.
pub(super) fn alone(candidate: &Candidate<'_>, need: &Need, given: &Given<'_>, on_demand: Option<MicroDollars>) -> Result<Quote, Reason> {
    suits(candidate, need, given.policy)?;
    let price = price(candidate)?;
    if given.unavailable.contains(&candidate.pool) {
        return Err(Reason::Unavailable);
    }
    match candidate.pool.capacity {
        CapacityType::OnDemand => Ok(price),
        CapacityType::Spot => spot(candidate, given, price.price_per_hour, on_demand).map(|()| price),
    }
}

fn spot(candidate: &Candidate<'_>, given: &Given<'_>, price: MicroDollars, on_demand: Option<MicroDollars>) -> Result<(), Reason> {
    let probability = |value: f64| (0.0..=1.0).contains(&value);
    if !probability(candidate.risk) || !probability(candidate.interruption_per_hour) {
        return Err(Reason::RiskUnknown);
    }
    if candidate.risk * 100.0 > f64::from(given.policy.risk_percent_max) {
        return Err(Reason::RiskTooHigh);
    }
    if let Some(until) = given.fallback.and_then(|fallback| fallback.closed_until(given.policy, given.now)) {
        return Err(Reason::QuietTime { until });
    }
    let on_demand = on_demand.ok_or(Reason::OnDemandUnknown)?;
    if price >= on_demand { Err(Reason::DearerThanOnDemand { spot: price, on_demand }) } else { Ok(()) }
}

/// Whether replacing would not pay. The premium for risk is a preference and is left out: a saving is money.
pub(super) fn not_worth_it(one: &Ranked, purpose: &Purpose) -> Option<Reason> {
    match purpose {
        Purpose::Launch => None,
        Purpose::Replace { saves: None, .. } => Some(Reason::CurrentPriceUnknown),
        Purpose::Replace { saves: Some(saves), .. } => {
            let expected = one.cost.expected();
            (expected >= *saves).then_some(Reason::NotCheaper { expected, saves: *saves })
        }
    }
}

/// Whether what is left leaves too little to choose from. Spot to spot counts types, as Karpenter does; else pools count.
pub(super) fn inflexible(ranked: &[Ranked], purpose: &Purpose, policy: &SpotPolicy) -> Option<Reason> {
    let spot = || ranked.iter().map(|one| &one.offering.pool).filter(|pool| pool.capacity == CapacityType::Spot);
    let (have, need) = match purpose {
        Purpose::Replace { current: CapacityType::Spot, .. } => {
            (spot().map(|pool| &pool.instance_type).collect::<BTreeSet<_>>().len(), policy.flexibility_spot_to_spot)
        }
        Purpose::Launch | Purpose::Replace { current: CapacityType::OnDemand, .. } => {
            (spot().collect::<BTreeSet<_>>().len(), policy.flexibility)
        }
    };
    let have = u32::try_from(have).unwrap_or(u32::MAX);
    (have < need).then_some(Reason::TooInflexible { have, need })
}
