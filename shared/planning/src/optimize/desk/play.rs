//! Playing a move through before it is planned: the pods must find their places however the scheduler chooses.

use super::Desk;
use crate::eligibility::{Blocked, workload};
use crate::optimize::worth::Weight;
use crate::placement::{CPU, MEMORY, NodeId, PODS, Pods, Template, VOLUMES};
use domain::decision::{LaunchSpec, Move, NodeIdentity, WhyNot};
use domain::money::MicroDollars;
use domain::offering::CapacityType;
use domain::scheduling::Resources;
use std::collections::BTreeMap;

/// A move that is thought of.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    /// Nodes that go.
    pub(crate) remove: Vec<NodeId>,
    /// Nodes that come: each a list of items, best first.
    pub(crate) launch: Vec<Vec<usize>>,
    /// What speaks for it.
    pub(crate) why: String,
}

/// A move that is planned.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    /// As it was thought of.
    pub(crate) draft: Draft,
    /// As it is answered.
    pub(crate) answer: Move,
    /// What it saves per hour all in: overhead of nodes and interruptions counted.
    pub(crate) net: i64,
}

/// A move at the moment when its pods look for places.
struct Stage {
    fresh: Vec<NodeId>,
    /// Pods that look for a place.
    pods: Pods,
    /// Pods that waited before.
    strangers: Pods,
}

