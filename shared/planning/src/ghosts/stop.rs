//! When a scan believes nothing that it sees.

use super::{GHOSTS_PERCENT_MAX, Look, Sight};
use domain::watch::Watchbook;

/// Why nothing is believed or done. A person must look; it lifts itself when the cluster looks like itself again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// Instances run, and none of them is a node.
    NoNodes {
        /// How many run.
        running: u32,
    },
    /// Many nodes are missing whose instances still run.
    Shrunken {
        /// How many instances were nodes at the last look.
        before: u32,
        /// How many are now.
        now: u32,
    },
    /// Too many ghosts at once.
    Mass {
        /// How many.
        ghosts: usize,
        /// How many instances run.
        running: u32,
    },
    /// Most of the cluster is not Ready.
    Unhealthy {
        /// How many nodes are not.
        unready: usize,
        /// Of how many.
        nodes: usize,
    },
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Stop::NoNodes { running } => write!(f, "{running} instances of the cluster run, and none of them is a node"),
            Stop::Shrunken { before, now } => {
                write!(f, "{before} instances were nodes at the last look and {now} are now, while they still run")
            }
            Stop::Mass { ghosts, running } => {
                write!(f, "{ghosts} of {running} running instances are no nodes: that is a symptom of something else, not waste")
            }
            Stop::Unhealthy { unready, nodes } => write!(f, "{unready} of {nodes} nodes are not Ready"),
        }
    }
}

/// How many of `all` may be amiss at `percent` of them, rounded up: one of three, two of ten, three of eleven at 20 percent.
pub fn tolerated(all: u32, percent: u32) -> u32 {
    all.saturating_mul(percent).div_ceil(100)
}

/// Share of nodes that may be not Ready, in percent, and the number that always may (cluster-autoscaler's defaults).
const UNREADY_PERCENT_MAX: usize = 45;
const UNREADY_ALWAYS: usize = 3;

/// Whether so many nodes are not Ready that nothing should be done to the cluster.
pub fn unhealthy(unready: usize, nodes: usize) -> bool {
    unready > UNREADY_ALWAYS && unready.saturating_mul(100) > nodes.saturating_mul(UNREADY_PERCENT_MAX)
}

/// Whether to stop.
pub(super) fn stop(look: &Look<'_>, sight: &Sight<'_>, before: &Watchbook, ghosts: usize) -> Option<Stop> {
    if sight.running > 0 && sight.matched == 0 {
        return Some(Stop::NoNodes { running: sight.running });
    }
    if shrunken(sight.matched, sight.running, before) {
        return Some(Stop::Shrunken { before: before.nodes, now: sight.matched });
    }
    if ghosts > tolerated(sight.running, GHOSTS_PERCENT_MAX) as usize {
        return Some(Stop::Mass { ghosts, running: sight.running });
    }
    let unready = look.nodes.iter().filter(|node| !node.ready).count();
    unhealthy(unready, look.nodes.len()).then_some(Stop::Unhealthy { unready, nodes: look.nodes.len() })
}

/// Whether more nodes are missing than instances have ended since the last look.
fn shrunken(matched: u32, running: u32, before: &Watchbook) -> bool {
    let lost = before.nodes.saturating_sub(matched);
    let ended = before.running.saturating_sub(running);
    lost > ended.saturating_add(tolerated(before.nodes, GHOSTS_PERCENT_MAX))
}
