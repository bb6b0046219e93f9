//! PersistentVolumeClaims: made with the pods that mount them, and bound for good to the place of the first pod that is scheduled.

use super::minted;
use super::spec::Volume;
use super::state::{Claim, Kube, Node, Pod, Sort};
use domain::ids::VolumeId;
use domain::pod::ClaimView;
use domain::ports::estate::EbsVolume;
use domain::ports::inventory::PersistentVolume;

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

/// The EBS volume behind a bound claim.
fn volume_id(namespace: &str, name: &str) -> VolumeId {
    minted(format!("vol-{namespace}-{name}"))
}

impl Kube {
    /// The EBS volumes behind bound claims, as EC2 lists them: attached while a pod that mounts them is on a node.
    pub(crate) fn ebs_volumes(&self) -> Vec<EbsVolume> {
        let mounted = |namespace: &str, name: &String| {
            self.pods.values().any(|pod| pod.node.is_some() && pod.pod.namespace == namespace && pod.claims.contains(name))
        };
        let print = |((namespace, name), claim): (&(String, String), &Claim)| {
            let (zone, _) = claim.at.as_ref().filter(|_| claim.volume == Volume::Zonal)?;
            let attached = mounted(namespace, name);
            let tags = [
                ("ebs.csi.aws.com/cluster", "true".to_owned()),
                ("ebs.csi.aws.com/cluster-name", self.spec.name.clone()),
                ("CSIVolumeName", format!("pvc-{namespace}-{name}")),
                ("kubernetes.io/created-for/pvc/namespace", namespace.clone()),
                ("kubernetes.io/created-for/pvc/name", name.clone()),
            ];
            Some(EbsVolume {
                id: volume_id(namespace, name),
                zone: zone.clone(),
                size_gib: 20,
                volume_type: "gp3".to_owned(),
                iops: 3_000,
                throughput_mib: 125,
                available: !attached,
                attached,
                created_at: None,
                tags: tags.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
            })
        };
        self.claims.iter().filter_map(print).collect()
    }

    /// The PersistentVolumes of bound claims. Their class deletes what no claim holds any more.
    pub(crate) fn persistent_volumes(&self) -> Vec<PersistentVolume> {
        let bound = self.claims.iter().filter(|(_, claim)| claim.at.is_some() && claim.volume == Volume::Zonal);
        let print = |((namespace, name), _): (&(String, String), &Claim)| PersistentVolume {
            name: format!("pvc-{namespace}-{name}"),
            volume: Some(volume_id(namespace, name).to_string()),
            retain: false,
        };
        bound.map(print).collect()
    }

    /// The volume behind a claim is deleted in EC2, past the cluster. `false`: it is none of its.
    pub(crate) fn lose_volume(&mut self, id: &VolumeId) -> bool {
        let of = self.claims.keys().find(|(namespace, name)| volume_id(namespace, name) == *id).cloned();
        if let Some(of) = &of {
            self.claims.remove(of);
            self.volumes_lost += 1;
        }
        of.is_some()
    }
}
