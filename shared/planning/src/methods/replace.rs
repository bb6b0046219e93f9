//! Some nodes become one: a cheaper one, or one that is bought otherwise. The new node has room for all of their pods, so that it
//! does not matter where the scheduler puts them.

use crate::eligibility::Blocked;
use crate::optimize::desk::{Desk, Draft};
use crate::placement::{NodeId, Pods};
use domain::decision::WhyNot;
use domain::money::MicroDollars;
use domain::offering::CapacityType;
use std::collections::BTreeSet;

/// How many nodes become one at the most.
pub(super) const GATHER_MAX: usize = 16;
/// How many further nodes are looked at to fill a new one.
const LOOK: usize = 96;
/// The same where several new nodes are filled.
pub(super) const LOOK_FAR: usize = 32;
/// How many offerings a launch names at the most: Karpenter keeps as many for a spot node (`designs/spot-consolidation.md`).
pub(super) const OFFERINGS_MAX: usize = 15;

/// What was found for a node: others that go with it, and what they become.
struct Found {
    nodes: Vec<NodeId>,
    item: usize,
    /// What is saved of what the nodes cost, in millionths, less a little for each node: between equals, the smaller move.
    score: i64,
}

/// Plans replacements of nodes bought as `from` by nodes bought as `to`: those first whose resources are dearest.
pub(super) fn apply(desk: &mut Desk<'_>, from: CapacityType, to: CapacityType, most: usize) {
    let order = wasteful(desk, from);
    for (at, node) in order.iter().enumerate() {
        if desk.nodes[*node].gone || desk.nodes[*node].put_off {
            continue;
        }
        if desk.tired() {
            desk.nodes[*node].reached = false;
            continue;
        }
        if let Err(why) = one(desk, *node, &order[at + 1..], to, most) {
            desk.note(*node, why);
        }
    }
}

/// Nodes that were bought so and carry something, those first whose resources are dearest.
pub(super) fn wasteful(desk: &Desk<'_>, capacity: CapacityType) -> Vec<NodeId> {
    let mut order = desk.candidates();
    order.retain(|node| desk.nodes[*node].capacity == capacity && !desk.state.moving(*node).is_empty());
    let waste = |desk: &Desk<'_>, node: NodeId| {
        let value = desk.outlook.value(&desk.state.moving(node), desk.nodes[node].capacity);
        i128::from(value) * 1_000_000 / i128::from(desk.nodes[node].cost.max(1))
    };
    let mut keyed: Vec<(i128, NodeId)> = order.into_iter().map(|node| (waste(desk, node), node)).collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, node)| node).collect()
}

/// Finds and plans the best replacement that a node has part in.
fn one(desk: &mut Desk<'_>, node: NodeId, others: &[NodeId], to: CapacityType, most: usize) -> Result<(), Blocked> {
    let mut banned: BTreeSet<NodeId> = BTreeSet::new();
    // Each round either plans, or gives up, or bans nodes that could not come along.
    for _ in 0..3 {
        let found = search(desk, node, others, to, most.min(desk.nodes_max.max(1)), &banned)?;
        let launch = match offerings(desk, &found.nodes, found.item) {
            Ok(launch) => launch,
            Err(why) => {
                desk.forgo(plain(&found.nodes, found.item), &why);
                return Err(why);
            }
        };
        let names: Vec<&str> = found.nodes.iter().map(|node| desk.node(*node).name.as_str()).collect();
        let pool = &desk.shelf.items[launch[0]].pool;
        let saving = desk.weight(&found.nodes, &launch[..1]).saving();
        let why = format!("{pool} runs the pods of {} and saves {} per hour, all in", names.join(", "), MicroDollars(saving));
        let draft = Draft { remove: found.nodes.clone(), launch: vec![launch], why };
        match desk.prove(&draft).and_then(|()| desk.plan(&draft)) {
            Ok(()) => return Ok(()),
            Err(why) => {
                desk.forgo(draft, &why);
                if found.nodes.len() == 1 {
                    return Err(why);
                }
                banned.extend(found.nodes.iter().filter(|other| **other != node));
            }
        }
    }
    Err(Blocked::new(WhyNot::NoPlace, "the pods of the nodes that it could be merged with do not get along within their constraints"))
}

