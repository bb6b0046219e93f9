//! Some nodes become several others: as many of one type as their pods fill, and one that holds the rest. For what no single node can
//! take, or only at too high a price.

use super::replace::{LOOK_FAR, company, zone_of};
use crate::optimize::desk::{Desk, Draft};
use crate::placement::{NodeId, Pods};
use domain::ids::Zone;
use domain::money::MicroDollars;
use domain::offering::CapacityType;

/// How many nodes are packed anew together: few, some, many. Each move is carried out whole or not at all.
const SIZES: [usize; 3] = [1, 4, 12];
/// How many nodes a move launches at the most.
const LAUNCHES_MAX: usize = 6;
/// After so many nodes in a row for which nothing was found, those behind are taken to be too good already.
const MISSES: usize = 64;
/// The part of a node that pods of many shapes are reckoned to fill, in percent.
const FILL: i64 = 96;

/// Plans re-packs of nodes that were bought as `capacity`, the most wasteful first.
pub(super) fn apply(desk: &mut Desk<'_>, capacity: CapacityType) {
    let order = super::replace::wasteful(desk, capacity);
    let mut misses = 0;
    for (at, node) in order.iter().enumerate() {
        if desk.tired() || misses >= MISSES {
            return;
        }
        if desk.nodes[*node].gone || desk.nodes[*node].put_off {
            continue;
        }
        let rest = &order[at + 1..];
        misses += 1;
        for size in SIZES {
            let most = size.min(desk.nodes_max.max(1));
            let Some(draft) = draft(desk, *node, rest, capacity, most) else { continue };
            match desk.prove(&draft).and_then(|()| desk.plan(&draft)) {
                Ok(()) => {
                    misses = 0;
                    break;
                }
                Err(why) => desk.forgo(draft, &why),
            }
        }
    }
}

/// The cheapest set of nodes found for the pods of some nodes, if it is worth the move.
fn draft(desk: &mut Desk<'_>, node: NodeId, others: &[NodeId], capacity: CapacityType, most: usize) -> Option<Draft> {
    let pods = desk.state.moving(node);
    let zone = zone_of(desk, &pods, node);
    let mut nodes = vec![node];
    let others = &others[..others.len().min(LOOK_FAR)];
    let company = company(desk, node, others, most, zone.is_some(), &std::collections::BTreeSet::new());
    nodes.extend(company.into_iter().map(|(other, _)| other).take(most.saturating_sub(1)));
    let zone = nodes.iter().find_map(|node| zone_of(desk, &desk.state.moving(*node), *node));
    let launch = cheapest(desk, &nodes, capacity, zone.as_ref())?;
    desk.weigh(desk.weight(&nodes, &launch), &nodes, &launch).ok()?;
    let spot = capacity == CapacityType::Spot;
    let pods = desk.pods_of(&nodes);
    let kind = desk.nodes[node].kind;
    let offered: Vec<Vec<usize>> = launch.iter().map(|item| stand_ins(desk, kind, *item, zone.as_ref(), &pods)).collect();
    if spot && offered.iter().any(|items| items.len() < desk.policy.spot_pools_min as usize) {
        return None;
    }
    // Even if each launch gets its last choice.
    let dearest: Vec<usize> = offered.iter().filter_map(|items| items.last().copied()).collect();
    desk.weigh(desk.weight(&nodes, &dearest), &nodes, &dearest).ok()?;
    let saving = MicroDollars(desk.weight(&nodes, &launch).saving());
    let why = format!("{} nodes run the pods of {} and save {saving} per hour, all in", launch.len(), nodes.len());
    Some(Draft { remove: nodes, launch: offered, why })
}

/// As many of one item as the pods fill, and the cheapest that holds the rest.
fn cheapest(desk: &mut Desk<'_>, nodes: &[NodeId], capacity: CapacityType, zone: Option<&Zone>) -> Option<Vec<usize>> {
    let pods = desk.pods_of(nodes);
    let demand = desk.index.demand(&pods);
    let kind = desk.nodes[nodes[0]].kind;
    let front = desk.front(kind, capacity, zone);
    let mut best: Option<(i64, Vec<usize>)> = None;
    for item in front.iter().copied() {
        let room: Vec<i64> = desk.room(kind, item).free.iter().map(|free| free * FILL / 100).collect();
        let each = takes_each(desk, kind, item, &pods);
        let full = demand.iter().zip(&room).filter(|(need, _)| **need > 0).map(|(need, room)| need / (*room).max(1)).max().unwrap_or(0);
        let Ok(full) = usize::try_from(full) else { continue };
        if !each || !(1..LAUNCHES_MAX).contains(&full) {
            continue;
        }
        let times = i64::try_from(full).unwrap_or(1);
        let rest: Vec<i64> = demand.iter().zip(&room).map(|(need, room)| (need - room * times).max(0)).collect();
        let last = front.iter().copied().find(|last| {
            let free = &desk.room(kind, *last).free;
            rest.iter().zip(free).all(|(need, free)| *need <= free * FILL / 100)
        });
        let mut launch = vec![item; full];
        launch.extend(last);
        let cost: i64 = launch.iter().map(|item| desk.shelf.items[*item].cost).sum();
        if last.is_some() && launch.iter().all(|item| desk.pool_has_room(*item, 0)) && best.as_ref().is_none_or(|best| cost < best.0) {
            best = Some((cost, launch));
        }
    }
    best.map(|(_, launch)| launch)
}

/// Whether a fresh node takes any one of the pods.
fn takes_each(desk: &mut Desk<'_>, kind: usize, item: usize, pods: &Pods) -> bool {
    pods.iter().all(|(class, _)| desk.holds(kind, item, &vec![(*class, 1)], desk.index.need(*class)))
}

/// Offerings that hold no less than the chosen and cost hardly more, the chosen first.
fn stand_ins(desk: &mut Desk<'_>, kind: usize, chosen: usize, zone: Option<&Zone>, pods: &Pods) -> Vec<usize> {
    let room = desk.room(kind, chosen);
    let (pool, cost) = (desk.shelf.items[chosen].pool.clone(), desk.shelf.items[chosen].cost);
    let gain = 100 + i64::from(desk.policy.saving_percent_min);
    let mut list = vec![chosen];
    for item in 0..desk.shelf.items.len() {
        let this = &desk.shelf.items[item];
        let dear = this.cost * 100 > cost * gain;
        if item == chosen || dear || this.pool.capacity != pool.capacity || zone.is_some_and(|zone| *zone != this.pool.zone) {
            continue;
        }
        let other = desk.room(kind, item);
        let holds = other.arch_fits && other.free.iter().zip(&room.free).all(|(free, least)| free >= least);
        if holds && takes_each(desk, kind, item, pods) && desk.pool_has_room(item, 0) && list.len() < super::replace::OFFERINGS_MAX {
            list.push(item);
        }
    }
    list
}
