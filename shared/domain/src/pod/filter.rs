//! Which pods a drain moves, and why the others stay. The order of the questions is kubectl's.

use super::PodView;
use std::collections::BTreeSet;

/// What a drain does with one pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Evict it.
    Evict,
    /// It is on its way out: wait until it is gone.
    Leaving,
    /// Leave it; it is not waited for.
    Stay(Stay),
    /// It forbids the drain.
    Refuse(Refusal),
}

/// Why a pod stays on a drained node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stay {
    /// A static pod's image: the API server cannot move it.
    Mirror,
    /// A living DaemonSet would start it anew on the same node.
    DaemonSet,
}

/// Why a pod forbids the drain of its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is of a DaemonSet and the caller did not say that those may stay.
    DaemonSet,
    /// Its DaemonSet does not exist any more, and nobody would make it anew.
    OrphanOfDaemonSet,
    /// It has data in an `emptyDir` that would be lost.
    EmptyDir,
    /// It has no controller: nobody would make it anew.
    NoController,
}

/// What the caller accepts. kubectl's `--ignore-daemonsets`, `--delete-emptydir-data` and `--force`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepts {
    /// Pods of DaemonSets stay instead of forbidding the drain.
    pub daemon_sets: bool,
    /// Data in an `emptyDir` may be lost.
    pub empty_dir: bool,
    /// Pods without a controller may be lost.
    pub no_controller: bool,
}

impl Accepts {
    /// For a node that is about to die: everything there is lost anyway.
    pub const DYING: Accepts = Accepts { daemon_sets: true, empty_dir: true, no_controller: true };
}

/// Judges one pod. `daemon_sets` are the names of the DaemonSets known to exist in the pod's namespace; `None`: they could
/// not be read, and the owner reference is trusted.
pub fn judge(pod: &PodView, accepts: Accepts, daemon_sets: Option<&BTreeSet<(String, String)>>) -> Fate {
    if let Some(daemon_set) = pod.controller.as_ref().filter(|c| c.kind == "DaemonSet" && !pod.finished()) {
        let exists = daemon_sets.is_none_or(|known| known.contains(&(pod.pod.namespace.clone(), daemon_set.name.clone())));
        match (exists, accepts.daemon_sets, accepts.no_controller) {
            (true, true, _) => return Fate::Stay(Stay::DaemonSet),
            (true, false, _) => return Fate::Refuse(Refusal::DaemonSet),
            // An orphan that may be lost still has the other questions before it.
            (false, _, true) => {}
            (false, _, false) => return Fate::Refuse(Refusal::OrphanOfDaemonSet),
        }
    }
    if pod.mirror {
        return Fate::Stay(Stay::Mirror);
    }
    if pod.empty_dir && !pod.finished() && !accepts.empty_dir {
        return Fate::Refuse(Refusal::EmptyDir);
    }
    if pod.controller.is_none() && !pod.finished() && !accepts.no_controller {
        return Fate::Refuse(Refusal::NoController);
    }
    going(pod)
}

fn going(pod: &PodView) -> Fate {
    if pod.deletion_at.is_some() { Fate::Leaving } else { Fate::Evict }
}

#[cfg(test)]
mod tests;
