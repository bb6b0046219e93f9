//! What pods can be put into, as a step sees it.

use super::{Load, Step};
use crate::optimize::bound::Vessel;
use crate::optimize::desk::Desk;
use crate::packing::Bin;
use crate::placement::{CPU, MEMORY, NodeId, PODS};
use domain::ids::{InstanceType, Zone};
use domain::money::MicroDollars;
use domain::offering::CapacityType;
use std::collections::{BTreeMap, BTreeSet};

/// Nodes that are alike to pods, and their number.
#[derive(Debug, Clone)]
pub(super) struct Place {
    vessel: Vessel,
    /// How many there are; `None`: as many as one likes.
    count: Option<u32>,
    capacity: CapacityType,
    /// Where it is; `None`: in any zone at this price, or the step does not look.
    zone: Option<Zone>,
    who: Who,
    /// Items of the shelf that it may be: one for each zone that it may be in.
    items: Vec<usize>,
}

/// Whose word it is that a pod may lie there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    /// A node that may be launched: its kind.
    Launched(usize),
    /// A node that is there.
    There(NodeId),
}

impl Place {
    pub(super) fn bin(&self) -> Bin {
        let whole = |amount: i64| u64::try_from(amount).unwrap_or(0);
        let Vessel { cpu, memory, pods, cost } = self.vessel;
        Bin {
            cpu_millis: whole(cpu),
            memory_bytes: whole(memory),
            pods: u32::try_from(pods.max(0)).unwrap_or(u32::MAX),
            price: MicroDollars(cost.max(0)),
            available: self.count,
        }
    }

    /// Whether the step lets a load lie here.
    pub(super) fn takes(&self, desk: &Desk<'_>, step: Step, load: &Load) -> bool {
        // A pod of a spot node may also lie on an on-demand node: that costs more.
        let theirs = |bought| bought == self.capacity || self.capacity == CapacityType::OnDemand;
        let bought = matches!(self.who, Who::There(_)) || load.bought.is_none_or(theirs);
        if !bought || step < Step::Constraints {
            return bought;
        }
        if self.zone.is_some() && load.zone.is_some() && self.zone != load.zone {
            return false;
        }
        match self.who {
            Who::There(node) => desk.state.allows(load.class, node),
            Who::Launched(kind) => self.items.iter().any(|item| desk.admits(kind, *item, load.class, load.zone.as_ref())),
        }
    }

    /// Whether whatever lies in the other may lie in this one.
    fn beats(&self, other: &Place) -> bool {
        let (this, that) = (&self.vessel, &other.vessel);
        self.count.is_none()
            && this.cost <= that.cost
            && this.cpu >= that.cpu
            && this.memory >= that.memory
            && this.pods >= that.pods
            && (self.zone.is_none() || self.zone == other.zone)
    }
}

/// More groups of nodes that are there than these, and the amounts are rounded up until there are fewer.
const GROUPS_MAX: usize = 24;

/// The same for rooms of spot nodes that keep their pods: each is looked at once, where those are looked at in each round.
const ROOMS_MAX: usize = 96;

/// Everything that pods can be put into.
pub(super) struct Places {
    /// What the program may buy, and behind it the rooms of the kept, which it may not.
    pub(super) all: Vec<Place>,
    /// Spot nodes that keep their pods if they stay, where nodes are bought as they were.
    pub(super) kept: Vec<Kept>,
}

/// A node that keeps its pods if it stays.
pub(super) struct Kept {
    pub(super) node: NodeId,
    /// The place that is free beside its pods.
    pub(super) room: usize,
}

