//! First fit decreasing with the cheapest type that fits, the way Karpenter provisions: pods by CPU, then memory; each goes to the
//! node with the fewest pods that can take it; a node keeps every kind it could still be, and is the cheapest of them in the end.

use super::model::{Amount, Column, DIMENSIONS, Model, Packed};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

struct Claim {
    load: Amount,
    kinds: Vec<usize>,
    contents: Vec<(usize, u32)>,
}

/// Packs every pod on kinds without limit; `None` when a shape may lie on no such kind.
pub(super) fn pack(model: &Model) -> Option<Packed> {
    let mut shapes: Vec<usize> = (0..model.counts.len()).filter(|shape| model.counts[*shape] > 0).collect();
    shapes.sort_by_key(|shape| (Reverse(model.needs[*shape]), *shape));
    let free: Vec<usize> = (0..model.kinds.len()).filter(|kind| model.kinds[*kind].available.is_none()).collect();
    let mut claims: Vec<Claim> = Vec::new();
    for shape in shapes {
        // Fewest pods first; a claim that cannot take one pod of the shape takes none.
        let pods = |claim: &Claim| claim.load[2];
        let mut open: BinaryHeap<Reverse<(u64, usize)>> = claims.iter().enumerate().map(|(at, claim)| Reverse((pods(claim), at))).collect();
        for _ in 0..model.counts[shape] {
            loop {
                let Some(Reverse((_, at))) = open.pop() else {
                    let mut claim = Claim { load: [0; DIMENSIONS], kinds: free.clone(), contents: Vec::new() };
                    if !claim.take(model, shape) {
                        return None;
                    }
                    open.push(Reverse((1, claims.len())));
                    claims.push(claim);
                    break;
                };
                if claims[at].take(model, shape) {
                    open.push(Reverse((pods(&claims[at]), at)));
                    break;
                }
            }
        }
    }
    let column = |claim: Claim| {
        let kind = claim.kinds.into_iter().min_by_key(|kind| (model.kinds[*kind].micros, *kind))?;
        let mut contents = claim.contents;
        contents.sort_unstable();
        Some((Column { kind, contents }, 1))
    };
    let nodes: Option<Vec<(Column, u32)>> = claims.into_iter().map(column).collect();
    nodes.map(|nodes| model.packed(nodes))
}

impl Claim {
    /// Takes one pod if some kind can still hold all; then only such kinds stay.
    fn take(&mut self, model: &Model, shape: usize) -> bool {
        let load: Amount = std::array::from_fn(|dimension| self.load[dimension] + model.needs[shape][dimension]);
        let there = self.contents.last().map_or(0, |(last, times)| if *last == shape { *times } else { 0 });
        let holds = |kind: &usize| {
            let kind = &model.kinds[*kind];
            load.iter().zip(&kind.capacity).all(|(load, capacity)| load <= capacity) && kind.most(shape) > there
        };
        let kinds: Vec<usize> = self.kinds.iter().copied().filter(holds).collect();
        if kinds.is_empty() {
            return false;
        }
        (self.load, self.kinds) = (load, kinds);
        match self.contents.last_mut() {
            Some((last, times)) if *last == shape => *times += 1,
            Some(_) | None => self.contents.push((shape, 1)),
        }
        true
    }
}
