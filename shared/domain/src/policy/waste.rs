//! What a customer allows to be done about waste.

use super::Mode;
use serde::{Deserialize, Serialize};

/// Where the bytes between workloads can be learned: a Prometheus in the cluster, which the API server leads to
/// (`services/proxy`). Nothing else is ever asked of it than one instant query a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
pub struct TrafficSource {
    /// Namespace of its Service.
    pub namespace: String,
    /// Name of its Service.
    pub service: String,
    /// Port of its Service.
    pub port: u16,
    /// A query whose samples are bytes per day, labelled `source_workload_namespace`, `source_workload`,
    /// `destination_service_namespace` and `destination_service_name`. Left out: that of Istio's standard metrics.
    #[serde(default)]
    pub query: Option<String>,
}

/// What may be done about ghosts, volumes and the network of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(deny_unknown_fields))]
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
    /// How far network findings may go: they are recommendations, so anything above `recommend` means the same.
    pub network: Mode,
    /// Where traffic between workloads can be learned. `None`: nowhere, and what crosses zones is not priced. Boxed: a cluster is held
    /// in the futures of every function.
    pub traffic: Option<Box<TrafficSource>>,
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
            network: Mode::Observe,
            traffic: None,
        }
    }
}
