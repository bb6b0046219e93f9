//! Placing pods the way kube-scheduler might.

use super::state::{NodeId, State};

/// Pods by class and number.
pub type Pods = Vec<(usize, u32)>;

/// Which of the nodes that fit is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// The one with most room, as kube-scheduler's default scoring has it; the largest pods first.
    Roomiest,
    /// The one with most room, and the smallest pods first: they break up the room that the large ones need.
    SmallestFirst,
    /// Pods in an order, and on nodes, drawn from the number: what no scoring explains happens, too.
    Drawn(u64),
}

impl State<'_> {
    /// Places all pods, or says which class found no place; then the state is half changed, and the caller rolls back.
    ///
    /// # Errors
    /// The class of the first pod that fits nowhere.
    pub fn settle(&mut self, pods: &[(usize, u32)], choice: Choice) -> Result<Vec<(usize, NodeId)>, usize> {
        let mut places = Vec::new();
        match choice {
            Choice::Roomiest | Choice::SmallestFirst => {
                let mut sorted = pods.to_vec();
                sorted.sort_by_key(|(class, _)| (std::cmp::Reverse(self.size(*class)), *class));
                if choice == Choice::SmallestFirst {
                    sorted.reverse();
                }
                for (class, count) in sorted {
                    for _ in 0..count {
                        let node = self.roomiest(class).ok_or(class)?;
                        self.place(class, node);
                        places.push((class, node));
                    }
                }
            }
            Choice::Drawn(seed) => {
                let mut draw = Draw(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
                let mut queue: Vec<usize> = pods.iter().flat_map(|(class, count)| (0..*count).map(|_| *class)).collect();
                for at in (1..queue.len()).rev() {
                    queue.swap(at, draw.below(at + 1));
                }
                for class in queue {
                    let node = self.any(class, &mut draw).ok_or(class)?;
                    self.place(class, node);
                    places.push((class, node));
                }
            }
        }
        Ok(places)
    }

    /// How large a pod is: the larger of its shares of all CPU and all memory, by the first nodes' measure.
    fn size(&self, class: usize) -> i64 {
        let need = self.index.need(class);
        // A GiB for a quarter of a core: the middle of what EC2 sells.
        need[super::CPU].saturating_add(need[super::MEMORY] / (4 << 20))
    }

    /// The node with most room that takes a pod of the class.
    pub fn roomiest(&mut self, class: usize) -> Option<NodeId> {
        let mut best: Option<(i64, NodeId)> = None;
        for signature in 0..self.signatures.len() {
            if !self.signatures[signature].allows[class] {
                continue;
            }
            let mut below = (i64::MAX, NodeId::MAX);
            while let Some((score, node)) = self.signatures[signature].order.range(..below).next_back().copied() {
                if best.is_some_and(|best| (score, node) <= best) {
                    break;
                }
                if self.fits(class, node) {
                    best = Some((score, node));
                    break;
                }
                below = (score, node);
            }
        }
        best.map(|(_, node)| node)
    }

    /// Some node that takes a pod of the class.
    fn any(&mut self, class: usize, draw: &mut Draw) -> Option<NodeId> {
        let nodes = self.len();
        let start = draw.below(nodes.max(1));
        (0..nodes).map(|step| (start + step) % nodes).find(|node| self.fits(class, *node))
    }
}

/// A small generator of numbers (xorshift of Marsaglia, 2003): planning has no randomness of its own, only what its input says.
struct Draw(u64);

impl Draw {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (limit.max(1) as u64)).unwrap_or(0)
    }
}
