//! PersistentVolumes, as far as EBS volumes stand behind them.

use super::all;
use crate::call::Api;
use domain::ports::ClusterError;
use domain::ports::inventory::PersistentVolume;
use serde::Deserialize;
use slim::Meta;

/// A v1 PersistentVolume: what is behind it, and what becomes of that.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Volume {
    metadata: Meta,
    spec: Spec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    persistent_volume_reclaim_policy: Option<String>,
    csi: Option<Csi>,
    aws_elastic_block_store: Option<Legacy>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Csi {
    driver: String,
    volume_handle: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Legacy {
    #[serde(rename = "volumeID")]
    volume_id: String,
}

impl Volume {
    fn view(self) -> PersistentVolume {
        let csi = self.spec.csi.filter(|csi| csi.driver == "ebs.csi.aws.com").map(|csi| csi.volume_handle);
        // `vol-...`, or `aws://<zone>/vol-...` from before the driver.
        let legacy = self.spec.aws_elastic_block_store.map(|store| store.volume_id);
        let volume = csi.or(legacy).and_then(|id| id.rsplit('/').next().map(str::to_owned)).filter(|id| id.starts_with("vol-"));
        PersistentVolume {
            name: self.metadata.name,
            volume,
            // A volume without a policy was made by hand, and such a one is kept (the API's own default).
            retain: self.spec.persistent_volume_reclaim_policy.is_none_or(|policy| policy != "Delete"),
        }
    }
}

/// Every PersistentVolume.
pub(crate) async fn volumes(api: &Api) -> Result<Vec<PersistentVolume>, ClusterError> {
    all(api, "/api/v1/persistentvolumes", |volume: Volume| Some(volume.view())).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(json: &str) -> PersistentVolume {
        serde_json::from_str::<Volume>(json).unwrap().view()
    }

    #[test]
    fn the_volume_behind_it_is_found_in_every_form() {
        let driver = r#"{"metadata":{"name":"a"},"spec":{"persistentVolumeReclaimPolicy":"Delete",
            "csi":{"driver":"ebs.csi.aws.com","volumeHandle":"vol-1"}}}"#;
        assert_eq!(view(driver), PersistentVolume { name: "a".to_owned(), volume: Some("vol-1".to_owned()), retain: false });
        let legacy = r#"{"spec":{"persistentVolumeReclaimPolicy":"Retain","awsElasticBlockStore":{"volumeID":"aws://us-east-1a/vol-2"}}}"#;
        assert_eq!((view(legacy).volume.as_deref(), view(legacy).retain), (Some("vol-2"), true));
        assert_eq!(view(r#"{"spec":{"csi":{"driver":"efs.csi.aws.com","volumeHandle":"fs-1"}}}"#).volume, None);
        assert!(view("{}").retain, "without a word it is kept");
    }
}