/// A draft that is only remembered.
fn plain(nodes: &[NodeId], item: usize) -> Draft {
    Draft { remove: nodes.to_vec(), launch: vec![vec![item]], why: String::new() }
}

/// The zone in which the new node must be, where the place of a pod depends on it.
pub(super) fn zone_of(desk: &Desk<'_>, pods: &Pods, node: NodeId) -> Option<domain::ids::Zone> {
    let zonal = pods.iter().any(|(class, _)| desk.index.classes[*class].zonal);
    desk.node(node).pool.as_ref().filter(|_| zonal).map(|pool| pool.zone.clone())
}

fn search(
    desk: &mut Desk<'_>,
    node: NodeId,
    others: &[NodeId],
    to: CapacityType,
    most: usize,
    banned: &BTreeSet<NodeId>,
) -> Result<Found, Blocked> {
    let pods = desk.state.moving(node);
    let zone = zone_of(desk, &pods, node);
    let kind = desk.nodes[node].kind;
    let front = desk.front(kind, to, zone.as_ref());
    let demand = desk.index.demand(&pods);
    let company = company(desk, node, others, most, zone.is_some(), banned);
    let mut best: Option<Found> = None;
    let mut near: Option<Blocked> = None;
    // What the policy does not think worth while, and what it would save.
    let mut refused: Option<(i64, Draft, Blocked)> = None;
    for item in front.iter().copied() {
        if !desk.holds(kind, item, &pods, &demand) {
            continue;
        }
        let nodes = fill(desk, node, &company, item, &demand, most);
        let weight = desk.weight(&nodes, &[item]);
        let open = desk.pool_has_room(item, 0);
        let weighed = if open { desk.weigh(weight, &nodes, &[item]) } else { Err(shared(desk, item)) };
        if let Err(why) = weighed {
            let saves = weight.saving() > 0;
            let price = weight.price_before - weight.price_after;
            if price > refused.as_ref().map_or(0, |refused| refused.0) {
                refused = Some((price, plain(&nodes, item), why.clone()));
            }
            near = near.or_else(|| (open && saves && nodes.len() == 1).then_some(why));
        } else {
            let share = i128::from(weight.saving()) * 1_000_000 / i128::from(weight.cost_before.max(1));
            let score = i64::try_from(share).unwrap_or(0) - 2_000 * i64::try_from(nodes.len()).unwrap_or(0);
            if best.as_ref().is_none_or(|best| score > best.score) {
                best = Some(Found { nodes, item, score });
            }
        }
        if most == 1 && open {
            break;
        }
    }
    if let Some((_, draft, why)) = refused.filter(|_| best.is_none()) {
        desk.forgo(draft, &why);
    }
    best.ok_or_else(|| near.unwrap_or_else(|| cheapest(desk, node, to)))
}

/// The reason of a launch that the policy's share of one pool forbids.
fn shared(desk: &Desk<'_>, item: usize) -> Blocked {
    let (pool, most) = (&desk.shelf.items[item].pool, desk.policy.pool_share_percent_max);
    Blocked::by(WhyNot::Policy, pool.to_string(), format!("no more than {most} % of the spot nodes may come from one pool, such as {pool}"))
}

fn cheapest(desk: &Desk<'_>, node: NodeId, to: CapacityType) -> Blocked {
    if desk.shelf.items.is_empty() {
        let (code, why) = match desk.shelf.unpriced {
            0 => (WhyNot::Policy, "the policy and the subnets leave no offering to launch".to_owned()),
            unpriced => (WhyNot::PriceUnknown, format!("the prices of all {unpriced} offerings that could replace it are unknown")),
        };
        return Blocked::new(code, why);
    }
    let price = MicroDollars(desk.nodes[node].price);
    Blocked::new(WhyNot::Optimal, format!("nothing {} that would run its pods costs less than its {price} per hour", to.as_str()))
}

