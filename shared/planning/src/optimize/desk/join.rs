//! All moves together: their pods must find places in whatever order the moves are carried out, wherever earlier ones put theirs.

use super::{Desk, Planned};
use crate::eligibility::Blocked;
use crate::placement::Pods;
use domain::decision::WhyNot;
use std::collections::BTreeMap;

/// After so many moves in a row that do not go together with the others, the rest is left to the next answer.
const PATIENCE: usize = 16;

/// So many moves are planned at the least before they are looked at together.
const STEP: usize = 8;

/// The moves that are sure together: their number, their pods, and whether any of them launches.
#[derive(Debug, Default, Clone)]
pub(crate) struct Crowd {
    /// The first so many of the planned.
    moves: usize,
    pods: BTreeMap<usize, u32>,
    launches: bool,
    /// No more moves go together with them.
    full: bool,
}

impl Desk<'_> {
    /// Whether this answer can take no more moves. Looks at the planned together now and then: each time twice as many.
    pub(crate) fn full(&mut self) -> bool {
        if self.planned.len() - self.crowd.moves >= self.crowd.moves.max(STEP) {
            self.join();
        }
        self.crowd.full
    }

    /// Keeps the moves that are sure together, as many as can be in their order; the others are for the next answer.
    pub(crate) fn join(&mut self) {
        let mut rest: Vec<Planned> = self.planned.split_off(self.crowd.moves);
        rest.reverse();
        let mut step = rest.len().max(1);
        let mut missed = 0;
        while !rest.is_empty() {
            step = step.min(rest.len());
            let from = rest.len() - step;
            let crowd = std::mem::take(&mut self.crowd);
            if let Some(larger) = self.together(&crowd, rest[from..].iter().rev()) {
                self.crowd = larger;
                self.planned.extend(rest.drain(from..).rev());
                step *= 2;
                missed = 0;
                continue;
            }
            self.crowd = crowd;
            if step > 1 {
                step /= 2;
                continue;
            }
            missed += 1;
            self.crowd.full |= missed > PATIENCE;
            let from = if self.crowd.full { 0 } else { rest.len() - 1 };
            let late: Vec<Planned> = rest.drain(from..).collect();
            late.iter().for_each(|late| self.put_off(late));
        }
    }

    /// The crowd with the pods of these moves, if all of them are sure of a place when every node that goes is empty and every node
    /// that comes is there. If so, the moves stay staged.
    fn together<'p>(&mut self, crowd: &Crowd, moves: impl Iterator<Item = &'p Planned>) -> Option<Crowd> {
        let mark = self.origin.mark();
        let mut larger = crowd.clone();
        for planned in moves {
            for node in &planned.draft.remove {
                for (class, count) in self.origin.empty(*node) {
                    *larger.pods.entry(class).or_default() += count;
                }
            }
            for template in self.least(&planned.draft) {
                self.origin.launch(&template);
                larger.launches = true;
            }
            larger.moves += 1;
        }
        let pods: Pods = larger.pods.iter().map(|(class, count)| (*class, *count)).collect();
        let strangers = if larger.launches { self.pending.clone() } else { Pods::new() };
        if self.origin.sure(&pods, &strangers).is_ok() {
            return Some(larger);
        }
        self.origin.rollback(mark);
        None
    }

    fn put_off(&mut self, late: &Planned) {
        for node in &late.draft.remove {
            self.nodes[*node].gone = false;
            self.nodes[*node].put_off = true;
            let why = "it can go when the moves of this answer are done; together with them its pods would not be sure of a place";
            self.note(*node, Blocked::new(WhyNot::BudgetUsedUp, why));
        }
    }
}

/// The reason of nodes that were not looked at any more.
pub(crate) fn later() -> Blocked {
    let why = "this answer has as many moves as are sure together; whether this node can go is looked at when they are done";
    Blocked::new(WhyNot::BudgetUsedUp, why)
}
