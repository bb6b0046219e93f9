//! Where pods can run: an index over a snapshot, and a state of it that can be changed and taken back.
//!
//! What kube-scheduler enforces is enforced here: requests of every kind, the number of pods, taints, node selectors, required node
//! affinity, pod affinity, pod anti-affinity in both directions, hard topology spread with its least number of domains and its
//! policies, zones of volumes, host ports, and the pods of DaemonSets on a node that is launched.
//!
//! A node that is taken out of service takes no pods, but its domains count as long as it exists: kube-scheduler counts them too.
//!
//! ```text
//! Index::new(snapshot)      compiled once: classes, terms, domains
//!   State::new(&index)      the cluster as it is
//!     mark .. rollback      what if: each change is written down, and taken back in the time it took
//! ```
//!
//! Assumptions: the pods of a class are alike; a class whose affinity selects namespaces by labels is placed nowhere, because those
//! labels are not read; a node takes [`VOLUMES_MAX`] volumes.

mod compile;
mod schedule;
mod state;
mod sure;
mod template;
mod terms;

pub(crate) use compile::{HOSTNAME, ZONE, is_zone, selects};
pub use schedule::Pods;
pub use state::{Mark, NodeId, State};
pub use template::{Kind, Template};
pub(crate) use template::{arch_of, looks_at_type, runs_on};

use domain::snapshot::Snapshot;
use std::collections::BTreeSet;
use terms::{Class, Counter};

/// Dimensions that each node has; extended resources follow.
pub(crate) const CPU: usize = 0;
/// Memory, bytes.
pub(crate) const MEMORY: usize = 1;
/// Pods.
pub(crate) const PODS: usize = 2;
/// Attached volumes.
pub(crate) const VOLUMES: usize = 3;

/// How many volumes can be attached to a node for pods. A Nitro instance has 28 slots for volumes and network cards together (EC2
/// user guide, "Amazon EBS volume limits"); one root volume and three cards leave this many.
pub const VOLUMES_MAX: i64 = 24;

/// A snapshot, compiled for placement.
pub struct Index<'a> {
    /// The snapshot.
    pub snapshot: &'a Snapshot,
    /// How many dimensions an amount has.
    pub(crate) dims: usize,
    /// Names of the extended resources, in the order of the dimensions after [`VOLUMES`].
    pub(crate) extended: Vec<&'a str>,
    /// The classes, as the snapshot numbers them.
    pub(crate) classes: Vec<Class>,
    /// Labels by which domains are made.
    pub(crate) keys: Vec<&'a str>,
    /// What is counted per domain.
    pub(crate) counters: Vec<Counter>,
    /// Labels of nodes that any class looks at, the name of the host left out.
    pub(crate) labels: BTreeSet<&'a str>,
}

impl Index<'_> {
    /// What one pod of a class takes, by dimension.
    pub(crate) fn need(&self, class: usize) -> &[i64] {
        &self.classes[class].need
    }

    /// Whether no two pods of a class may share a node: they keep apart by name of the host, or by their ports.
    pub(crate) fn apart(&self, class: usize) -> bool {
        let compiled = &self.classes[class];
        let own = |counter: &usize| {
            let counter = &self.counters[*counter];
            self.keys[counter.key] == compile::HOSTNAME && counter.fed_by.contains(&class)
        };
        compiled.ports.contains(&class) || compiled.forbids.iter().any(own)
    }

    /// What these pods take together, by dimension.
    pub(crate) fn demand(&self, pods: &[(usize, u32)]) -> Vec<i64> {
        let mut sum = vec![0_i64; self.dims];
        for (class, count) in pods {
            for (total, need) in sum.iter_mut().zip(self.need(*class)) {
                *total = total.saturating_add(need.saturating_mul(i64::from(*count)));
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests;
