//! All moves together: their pods must find places in whatever order the moves are carried out, wherever earlier ones put theirs.

use super::{Desk, Planned};
use crate::eligibility::Blocked;
use crate::placement::Pods;
use domain::decision::WhyNot;
use std::collections::BTreeMap;

/// After so many moves in a row that do not go together with the others, the rest is left to the next answer.
const PATIENCE: usize = 16;

/// So many moves are looked at together to begin with; then twice as many each time.
const STEP: usize = 8;

/// The moves that are sure together: their pods, and whether any of them launches.
#[derive(Debug, Default, Clone)]
pub(crate) struct Crowd {
    pods: BTreeMap<usize, u32>,
    launches: bool,
}

impl Desk<'_> {
    /// Keeps of the planned moves those that may be made with this answer: no more nodes than allowed, the most saving for its
    /// disruption first; and of these the ones that are sure together, as many as can be in their order. The others are for the
    /// next answers.
    pub(crate) fn join(&mut self) {
        self.within_budget();
        let mut rest: Vec<Planned> = std::mem::take(&mut self.planned);
        rest.reverse();
        let mut step = rest.len().clamp(1, STEP);
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
            let from = if missed > PATIENCE { 0 } else { rest.len() - 1 };
            let late: Vec<Planned> = rest.drain(from..).rev().collect();
            for late in late {
                let why = "it can go when the moves of this answer are done; together with them its pods would not be sure of a place";
                self.put_off(late, &Blocked::new(WhyNot::BudgetUsedUp, why));
            }
        }
    }

    /// Puts off what is more than the nodes that may go.
    fn within_budget(&mut self) {
        let nodes: usize = self.planned.iter().map(|planned| planned.draft.remove.len()).sum();
        if nodes <= self.nodes_max {
            return;
        }
        let mut order: Vec<usize> = (0..self.planned.len()).collect();
        let rate = |at: usize| {
            let planned = &self.planned[at];
            let evictions: i64 = planned.draft.remove.iter().map(|node| self.nodes[*node].evictions + 1_000).sum();
            planned.net.saturating_mul(1_000) / evictions.max(1)
        };
        order.sort_by_key(|at| (std::cmp::Reverse(rate(*at)), *at));
        let mut left = self.nodes_max;
        let mut kept = vec![false; self.planned.len()];
        for at in order {
            let nodes = self.planned[at].draft.remove.len();
            kept[at] = nodes <= left;
            left -= if kept[at] { nodes } else { 0 };
        }
        let why = used_up(self);
        for (planned, kept) in std::mem::take(&mut self.planned).into_iter().zip(kept) {
            if kept { self.planned.push(planned) } else { self.put_off(planned, &why) }
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
        }
        let pods: Pods = larger.pods.iter().map(|(class, count)| (*class, *count)).collect();
        let strangers = if larger.launches { self.pending.clone() } else { Pods::new() };
        if self.origin.sure(&pods, &strangers).is_ok() {
            return Some(larger);
        }
        self.origin.rollback(mark);
        None
    }

    fn put_off(&mut self, late: Planned, why: &Blocked) {
        for node in &late.draft.remove {
            self.nodes[*node].gone = false;
            self.nodes[*node].put_off = true;
            self.note(*node, why.clone());
        }
        self.late.push(late);
    }
}

/// The reason of nodes that could go, where no more may.
fn used_up(desk: &Desk<'_>) -> Blocked {
    let most = desk.nodes_max;
    Blocked::new(
        WhyNot::BudgetUsedUp,
        format!("{most} nodes may be touched at a time, and others come first; it is looked at when they are done"),
    )
}
