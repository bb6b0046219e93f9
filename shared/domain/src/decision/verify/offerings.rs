//! What an answer wants to launch: where, of which type, at which price.

use super::nodes::Nodes;
use super::{Reference, Refusals, Rule};
use crate::catalog::{Arch, TypeInfo};
use crate::decision::{DecisionAnswer, DecisionRequest, LaunchSpec, Move, capacity_allowed};
use crate::market::PriceSource;
use crate::money::MicroDollars;
use crate::offering::{CapacityType, Offering, Pool};
use crate::policy::OptimizationPolicy;
use crate::snapshot::PodClass;
use std::collections::BTreeMap;

/// No instance of EC2 costs more per hour: the largest, with 24 TiB of memory, is at 218 USD in us-east-1, and dearest at about
/// twice that elsewhere (AWS price list).
pub(super) const PRICE_MAX: MicroDollars = MicroDollars(1_000_000_000);
/// Nor less per core and hour: spot is at most 90 % below on-demand (AWS), whose cheapest core is above 0.004 USD.
const PRICE_PER_CORE_MIN: i64 = 400;
/// How far below what is known of it a price may be, as a divisor: prices move by percents a day, and lies do not.
const BELOW_KNOWN: i64 = 3;
/// And how far above on-demand a price may be, in percent: Regions' lists differ from ours by less while we are not up to date.
const ABOVE_ON_DEMAND_PERCENT: i64 = 150;
/// How many offerings a launch may name: every type of a family in every zone.
const OFFERINGS_MAX: usize = 256;
/// How many nodes may come for one that goes.
const LAUNCHES_PER_NODE_MAX: usize = 32;

pub(super) fn check(request: &DecisionRequest, answer: &DecisionAnswer, known: Reference<'_>, nodes: &Nodes<'_>, refusals: &mut Refusals) {
    let prices = known_prices(request, nodes);
    for (index, step) in answer.execution_plan.iter().enumerate() {
        let object = format!("move {index}");
        if step.remove.is_empty() {
            refusals.add(Rule::TooMuch, &object, format!("{object} removes nothing"));
        }
        if step.launch.len() > step.remove.len() * LAUNCHES_PER_NODE_MAX {
            let why = format!("{object} launches {} nodes for {}", step.launch.len(), step.remove.len());
            refusals.add(Rule::TooMuch, &object, why);
            continue;
        }
        for launch in &step.launch {
            if launch.offerings.is_empty() {
                refusals.add(Rule::NoOffering, &object, format!("{object} has a launch without an offering"));
            }
            if launch.offerings.len() > OFFERINGS_MAX {
                refusals.add(Rule::TooMuch, &object, format!("{object} has a launch with {} offerings", launch.offerings.len()));
                continue;
            }
            for offering in &launch.offerings {
                place(request, offering, &object, refusals);
                if let Some(info) = kind(request, offering, known, &object, refusals) {
                    images(request, nodes, step, &info, &object, refusals);
                    price(request, launch, offering, known, &prices, &object, refusals);
                }
            }
        }
        surge(&request.requirements, step, &object, refusals);
    }
}

/// Prices that the core itself has seen: the request's, and those of running nodes.
fn known_prices<'a>(request: &'a DecisionRequest, nodes: &Nodes<'a>) -> BTreeMap<&'a Pool, MicroDollars> {
    let observed = nodes.all().filter_map(|node| {
        let quote = node.price.filter(|quote| matches!(quote.source, PriceSource::Observed { .. }))?;
        Some((node.pool.as_ref()?, quote.price_per_hour))
    });
    let given = request.constraints.prices.iter().map(|price| (&price.pool, price.per_hour));
    // The request's own are newer and stand last.
    observed.chain(given).collect()
}

fn place(request: &DecisionRequest, offering: &Offering, object: &str, refusals: &mut Refusals) {
    let Offering { pool, subnet, .. } = offering;
    match request.snapshot.subnets.iter().find(|known| known.id == *subnet) {
        None => refusals.add(Rule::UnknownSubnet, object, format!("{subnet} is no subnet of the cluster")),
        Some(known) if known.zone != pool.zone => {
            refusals.add(Rule::UnknownSubnet, object, format!("{subnet} is in {}, not in {}", known.zone, pool.zone));
        }
        Some(_) => {}
    }
    if !capacity_allowed(&request.requirements.capacity, pool.capacity) {
        refusals.add(Rule::NotAllowed, object, format!("the policy does not allow {} nodes", pool.capacity.as_str()));
    }
}

