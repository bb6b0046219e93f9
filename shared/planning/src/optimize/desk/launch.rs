//! What can be launched for a set of pods.

use super::{Desk, Draft};
use crate::placement::{Kind, Pods, Template, looks_at_type, runs_on};
use domain::ids::Zone;
use domain::offering::CapacityType;
use domain::snapshot::SnapshotNode;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A kind of node of one type in one zone: what it would look like and hold.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) template: Template,
    /// What is left for pods that move there, by dimension.
    pub(crate) free: Vec<i64>,
    /// Every pod that could land there runs on its instruction set.
    pub(crate) arch_fits: bool,
}

/// Rooms by kind and item, made when first asked for.
#[derive(Debug, Default)]
pub(crate) struct Rooms {
    kinds: BTreeMap<Kind, usize>,
    /// By kind: the first node of it, by its name.
    models: Vec<SnapshotNode>,
    known: BTreeMap<(usize, usize), Rc<Room>>,
    fronts: BTreeMap<(usize, CapacityType, Option<Zone>), Rc<Vec<usize>>>,
}

impl Rooms {
    /// How many kinds of nodes there are.
    pub(crate) fn kinds(&self) -> usize {
        self.models.len()
    }

    /// The room of an item for a kind, where it was asked for before.
    pub(crate) fn known(&self, kind: usize, item: usize) -> Option<&Room> {
        self.known.get(&(kind, item)).map(Rc::as_ref)
    }

    /// How nodes of a kind were bought.
    pub(crate) fn bought(&self, kind: usize) -> CapacityType {
        self.models[kind].pool.as_ref().map_or(CapacityType::OnDemand, |pool| pool.capacity)
    }

    /// The number of a kind.
    pub(crate) fn kind(&mut self, kind: Kind, node: &SnapshotNode) -> usize {
        let fresh = self.models.len();
        let id = *self.kinds.entry(kind).or_insert(fresh);
        if id == fresh {
            self.models.push(node.clone());
        }
        id
    }
}

impl Desk<'_> {
    /// The room of an item for a kind.
    pub(crate) fn room(&mut self, kind: usize, item: usize) -> Rc<Room> {
        if let Some(known) = self.rooms.known.get(&(kind, item)) {
            return Rc::clone(known);
        }
        let bought = &self.shelf.items[item];
        let template = self.index.template(&self.rooms.models[kind], &bought.info, &bought.pool.zone, bought.pool.capacity);
        let free = template.room(self.index);
        let arch_fits = self.index.snapshot.classes.iter().filter(|class| !class.mirror).all(|class| {
            runs_on(class, bought.info.arch) || !class.scheduling.allows_node(&template.name, &template.labels, &template.taints)
        });
        let room = Rc::new(Room { template, free, arch_fits });
        self.rooms.known.insert((kind, item), Rc::clone(&room));
        room
    }

    /// What comes of each launch at the least: of whichever of its offerings has capacity, and no more than any of them has.
    pub(super) fn least(&mut self, draft: &Draft) -> Vec<Template> {
        let kind = draft.remove.first().map_or(0, |node| self.nodes[*node].kind);
        let mut least = Vec::with_capacity(draft.launch.len());
        for items in &draft.launch {
            let Some((first, others)) = items.split_first() else { continue };
            let first = self.room(kind, *first);
            let mut template = first.template.clone();
            for other in others {
                let other = self.room(kind, *other);
                let wholes = template.allocatable.iter_mut().zip(&first.template.allocatable);
                for ((least, whole), (free, theirs)) in wholes.zip(first.free.iter().zip(&other.free)) {
                    // Companions take the rest of the whole.
                    *least = (*least).min(whole - free + theirs);
                }
            }
            least.push(template);
        }
        least
    }

    /// Whether an item is as good as another for a kind, though more than the node's own pods may come to it: it has as much room as
    /// the other, or holds all of them.
    pub(crate) fn stands_in(&mut self, kind: usize, first: usize, item: usize, crowded: &[i64]) -> bool {
        let (first, this) = (self.room(kind, first), self.room(kind, item));
        let no_less = |least: &[i64]| this.free.iter().zip(least).all(|(free, least)| free >= least);
        no_less(&first.free) || no_less(crowded)
    }

    /// What is worth a look for nodes of a kind, cheapest first: of two items where one costs no more and holds no less, only that
    /// one; one zone of each type, the cheapest, unless a zone is asked for.
    pub(crate) fn front(&mut self, kind: usize, capacity: CapacityType, zone: Option<&Zone>) -> Rc<Vec<usize>> {
        let key = (kind, capacity, zone.cloned());
        if let Some(known) = self.rooms.fronts.get(&key) {
            return Rc::clone(known);
        }
        let all = looks_at_type(self.index);
        let mut kept: Vec<usize> = Vec::new();
        for item in 0..self.shelf.items.len() {
            let pool = &self.shelf.items[item].pool;
            if pool.capacity != capacity || zone.is_some_and(|zone| *zone != pool.zone) {
                continue;
            }
            let room = self.room(kind, item);
            let beaten = kept.iter().any(|other| {
                let better = self.rooms.known.get(&(kind, *other));
                better.is_some_and(|better| better.free.iter().zip(&room.free).all(|(better, free)| better >= free))
            });
            if room.arch_fits && (all || !beaten) {
                kept.push(item);
            }
        }
        let kept = Rc::new(kept);
        self.rooms.fronts.insert(key, Rc::clone(&kept));
        kept
    }

    /// Whether these pods, all together, fit onto a fresh node of this kind and item: room, selectors, taints and volumes; says
    /// nothing of other pods.
    pub(crate) fn holds(&mut self, kind: usize, item: usize, pods: &Pods, demand: &[i64]) -> bool {
        let room = self.room(kind, item);
        if !room.arch_fits || room.free.iter().zip(demand).any(|(free, need)| *need > 0 && need > free) {
            return false;
        }
        let zone = &self.shelf.items[item].pool.zone;
        pods.iter().all(|(class, _)| {
            let scheduling = &self.index.snapshot.classes[*class].scheduling;
            scheduling.volume_zones.as_ref().is_none_or(|zones| zones.contains(zone))
                && (scheduling.node_selector.is_empty() && scheduling.required_nodes.is_empty() && room.template.taints.is_empty()
                    || scheduling.allows_node(&room.template.name, &room.template.labels, &room.template.taints))
        })
    }

    /// Whether one more node of a spot pool stays within the policy's share, when `going` spot nodes go.
    pub(crate) fn pool_has_room(&self, item: usize, going: u32) -> bool {
        let pool = &self.shelf.items[item].pool;
        if pool.capacity == CapacityType::OnDemand {
            return true;
        }
        let all = (self.spot.values().sum::<u32>() + 1).saturating_sub(going);
        let most = (u64::from(all) * u64::from(self.policy.pool_share_percent_max) / 100).max(1);
        u64::from(self.spot.get(pool).copied().unwrap_or(0)) < most
    }
}
