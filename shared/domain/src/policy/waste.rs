//! What a customer allows to be done about waste.

use super::Mode;
use serde::{Deserialize, Serialize};

/// What may be done about ghosts, volumes and the network of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WastePolicy {
    /// Instances that run and are no nodes. `observe` after registration.
    pub ghosts: Mode,
    /// How long an instance must have been seen as a ghost, without a break, before it is ended, in hours. At least 1.
    pub ghost_grace_hours: u32,
    /// How many ghosts one scan may have ended. 0: none.
    pub ghosts_per_scan_max: u32,
    /// Volumes that nothing is attached to and no claim names.
    pub volumes: Mode,
    /// How long a volume must have been seen so, in days. At least 1.
    pub volume_grace_days: u32,
    /// How many volumes one scan may have deleted. 0: none.
    pub volumes_per_scan_max: u32,
}

impl Default for WastePolicy {
    fn default() -> Self {
        WastePolicy {
            ghosts: Mode::Observe,
            ghost_grace_hours: 24,
            ghosts_per_scan_max: 2,
            volumes: Mode::Observe,
            volume_grace_days: 7,
            volumes_per_scan_max: 5,
        }
    }
}