/// Everything that pods can be put into.
pub(super) fn all(desk: &mut Desk<'_>, step: Step) -> Places {
    let mut places = launched(desk, step);
    let fresh = places.clone();
    // Where nodes are bought as they were, a pod of an on-demand node may lie on a spot node that is there, and not on one like it
    // that is launched. There it finds the room beside the pods of that node and no more: a move does not empty a node that stays.
    let mixed = step >= Step::Bought && desk.keeps_bought();
    let beaten = |desk: &Desk<'_>, place: &Place, id: NodeId| {
        fresh.iter().any(|new| {
            let same = step < Step::Constraints || new.who == Who::Launched(desk.nodes[id].kind);
            same && (!mixed || new.capacity == CapacityType::OnDemand) && new.beats(place)
        })
    };
    let (mut there, mut rooms, mut beside) = (Vec::new(), Vec::new(), Vec::new());
    for id in 0..desk.nodes.len() {
        let priced = desk.node(id).price.is_some();
        let stays = step >= Step::Stays && desk.nodes[id].blocked.is_some();
        let open = desk.node(id).ready && !desk.node(id).unschedulable;
        if priced && !stays && mixed && desk.nodes[id].capacity == CapacityType::Spot {
            beside.push((id, standing(desk, id, step, false)));
        } else if priced && !stays {
            let place = standing(desk, id, step, true);
            if !beaten(desk, &place, id) {
                there.push((id, place));
            }
        } else if !stays {
            rooms.push((id, standing(desk, id, step, true)));
        }
        if stays && open {
            rooms.push((id, standing(desk, id, step, false)));
        }
    }
    rooms.iter_mut().chain(&mut beside).for_each(|(_, place)| place.vessel.cost = 0);
    places.extend(grouped(desk, step, &there, GROUPS_MAX).0);
    places.extend(grouped(desk, step, &rooms, GROUPS_MAX).0);
    let (beside_groups, members) = grouped(desk, step, &beside, ROOMS_MAX);
    let kept = beside.iter().zip(members).map(|((node, _), group)| Kept { node: *node, room: places.len() + group }).collect();
    places.extend(beside_groups.into_iter().map(|place| Place { count: Some(0), ..place }));
    Places { all: places, kept }
}

/// A node that is there: whole, or what is free on it.
fn standing(desk: &Desk<'_>, id: NodeId, step: Step, whole: bool) -> Place {
    let node = desk.node(id);
    let vessel = desk.vessel(id, whole);
    let zone = node.pool.as_ref().filter(|_| step >= Step::Constraints).map(|pool| pool.zone.clone());
    Place { vessel, count: Some(1), capacity: desk.nodes[id].capacity, zone, who: Who::There(id), items: Vec::new() }
}

/// Nodes that no pod can tell apart, together; and of each node the group that it is in.
fn grouped(desk: &Desk<'_>, step: Step, nodes: &[(NodeId, Place)], most: usize) -> (Vec<Place>, Vec<usize>) {
    let mut leaders: Vec<NodeId> = Vec::new();
    let mut signatures = Vec::with_capacity(nodes.len());
    for (id, _) in nodes {
        let known = leaders.iter().position(|leader| step < Step::Constraints || desk.state.alike(*leader, *id));
        signatures.push(known.unwrap_or_else(|| {
            leaders.push(*id);
            leaders.len() - 1
        }));
    }
    let (mut groups, mut members) = (Vec::new(), Vec::new());
    for bits in [64, 6, 4, 3, 2, 1] {
        let mut found: BTreeMap<(i64, i64, i64, i64, CapacityType, usize), usize> = BTreeMap::new();
        (groups, members) = (Vec::new(), Vec::with_capacity(nodes.len()));
        for ((_, place), signature) in nodes.iter().zip(&signatures) {
            let mut place = place.clone();
            let vessel = &mut place.vessel;
            (vessel.cpu, vessel.memory, vessel.pods) = (up(vessel.cpu, bits), up(vessel.memory, bits), up(vessel.pods, bits));
            let key = (vessel.cpu, vessel.memory, vessel.pods, vessel.cost, place.capacity, *signature);
            let group = *found.entry(key).or_insert(groups.len());
            if group == groups.len() {
                groups.push(Place { count: Some(0), ..place });
            }
            groups[group].count = groups[group].count.map(|count| count + 1);
            members.push(group);
        }
        if groups.len() <= most {
            break;
        }
    }
    (groups, members)
}