/// The type, if it is known and the policy allows it.
fn kind(request: &DecisionRequest, offering: &Offering, known: Reference<'_>, object: &str, refusals: &mut Refusals) -> Option<TypeInfo> {
    let name = &offering.pool.instance_type;
    let Some(info) = (known.type_of)(name) else {
        refusals.add(Rule::UnknownType, object, format!("nobody knows the type {name}"));
        return None;
    };
    if let Some(why) = not_allowed(&request.requirements, &info) {
        refusals.add(Rule::NotAllowed, object, format!("the policy does not allow {name}: {why}"));
    }
    Some(info)
}

fn not_allowed(policy: &OptimizationPolicy, info: &TypeInfo) -> Option<&'static str> {
    let named = |entry: &String| *entry == info.name.as_str() || entry == info.family() || *entry == info.category;
    if policy.families_never.iter().any(named) {
        return Some("it is among those never to be launched");
    }
    let usual = ["c", "m", "r"].contains(&info.category.as_str());
    if !(policy.families.iter().any(named) || (policy.families.is_empty() && usual)) {
        return Some("its family is not among those that may be launched");
    }
    if !(policy.vcpu_min..=policy.vcpu_max).contains(&info.vcpu) {
        return Some("its size is outside the limits");
    }
    (info.arch == Arch::Arm64 && !policy.arm64).then_some("it is arm64")
}

/// A launch of another architecture needs pods that can run there.
fn images(request: &DecisionRequest, nodes: &Nodes<'_>, step: &Move, info: &TypeInfo, object: &str, refusals: &mut Refusals) {
    let mut moved = moved_classes(request, nodes, step).peekable();
    if moved.peek().is_some() && !moved.any(|class| class.arches.is_empty() || class.arches.contains(&info.arch)) {
        let why = format!("no pod that {object} moves is known to run on {}", info.arch.as_str());
        refusals.add(Rule::NotAllowed, object, why);
    }
}

/// The classes of pods that a move has to find a place for.
pub(super) fn moved_classes<'a>(request: &'a DecisionRequest, nodes: &Nodes<'a>, step: &Move) -> impl Iterator<Item = &'a PodClass> {
    let going: Vec<_> = step.remove.iter().filter_map(|identity| nodes.get(&identity.name)).collect();
    let placed = going.into_iter().flat_map(|node| node.pods.iter().filter(|placed| placed.count > 0));
    placed.filter_map(|placed| request.snapshot.classes.get(placed.class as usize)).filter(|class| class.moves())
}

fn price(
    request: &DecisionRequest,
    launch: &LaunchSpec,
    offering: &Offering,
    known: Reference<'_>,
    prices: &BTreeMap<&Pool, MicroDollars>,
    object: &str,
    refusals: &mut Refusals,
) {
    let pool = &offering.pool;
    let Some(price) = offering.price_per_hour else {
        return refusals.add(Rule::WrongPrice, object, format!("{pool} has no price"));
    };
    let cores = i64::try_from(launch.needs.cpu_millis / 1000).unwrap_or(i64::MAX).max(1);
    if price > PRICE_MAX || price.0 < cores.saturating_mul(PRICE_PER_CORE_MIN) {
        return refusals.add(Rule::WrongPrice, object, format!("no node like {pool} costs {price} per hour"));
    }
    let list = (known.on_demand)(&request.snapshot.region, &pool.instance_type);
    let floor = match (prices.get(pool), list, pool.capacity) {
        (Some(seen), _, _) => Some(seen.0 / BELOW_KNOWN),
        (None, Some(list), CapacityType::OnDemand) => Some(list.0 / BELOW_KNOWN),
        // At most 90 % below on-demand (AWS), and a little for a list that is not up to date.
        (None, Some(list), CapacityType::Spot) => Some(list.0 / 20),
        (None, None, _) => None,
    };
    let ceiling = list.map(|list| list.0.saturating_mul(ABOVE_ON_DEMAND_PERCENT) / 100);
    if floor.is_some_and(|floor| price.0 < floor) || ceiling.is_some_and(|ceiling| price.0 > ceiling) {
        refusals.add(Rule::WrongPrice, object, format!("{price} per hour is far from what {pool} is known to cost"));
    }
}

/// While a move is under way, both sides are paid for.
fn surge(policy: &OptimizationPolicy, step: &Move, object: &str, refusals: &mut Refusals) {
    let added: MicroDollars = step.launch.iter().filter_map(|launch| launch.offerings.first()?.price_per_hour).sum();
    if let Some(most) = policy.surge_per_hour_max.filter(|most| added > *most) {
        refusals.add(
            Rule::NotAllowed,
            object,
            format!("{object} adds {added} per hour while it is under way, and the policy allows {most}"),
        );
    }
}
