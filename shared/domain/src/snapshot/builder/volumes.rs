//! From the claims of a pod to where it may run.

use crate::ids::Zone;
use crate::pod::ClaimView;
use crate::scheduling::Scheduling;
use std::collections::HashMap;

/// The claims by namespace and name.
#[derive(Debug)]
pub(super) struct Volumes(Option<HashMap<String, HashMap<String, Place>>>);

#[derive(Debug)]
struct Place {
    zones: Option<Vec<Zone>>,
    local: bool,
}

impl Volumes {
    pub(super) fn new(claims: Option<Vec<ClaimView>>) -> Self {
        Self(claims.map(|claims| {
            let mut by_name: HashMap<String, HashMap<String, Place>> = HashMap::new();
            for claim in claims {
                let place = Place { zones: claim.zones, local: claim.local };
                by_name.entry(claim.namespace).or_default().insert(claim.name, place);
            }
            by_name
        }))
    }

    /// Zones are those that all claims share. A claim of which nothing is known binds the pod to where it is.
    pub(super) fn put(&self, namespace: &str, claims: &[String], into: &mut Scheduling) {
        into.volumes = u32::try_from(claims.len()).unwrap_or(u32::MAX);
        for name in claims {
            let place = self.0.as_ref().and_then(|all| all.get(namespace)).and_then(|here| here.get(name));
            into.pinned |= place.is_none_or(|place| place.local);
            let Some(zones) = place.and_then(|place| place.zones.as_ref()) else { continue };
            match &mut into.volume_zones {
                Some(shared) => shared.retain(|zone| zones.contains(zone)),
                None => {
                    let mut zones = zones.clone();
                    zones.sort_unstable();
                    zones.dedup();
                    into.volume_zones = Some(zones);
                }
            }
        }
    }
}
