//! All moves together: their pods must find places in whatever order the moves are carried out, wherever earlier ones put theirs.

use super::{Desk, Planned};
use crate::eligibility::Blocked;
use crate::placement::Pods;
use domain::decision::WhyNot;
use std::collections::BTreeMap;

/// After so many moves in a row that do not go together with the others, the rest is left to the next answer.
const PATIENCE: usize = 16;

impl Desk<'_> {
    /// Keeps the moves that are sure together, as many as can be in their order; the others are for the next answer.
    pub(crate) fn join(&mut self) {
        let mut rest = std::mem::take(&mut self.planned);
        let mut kept: Vec<Planned> = Vec::new();
        let mut step = rest.len().max(1);
        let mut missed = 0;
        while !rest.is_empty() {
            step = step.min(rest.len());
            let tail = rest.split_off(step);
            let whole = kept.len();
            kept.append(&mut rest);
            if self.together(&kept) {
                rest = tail;
                step *= 2;
                missed = 0;
                continue;
            }
            rest = kept.split_off(whole);
            rest.extend(tail);
            if step > 1 {
                step /= 2;
                continue;
            }
            missed += 1;
            let count = if missed > PATIENCE { rest.len() } else { 1 };
            rest.drain(..count).for_each(|late| self.put_off(&late));
        }
        self.planned = kept;
    }

    /// Whether all pods of these moves are sure of a place when all nodes that go are empty and all that come are there.
    fn together(&mut self, moves: &[Planned]) -> bool {
        let mark = self.origin.mark();
        let mut pods: BTreeMap<usize, u32> = BTreeMap::new();
        let mut launched = false;
        for planned in moves {
            for node in &planned.draft.remove {
                for (class, count) in self.origin.empty(*node) {
                    *pods.entry(class).or_default() += count;
                }
            }
            for (kind, item) in self.firsts(&planned.draft) {
                let room = self.room(kind, item);
                self.origin.launch(&room.template);
                launched = true;
            }
        }
        let pods: Pods = pods.into_iter().collect();
        let strangers = if launched { self.pending.clone() } else { Pods::new() };
        let sure = self.origin.sure(&pods, &strangers).is_ok();
        self.origin.rollback(mark);
        sure
    }

    fn put_off(&mut self, late: &Planned) {
        for node in &late.draft.remove {
            self.nodes[*node].gone = false;
            let why = "it can go when the moves of this answer are done; together with them its pods would not be sure of a place";
            self.note(*node, Blocked::new(WhyNot::BudgetUsedUp, why));
        }
    }
}