/// Rounds up to so many leading bits: more room than there is keeps the bound true.
fn up(amount: i64, bits: u32) -> i64 {
    let amount = u64::try_from(amount).unwrap_or(0);
    let gone = (64 - amount.leading_zeros()).saturating_sub(bits);
    let rounded = amount.div_ceil(1 << gone) << gone;
    i64::try_from(rounded).unwrap_or(i64::MAX / 4)
}

/// What may be launched: of two where one does all that the other does for no more, only that one.
fn launched(desk: &mut Desk<'_>, step: Step) -> Vec<Place> {
    let bought = desk.bought();
    let mut places: Vec<Place> = Vec::new();
    for kind in 0..desk.rooms.kinds() {
        for capacity in &bought {
            // Where nodes are bought as they were, those of a kind are.
            if step >= Step::Constraints && desk.keeps_bought() && desk.rooms.bought(kind) != *capacity {
                continue;
            }
            let front = by_price(desk, kind, *capacity, step);
            let mut kept: Vec<Place> = Vec::new();
            for place in front {
                if !kept.iter().any(|other| other.beats(&place)) {
                    kept.push(place);
                }
            }
            places.extend(kept);
        }
    }
    if step >= Step::Constraints {
        return places;
    }
    let mixed = step >= Step::Bought;
    places.sort_by_key(|place| place.vessel.cost);
    let mut kept: Vec<Place> = Vec::new();
    for place in places {
        if !kept.iter().any(|other| other.beats(&place) && (!mixed || other.capacity == place.capacity)) {
            kept.push(place);
        }
    }
    kept
}

/// The items of a kind, cheapest first. Zones count where a step looks at them and prices differ between them.
fn by_price(desk: &mut Desk<'_>, kind: usize, capacity: CapacityType, step: Step) -> Vec<Place> {
    let mut by_type: BTreeMap<InstanceType, Vec<usize>> = BTreeMap::new();
    for (at, item) in desk.shelf.items.iter().enumerate().filter(|(_, item)| item.pool.capacity == capacity) {
        by_type.entry(item.pool.instance_type.clone()).or_default().push(at);
    }
    let zones: BTreeSet<&Zone> = desk.request.snapshot.subnets.iter().map(|subnet| &subnet.zone).collect();
    let mut places = Vec::new();
    for items in by_type.into_values() {
        let prices: Vec<i64> = items.iter().map(|item| desk.shelf.items[*item].price.0).collect();
        let differ = prices.iter().any(|price| *price != prices[0]);
        let each = step >= Step::Constraints && (differ || items.len() < zones.len());
        let cheapest = items.iter().copied().min_by_key(|item| desk.shelf.items[*item].price);
        let chosen: Vec<Vec<usize>> = match (each, step >= Step::Constraints) {
            (true, _) => items.into_iter().map(|item| vec![item]).collect(),
            (false, true) => vec![items],
            (false, false) => cheapest.into_iter().map(|item| vec![item]).collect(),
        };
        for items in chosen {
            let mut rooms = items.iter().map(|item| desk.room(kind, *item)).collect::<Vec<_>>().into_iter();
            let Some(room) = rooms.next().filter(|room| step < Step::Constraints || room.arch_fits) else { continue };
            let bought = &desk.shelf.items[items[0]];
            let vessel = Vessel { cpu: room.free[CPU], memory: room.free[MEMORY], pods: room.free[PODS], cost: bought.price.0 };
            let zone = each.then(|| bought.pool.zone.clone());
            places.push(Place { vessel, count: None, capacity, zone, who: Who::Launched(kind), items });
        }
    }
    places.sort_by_key(|place| place.vessel.cost);
    places
}
