//! Claims, volumes and storage classes as the API server prints them.

use super::time;
use crate::world::spec::Volume;
use crate::world::state::{Claim, Kube};
use serde_json::{Value, json};

/// The storage class of each sort of volume.
fn class(volume: Volume) -> &'static str {
    match volume {
        Volume::Zonal => "gp3",
        Volume::Local => "local",
    }
}

/// What the volume of a claim is called.
fn volume_name(namespace: &str, name: &str) -> String {
    format!("pvc-{namespace}-{name}")
}

/// The PersistentVolumeClaims of a cluster.
pub(crate) fn claims(kube: &Kube) -> Vec<Value> {
    let print = |((namespace, name), claim): (&(String, String), &Claim)| {
        let mut spec = json!({"accessModes": ["ReadWriteOnce"], "storageClassName": class(claim.volume)});
        if claim.at.is_some() {
            spec["volumeName"] = json!(volume_name(namespace, name));
        }
        json!({
            "apiVersion": "v1", "kind": "PersistentVolumeClaim", "spec": spec,
            "metadata": {"namespace": namespace, "name": name, "uid": format!("claim-{namespace}-{name}")},
            "status": {"phase": if claim.at.is_some() { "Bound" } else { "Pending" }},
        })
    };
    kube.claims.iter().map(print).collect()
}

/// The PersistentVolumes behind the bound ones.
pub(crate) fn volumes(kube: &Kube) -> Vec<Value> {
    let print = |((namespace, name), claim): (&(String, String), &Claim)| {
        let (zone, node) = claim.at.as_ref()?;
        let (key, value) = match claim.volume {
            Volume::Zonal => ("topology.ebs.csi.aws.com/zone", zone.as_str()),
            Volume::Local => ("kubernetes.io/hostname", node.as_str()),
        };
        let mut spec = json!({
            "storageClassName": class(claim.volume), "claimRef": {"namespace": namespace, "name": name},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [
                {"matchExpressions": [{"key": key, "operator": "In", "values": [value]}]},
            ]}},
        });
        match claim.volume {
            Volume::Zonal => spec["csi"] = json!({"driver": "ebs.csi.aws.com", "volumeHandle": format!("vol-{namespace}-{name}")}),
            Volume::Local => spec["local"] = json!({"path": "/mnt/disks/0"}),
        }
        let name = volume_name(namespace, name);
        Some(json!({
            "apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name, "uid": name}, "spec": spec,
            "status": {"phase": "Bound"},
        }))
    };
    kube.claims.iter().filter_map(print).collect()
}

/// The StorageClasses: EBS and local disks, both bound by the first pod.
pub(crate) fn classes(created: jiff::Timestamp) -> Vec<Value> {
    let print = |(volume, provisioner): (Volume, &str)| {
        json!({
            "apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": provisioner,
            "metadata": {"name": class(volume), "uid": class(volume), "creationTimestamp": time(created)},
            "volumeBindingMode": "WaitForFirstConsumer",
        })
    };
    [(Volume::Zonal, "ebs.csi.aws.com"), (Volume::Local, "kubernetes.io/no-provisioner")].into_iter().map(print).collect()
}