impl Desk<'_> {
    /// The pods of these nodes that a drain moves, by class.
    pub(crate) fn pods_of(&self, nodes: &[NodeId]) -> Pods {
        let mut sum: BTreeMap<usize, u32> = BTreeMap::new();
        for (class, count) in nodes.iter().flat_map(|node| self.state.moving(*node)) {
            *sum.entry(class).or_default() += count;
        }
        sum.into_iter().collect()
    }

    /// What is weighed of a draft, with the given items launched; what its pods prefer left aside.
    pub(crate) fn weight(&self, remove: &[NodeId], launch: &[usize]) -> Weight {
        let items = || launch.iter().map(|item| &self.shelf.items[*item]);
        Weight {
            cost_before: remove.iter().map(|node| self.nodes[*node].cost).sum(),
            cost_after: items().map(|item| item.cost).sum(),
            price_before: remove.iter().map(|node| self.nodes[*node].price).sum(),
            price_after: items().map(|item| item.price.0).sum(),
            evictions: remove.iter().map(|node| self.nodes[*node].evictions).sum(),
            lost: 0,
            nodes: i64::try_from(remove.len()).unwrap_or(i64::MAX),
        }
    }

    /// Empties the nodes and launches the others. Leaves the state changed.
    fn stage(&mut self, remove: &[NodeId], launch: &[Template]) -> Stage {
        let mut pods: BTreeMap<usize, u32> = BTreeMap::new();
        for node in remove {
            for (class, count) in self.state.empty(*node) {
                *pods.entry(class).or_default() += count;
            }
        }
        let fresh: Vec<NodeId> = launch.iter().map(|template| self.state.launch(template)).collect();
        let strangers = if fresh.is_empty() { Pods::new() } else { self.pending.clone() };
        Stage { fresh, pods: pods.into_iter().collect(), strangers }
    }

    /// Stages the move and lets the pods settle. Leaves the state changed: the caller rolls back or commits.
    pub(super) fn play(&mut self, remove: &[NodeId], launch: &[(usize, usize)]) -> Result<Vec<NodeId>, usize> {
        let launch: Vec<Template> = launch.iter().map(|(kind, item)| self.room(*kind, *item).template.clone()).collect();
        let Stage { fresh, pods, strangers } = self.stage(remove, &launch);
        // Whoever waits already is first at the door of a new node.
        for (class, count) in strangers {
            for _ in 0..count {
                let Some(node) = fresh.iter().copied().find(|node| self.state.fits(class, *node)) else { break };
                self.state.place(class, node);
            }
        }
        self.state.settle(&pods)?;
        Ok(fresh)
    }

    /// Whether the move works out after what is planned before it, wherever the scheduler puts its pods. The state is as before.
    ///
    /// # Errors
    /// What found no place.
    pub(crate) fn prove(&mut self, draft: &Draft) -> Result<(), Blocked> {
        let least = self.least(draft);
        let pods = self.pods_of(&draft.remove);
        self.keeps_floor(draft, &pods)?;
        let mark = self.state.mark();
        let sure = self.stage(&draft.remove, &least);
        let sure = self.state.sure(&sure.pods, &sure.strangers);
        self.state.rollback(mark);
        let unsure = "could be left without a place, depending on where the scheduler puts the others";
        sure.map_err(|class| self.no_place(class, unsure))
    }

    pub(super) fn firsts(&self, draft: &Draft) -> Vec<(usize, usize)> {
        let kind = draft.remove.first().map_or(0, |node| self.nodes[*node].kind);
        draft.launch.iter().filter_map(|items| items.first()).map(|item| (kind, *item)).collect()
    }

    fn no_place(&self, class: usize, what: &str) -> Blocked {
        let name = workload(&self.index.snapshot.classes[class]);
        Blocked::by(WhyNot::NoPlace, name.clone(), format!("{name} {what}; give it more room or looser constraints"))
    }

    /// Whether each workload keeps its share of replicas on on-demand nodes. The scheduler may put moved pods on spot nodes
    /// wherever there are any, so they count as lost unless there are none.
    fn keeps_floor(&self, draft: &Draft, pods: &Pods) -> Result<(), Blocked> {
        let percent = u64::from(self.policy.on_demand_percent_min);
        let capacity = |item: &usize| self.shelf.items[*item].pool.capacity;
        let to_spot = draft.launch.iter().filter_map(|items| items.first()).any(|item| capacity(item) == CapacityType::Spot);
        let leaves = draft.remove.iter().any(|node| self.nodes[*node].capacity == CapacityType::OnDemand);
        if percent == 0 || !leaves || (!to_spot && self.spot.values().all(|count| *count == 0)) {
            return Ok(());
        }
        for (class, _) in pods {
            let this = &self.index.snapshot.classes[*class];
            let same = |other: &usize| {
                let other = &self.index.snapshot.classes[*other];
                other.namespace == this.namespace && other.controller == this.controller
            };
            let lost: u32 = pods.iter().filter(|(other, _)| same(other)).map(|(_, count)| *count).sum();
            let kinds = (0..self.on_demand.len()).filter(|class| same(class));
            let (on_demand, all) = kinds.map(|class| self.on_demand[class]).fold((0, 0), |sum, more| (sum.0 + more.0, sum.1 + more.1));
            if u64::from(on_demand.saturating_sub(lost)) * 100 < u64::from(all) * percent {
                let name = workload(this);
                let why = format!("the policy keeps {percent} % of {name} on on-demand nodes; {on_demand} of {all} are there now");
                return Err(Blocked::by(WhyNot::Policy, name, why));
            }
        }
        Ok(())
    }

    /// Plans a proven draft: the state becomes what it most likely leads to.
    ///
    /// # Errors
    /// What finds no place after all; the state is as before.
    pub(crate) fn plan(&mut self, draft: &Draft) -> Result<(), Blocked> {
        let launch = self.firsts(draft);
        let items: Vec<usize> = launch.iter().map(|(_, item)| *item).collect();
        let weight = self.weight(&draft.remove, &items);
        let pods = self.pods_of(&draft.remove);
        let mark = self.state.mark();
        let fresh = match self.play(&draft.remove, &launch) {
            Ok(fresh) => fresh,
            Err(class) => {
                self.state.rollback(mark);
                return Err(self.no_place(class, "finds no other place within its constraints"));
            }
        };
        let least = self.least(draft);
        let specs = draft.launch.iter().zip(&least).map(|(items, template)| self.spec(items, template, &pods, least.len())).collect();
        self.forget(draft, &pods);
        for item in items.iter().map(|item| &self.shelf.items[*item]) {
            if item.pool.capacity == CapacityType::Spot {
                *self.spot.entry(item.pool.clone()).or_default() += 1;
            }
        }
        let before: i64 = draft.remove.iter().map(|node| self.nodes[*node].price).sum();
        self.planned.push(Planned {
            draft: draft.clone(),
            net: weight.saving(),
            answer: Move {
                remove: draft.remove.iter().filter_map(|node| self.identity(*node)).collect(),
                launch: specs,
                saving_per_hour: MicroDollars(before - weight.price_after),
                cost_once: weight.once(),
                pods_moved: pods.iter().map(|(_, count)| *count).sum(),
                why: draft.why.clone(),
            },
        });
        for node in &draft.remove {
            self.nodes[*node].gone = true;
            self.state.retire(*node);
        }
        // Another move must not count on what this one launches: each stands for itself.
        for node in fresh {
            self.state.close(node);
        }
        self.state.commit();
        Ok(())
    }

    fn identity(&self, node: NodeId) -> Option<NodeIdentity> {
        let node = self.node(node);
        node.instance.clone().map(|instance| NodeIdentity { name: node.name.clone(), uid: node.uid.clone(), instance })
    }

    /// Takes what goes out of the counts of spot pools and of on-demand pods.
    fn forget(&mut self, draft: &Draft, pods: &Pods) {
        for node in &draft.remove {
            let pool = self.node(*node).pool.as_ref();
            if let Some(count) = pool.and_then(|pool| self.spot.get_mut(pool)) {
                *count = count.saturating_sub(1);
            }
        }
        let capacity = |items: &Vec<usize>| items.first().map(|item| self.shelf.items[*item].pool.capacity);
        let stays = draft.launch.iter().all(|items| capacity(items) == Some(CapacityType::OnDemand));
        if !stays || self.spot.values().any(|count| *count > 0) {
            for (class, count) in pods {
                self.on_demand[*class].0 = self.on_demand[*class].0.saturating_sub(*count);
            }
        }
    }

    /// A launch. One alone must have room for all pods that move: the scheduler may put some elsewhere, or none. Of several, each may
    /// get as many as it holds.
    fn spec(&self, items: &[usize], template: &Template, pods: &Pods, launches: usize) -> LaunchSpec {
        let mut there = template.companions.clone();
        there.extend(pods);
        let mut demand = self.index.demand(&there);
        if launches > 1 {
            demand.iter_mut().zip(&template.allocatable).for_each(|(need, room)| *need = (*need).min(*room));
        }
        let whole = |amount: i64| u64::try_from(amount).unwrap_or(0);
        let mut needs = Resources::new(whole(demand[CPU]), whole(demand[MEMORY]));
        for (name, amount) in self.index.extended.iter().zip(&demand[VOLUMES + 1..]).filter(|(_, amount)| **amount > 0) {
            needs.extended.insert((*name).to_owned(), whole(*amount));
        }
        LaunchSpec {
            offerings: items.iter().map(|item| self.shelf.items[*item].offering()).collect(),
            needs,
            pods: u32::try_from(demand[PODS]).unwrap_or(u32::MAX),
        }
    }
}
