//! Volumes: where what a claim stands for can be attached.

use super::pod::RawNodeTerm;
use super::{Meta, nullable};
use domain::ids::Zone;
use domain::pod::ClaimView;
use domain::scheduling::{NodeOperator, NodeRequirement, NodeTerm};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;

/// Labels that name a zone: the well-known one, the one of the EBS driver, and the one of old volumes.
const ZONE_KEYS: [&str; 3] = ["topology.kubernetes.io/zone", "topology.ebs.csi.aws.com/zone", "failure-domain.beta.kubernetes.io/zone"];
/// Labels that say nothing of where a volume is.
const HARMLESS_KEYS: [&str; 4] =
    ["kubernetes.io/os", "kubernetes.io/arch", "topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"];

/// A v1 PersistentVolumeClaim.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Claim {
    /// Its metadata.
    pub metadata: Meta,
    spec: ClaimSpec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ClaimSpec {
    volume_name: Option<String>,
    storage_class_name: Option<String>,
}

/// A v1 PersistentVolume.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Volume {
    /// Its metadata.
    pub metadata: Meta,
    spec: VolumeSpec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct VolumeSpec {
    #[serde(deserialize_with = "nullable")]
    node_affinity: VolumeAffinity,
    local: Option<IgnoredAny>,
    host_path: Option<IgnoredAny>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct VolumeAffinity {
    required: Option<VolumeTerms>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct VolumeTerms {
    #[serde(deserialize_with = "nullable")]
    node_selector_terms: Vec<RawNodeTerm>,
}

/// A storage.k8s.io/v1 StorageClass.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct StorageClass {
    /// Its metadata.
    pub metadata: Meta,
    #[serde(deserialize_with = "nullable")]
    allowed_topologies: Vec<Topology>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Topology {
    #[serde(deserialize_with = "nullable")]
    match_label_expressions: Vec<TopologyRequirement>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TopologyRequirement {
    key: String,
    #[serde(deserialize_with = "nullable")]
    values: Vec<String>,
}

/// Where a volume can be attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// `None`: in every zone.
    pub zones: Option<Vec<Zone>>,
    /// On its present node only, as far as we understand it.
    pub local: bool,
}

impl Volume {
    /// Where it can be attached.
    pub fn places(self) -> Places {
        let local = self.spec.local.is_some() || self.spec.host_path.is_some();
        let mut places = match self.spec.node_affinity.required {
            Some(required) => places(required.node_selector_terms.into_iter().map(RawNodeTerm::view).collect()),
            // Volumes from before node affinity carry their zones as a label, joined by two underscores.
            None => match ZONE_KEYS.iter().find_map(|key| self.metadata.labels.get(*key)) {
                Some(zones) => named(zones.split("__").map(str::to_owned).collect()),
                None => Places { zones: None, local: false },
            },
        };
        places.local |= local;
        places
    }
}

impl StorageClass {
    /// The zones in which its volumes may be made; `None`: any.
    pub fn zones(self) -> Option<Vec<Zone>> {
        let need = |need: TopologyRequirement| NodeRequirement { key: need.key, operator: NodeOperator::In, values: need.values };
        let term = |topology: Topology| NodeTerm(topology.match_label_expressions.into_iter().map(need).collect());
        if self.allowed_topologies.is_empty() {
            return None;
        }
        places(self.allowed_topologies.into_iter().map(term).collect()).zones
    }
}

/// The terms are alternatives. A term without a zone is open to all zones; one that we do not understand ties the volume to
/// where it is.
fn places(terms: Vec<NodeTerm>) -> Places {
    let (mut zones, mut open, mut local) = (Vec::new(), false, false);
    for term in terms {
        let mut named_here: Option<Vec<String>> = None;
        for need in term.0 {
            if HARMLESS_KEYS.contains(&need.key.as_str()) {
                continue;
            }
            if need.operator == NodeOperator::In && ZONE_KEYS.contains(&need.key.as_str()) {
                named_here = Some(match named_here {
                    Some(before) => before.into_iter().filter(|zone| need.values.contains(zone)).collect(),
                    None => need.values,
                });
            } else {
                local = true;
            }
        }
        match named_here {
            Some(named) => zones.extend(named),
            None => open = true,
        }
    }
    if open {
        return Places { zones: None, local };
    }
    let named = named(zones);
    Places { local: local || named.local, ..named }
}

/// Zones by name. Where one cannot be a zone of AWS, nothing can be said of the volume but that it is where it is.
fn named(mut names: Vec<String>) -> Places {
    names.sort_unstable();
    names.dedup();
    let zones: Vec<Zone> = names.iter().filter_map(|name| Zone::parse(name.as_str()).ok()).collect();
    Places { local: zones.len() < names.len() || zones.is_empty(), zones: Some(zones) }
}

/// A claim with where its volume can be attached.
pub fn claim(claim: Claim, volumes: &BTreeMap<String, Places>, classes: &BTreeMap<String, Vec<Zone>>) -> ClaimView {
    let bound = claim.spec.volume_name.filter(|name| !name.is_empty());
    let places = match &bound {
        // A volume that is not in the list was made a moment ago: it is somewhere, and we do not know where.
        Some(name) => volumes.get(name).cloned().unwrap_or(Places { zones: None, local: true }),
        None => Places { zones: claim.spec.storage_class_name.and_then(|class| classes.get(&class).cloned()), local: false },
    };
    ClaimView { namespace: claim.metadata.namespace, name: claim.metadata.name, zones: places.zones, local: places.local }
}

#[cfg(test)]
mod tests;
