//! All moves together: their pods must find places in whatever order the moves are carried out, wherever earlier ones put theirs.

use super::{Desk, Planned};
use crate::eligibility::Blocked;
use crate::placement::Pods;
use domain::decision::WhyNot;
use std::collections::BTreeMap;

/// After so many moves in a row that do not go together with the others, the rest is left to the next answer.
const PATIENCE: usize = 16;

/// The pods of the moves that are kept, and whether any of them launches.
#[derive(Default, Clone)]
struct Crowd {
    pods: BTreeMap<usize, u32>,
    launches: bool,
}

impl Desk<'_> {
    /// Keeps the moves that are sure together, as many as can be in their order; the others are for the next answer.
    pub(crate) fn join(&mut self) {
        let mut rest: Vec<Planned> = std::mem::take(&mut self.planned);
        rest.reverse();
        let mut crowd = Crowd::default();
        let mut step = rest.len().max(1);
        let mut missed = 0;
        while !rest.is_empty() {
            step = step.min(rest.len());
            let from = rest.len() - step;
            if let Some(larger) = self.together(&crowd, rest[from..].iter().rev()) {
                crowd = larger;
                self.planned.extend(rest.drain(from..).rev());
                step *= 2;
                missed = 0;
            } else if step > 1 {
                step /= 2;
            } else {
                missed += 1;
                let from = if missed > PATIENCE { 0 } else { rest.len() - 1 };
                let late: Vec<Planned> = rest.drain(from..).collect();
                late.iter().for_each(|late| self.put_off(late));
            }
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
            for (kind, item) in self.firsts(&planned.draft) {
                let room = self.room(kind, item);
                self.origin.launch(&room.template);
                larger.launches = true;
            }
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
            let why = "it can go when the moves of this answer are done; together with them its pods would not be sure of a place";
            self.note(*node, Blocked::new(WhyNot::BudgetUsedUp, why));
        }
    }
}
