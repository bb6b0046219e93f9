//! Moves that were found and not planned: what they would have saved is the price of what spoke against them.

use super::{Desk, Draft};
use crate::eligibility::Blocked;
use domain::decision::WhyNot;
use std::collections::BTreeMap;

/// A move that was found and not planned.
#[derive(Debug, Clone)]
pub(crate) struct Forgone {
    draft: Draft,
    why: Blocked,
    /// Price per hour of what goes, less that of what comes.
    saving: i64,
}

impl Desk<'_> {
    /// Remembers a move that would have lowered the bill, and why it is not made.
    pub(crate) fn forgo(&mut self, draft: Draft, why: &Blocked) {
        let items: Vec<usize> = draft.launch.iter().filter_map(|items| items.first().copied()).collect();
        let weight = self.weight(&draft.remove, &items);
        let saving = weight.price_before - weight.price_after;
        if saving > 0 {
            self.forgone.push(Forgone { draft, why: why.clone(), saving });
        }
    }

    /// What the forgone moves would save per hour on top of everything planned, by the reason and the object named with it; and how
    /// many nodes they take. Each node is in one of them at the most, and each of them still finds places for its pods, as a
    /// scheduler would most likely choose them, when those before it are made. To be asked last: the state is used up.
    pub(crate) fn prices(&mut self) -> BTreeMap<(WhyNot, Option<String>), (i64, usize)> {
        let mut forgone = std::mem::take(&mut self.forgone);
        forgone.sort_by(|a, b| (b.saving, &a.draft.remove).cmp(&(a.saving, &b.draft.remove)));
        let mut used: Vec<bool> = self.nodes.iter().map(|node| node.gone || node.put_off).collect();
        let mut prices: BTreeMap<(WhyNot, Option<String>), (i64, usize)> = BTreeMap::new();
        for Forgone { draft, why, saving } in forgone {
            if draft.remove.iter().any(|node| used[*node]) || !self.works(&draft) {
                continue;
            }
            draft.remove.iter().for_each(|node| used[*node] = true);
            let entry = prices.entry((why.code, why.object)).or_default();
            *entry = (entry.0 + saving, entry.1 + draft.remove.len());
        }
        prices
    }

    /// Whether the pods of the nodes find places; if so, they are taken there.
    fn works(&mut self, draft: &Draft) -> bool {
        let launch = self.firsts(draft);
        if let [(kind, item)] = launch[..] {
            let pods = self.pods_of(&draft.remove);
            let demand = self.index.demand(&pods);
            let holds = self.holds(kind, item, &pods, &demand);
            if holds {
                // All of them fit onto the new node, wherever they go in the end.
                draft.remove.iter().for_each(|node| drop(self.state.empty(*node)));
            }
            return holds;
        }
        let mark = self.state.mark();
        match self.play(&draft.remove, &launch) {
            Ok(fresh) => {
                fresh.into_iter().for_each(|node| self.state.close(node));
                true
            }
            Err(_) => {
                self.state.rollback(mark);
                false
            }
        }
    }
}
