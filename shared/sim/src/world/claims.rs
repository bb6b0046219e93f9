//! PersistentVolumeClaims: made with the pods that mount them, and bound for good to the place of the first pod that is scheduled.

use super::minted;
use super::spec::Volume;
use super::state::{Claim, Kube, Node, Pod, Sort};
use domain::pod::ClaimView;

/// The label that says in which zone a node is.
pub(crate) const ZONE: &str = "topology.kubernetes.io/zone";

impl Kube {
    /// Names the claim of a new pod, and makes it where it is not there: one for each pod of a StatefulSet and each bare pod,
    /// one for all pods of another workload.
    pub(crate) fn claim(&mut self, key: u64) {
        let Some(pod) = self.pods.get_mut(&key) else { return };
        let Some(volume) = pod.shape.volume else { return };
        let shared = pod.workload.and_then(|index| self.workloads.get(index)).filter(|workload| workload.sort != Sort::StatefulSet);
        let name = format!("data-{}", shared.map_or(pod.pod.name.as_str(), |workload| workload.name.as_str()));
        pod.claims = vec![name.clone()];
        let at = (pod.pod.namespace.clone(), name);
        self.claims.entry(at).or_insert(Claim { volume, at: None });
    }

    fn claims_of<'a>(&'a self, pod: &'a Pod) -> impl Iterator<Item = &'a Claim> {
        pod.claims.iter().filter_map(|name| self.claims.get(&(pod.pod.namespace.clone(), name.clone())))
    }

    /// Whether the volumes of a pod can be reached from a node.
    pub(crate) fn reaches_volumes(&self, pod: &Pod, node: &Node) -> bool {
        self.claims_of(pod).all(|claim| match (&claim.at, claim.volume) {
            (None, _) => true,
            (Some((zone, _)), Volume::Zonal) => node.labels.get(ZONE).is_some_and(|at| at == zone.as_str()),
            (Some((_, home)), Volume::Local) => node.name == *home,
        })
    }

    /// A pod was bound: its volumes are made where it is.
    pub(crate) fn provision(&mut self, key: u64) {
        let Some(pod) = self.pods.get(&key).filter(|pod| !pod.claims.is_empty()) else { return };
        let Some(node) = pod.node.as_ref().and_then(|name| self.nodes.get(name)) else { return };
        let zone = node.labels.get(ZONE).map_or_else(|| node.zone.clone(), |zone| minted(zone.clone()));
        for name in &pod.claims {
            if let Some(claim) = self.claims.get_mut(&(pod.pod.namespace.clone(), name.clone())) {
                claim.at.get_or_insert_with(|| (zone.clone(), node.name.clone()));
            }
        }
    }

    pub(crate) fn claim_views(&self) -> Vec<ClaimView> {
        let view = |((namespace, name), claim): (&(String, String), &Claim)| ClaimView {
            namespace: namespace.clone(),
            name: name.clone(),
            zones: claim.at.as_ref().map(|(zone, _)| vec![zone.clone()]),
            local: claim.volume == Volume::Local,
        };
        self.claims.iter().map(view).collect()
    }
}
