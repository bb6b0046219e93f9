//! What happens to a state, written down so that it can be taken back.

use super::{NodeId, State};

/// A point in the list of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark(usize);

#[derive(Debug, Clone, Copy)]
pub(super) enum Change {
    Placed(usize, NodeId),
    Taken(usize, NodeId),
    Closed(NodeId),
    Added(NodeId),
}

impl State<'_> {
    /// Lets no more pods onto a node.
    pub fn close(&mut self, node: NodeId) {
        if self.nodes[node].open {
            let score = self.score(node);
            self.signatures[self.nodes[node].signature].order.remove(&(score, node));
            self.nodes[node].open = false;
            self.changes.push(Change::Closed(node));
        }
    }

    /// Takes a node out for good: its domains count no more. Only when nothing that moves is left on it; not taken back.
    pub fn retire(&mut self, node: NodeId) {
        self.close(node);
        for (class, count) in std::mem::take(&mut self.nodes[node].pods) {
            self.shift(class, node, -i64::from(count));
        }
        self.seen(node, -1);
        self.changes.clear();
    }

    /// Puts a pod on a node, whether it fits or not.
    pub fn place(&mut self, class: usize, node: NodeId) {
        self.shift(class, node, 1);
        self.changes.push(Change::Placed(class, node));
    }

    /// Takes a pod off a node.
    pub fn take(&mut self, class: usize, node: NodeId) {
        self.shift(class, node, -1);
        self.changes.push(Change::Taken(class, node));
    }

    /// Closes a node and takes off all that a drain moves; returns it.
    pub fn empty(&mut self, node: NodeId) -> Vec<(usize, u32)> {
        self.close(node);
        let moving: Vec<(usize, u32)> = self.moving(node);
        for (class, count) in &moving {
            for _ in 0..*count {
                self.take(*class, node);
            }
        }
        moving
    }

    /// Makes every change so far final.
    pub fn commit(&mut self) {
        self.changes.clear();
    }

    /// Where to roll back to.
    pub fn mark(&self) -> Mark {
        Mark(self.changes.len())
    }

    /// Takes back every change since the mark.
    pub fn rollback(&mut self, mark: Mark) {
        while self.changes.len() > mark.0 {
            match self.changes.pop() {
                Some(Change::Placed(class, node)) => self.shift(class, node, -1),
                Some(Change::Taken(class, node)) => self.shift(class, node, 1),
                Some(Change::Closed(node)) => {
                    self.nodes[node].open = true;
                    let score = self.score(node);
                    self.signatures[self.nodes[node].signature].order.insert((score, node));
                }
                Some(Change::Added(node)) => {
                    self.close_silently(node);
                    self.seen(node, -1);
                    self.nodes.pop();
                    self.free.truncate(node * self.index.dims);
                }
                None => return,
            }
        }
    }

    fn close_silently(&mut self, node: NodeId) {
        let score = self.score(node);
        self.signatures[self.nodes[node].signature].order.remove(&(score, node));
    }
}