/// The nodes that may come along: made alike, bought alike, and in the same zone where that matters.
pub(super) fn company(
    desk: &Desk<'_>,
    node: NodeId,
    others: &[NodeId],
    most: usize,
    zonal: bool,
    banned: &BTreeSet<NodeId>,
) -> Vec<(NodeId, Vec<i64>)> {
    if most <= 1 {
        return Vec::new();
    }
    let zone = |node: NodeId| desk.node(node).pool.as_ref().map(|pool| &pool.zone);
    let fits = |other: &NodeId| {
        let standing = &desk.nodes[*other];
        !standing.gone && !standing.put_off && standing.kind == desk.nodes[node].kind && !banned.contains(other)
    };
    let mut company = Vec::new();
    for other in others.iter().copied().filter(fits) {
        let pods = desk.state.moving(other);
        let theirs = pods.iter().any(|(class, _)| desk.index.classes[*class].zonal);
        if !(zonal || theirs) || zone(other) == zone(node) {
            company.push((other, desk.index.demand(&pods)));
        }
        if company.len() >= LOOK {
            break;
        }
    }
    company
}

/// Fills a new node: with the node itself, then with each of the company that still fits.
fn fill(desk: &mut Desk<'_>, node: NodeId, company: &[(NodeId, Vec<i64>)], item: usize, demand: &[i64], most: usize) -> Vec<NodeId> {
    let room = desk.room(desk.nodes[node].kind, item);
    let mut left: Vec<i64> = room.free.iter().zip(demand).map(|(free, need)| free - need).collect();
    let mut nodes = vec![node];
    for (other, need) in company {
        if nodes.len() >= most {
            break;
        }
        if need.iter().zip(&left).all(|(need, left)| *need <= 0 || need <= left) {
            left.iter_mut().zip(need).for_each(|(left, need)| *left -= need);
            nodes.push(*other);
        }
    }
    nodes
}

fn sum(one: &[i64], other: &[i64]) -> Vec<i64> {
    one.iter().zip(other).map(|(one, other)| one + other).collect()
}

/// The offerings for a launch, best first: each would do, and each is worth the move.
fn offerings(desk: &mut Desk<'_>, nodes: &[NodeId], chosen: usize) -> Result<Vec<usize>, Blocked> {
    let pods = desk.pods_of(nodes);
    let demand = desk.index.demand(&pods);
    // Pods that wait may be faster at the door of the new node.
    let crowded: Vec<i64> = if desk.pending.is_empty() { Vec::new() } else { sum(&demand, &desk.index.demand(&desk.pending)) };
    let zone = nodes.iter().find_map(|node| zone_of(desk, &pods, *node));
    let kind = desk.nodes[nodes[0]].kind;
    let pool = desk.shelf.items[chosen].pool.clone();
    let going = nodes.iter().filter(|node| desk.nodes[**node].capacity == CapacityType::Spot).count();
    let going = u32::try_from(going).unwrap_or(0);
    let gain = 100 + i64::from(desk.policy.saving_percent_min);
    let mut list: Vec<usize> = Vec::new();
    for item in 0..desk.shelf.items.len() {
        let this = &desk.shelf.items[item].pool;
        if this.capacity != pool.capacity || zone.as_ref().is_some_and(|zone| *zone != this.zone) || !desk.pool_has_room(item, going) {
            continue;
        }
        if list.len() >= OFFERINGS_MAX || desk.weigh(desk.weight(nodes, &[item]), nodes, &[item]).is_err() {
            break;
        }
        // Dearer than the first by more than the policy's gain: the next plan would change it. Only for want of pools.
        let first = list.first().map_or(i64::MAX / 200, |first| desk.shelf.items[*first].cost);
        let dear = desk.shelf.items[item].cost * 100 > first * gain;
        if dear && (pool.capacity == CapacityType::OnDemand || list.len() >= desk.policy.spot_pools_min as usize) {
            break;
        }
        let stands_in = list.first().is_none_or(|first| crowded.is_empty() || desk.stands_in(kind, *first, item, &crowded));
        if stands_in && desk.holds(kind, item, &pods, &demand) {
            list.push(item);
        }
    }
    if pool.capacity == CapacityType::Spot && list.len() < desk.policy.spot_pools_min as usize {
        let (found, wanted) = (list.len(), desk.policy.spot_pools_min);
        let why = format!("only {found} spot pools are open to its pods at a price that is worth it; the policy wants {wanted}");
        return Err(Blocked::new(WhyNot::Policy, why));
    }
    if list.is_empty() { Err(Blocked::new(WhyNot::NotWorthIt, "no offering is worth the move")) } else { Ok(list) }
}
