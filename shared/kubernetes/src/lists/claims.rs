//! Claims, with the volumes and classes behind them.

use super::all;
use crate::call::Api;
use domain::pod::ClaimView;
use domain::ports::ClusterError;
use slim::{Claim, StorageClass, Volume, claim};
use std::collections::BTreeMap;

/// Every claim. Claims and volumes must be readable, for a bound claim says nothing of its zone; without storage classes only
/// claims that wait for their first consumer are known less well.
pub(crate) async fn claims(api: &Api) -> Result<Vec<ClaimView>, ClusterError> {
    let claims = all(api, "/api/v1/persistentvolumeclaims", Some).await?;
    if claims.is_empty() {
        return Ok(Vec::new());
    }
    let volume = |volume: Volume| Some((volume.metadata.name.clone(), volume.places()));
    let volumes: BTreeMap<_, _> = all(api, "/api/v1/persistentvolumes", volume).await?.into_iter().collect();
    let class = |class: StorageClass| Some((class.metadata.name.clone(), class.zones()?));
    let classes = match all(api, "/apis/storage.k8s.io/v1/storageclasses", class).await {
        Ok(classes) => classes.into_iter().collect(),
        Err(ClusterError::Forbidden(_) | ClusterError::Refused(_)) => BTreeMap::new(),
        Err(
            other @ (ClusterError::Unreachable(_)
            | ClusterError::Unauthorized
            | ClusterError::Gone
            | ClusterError::Conflict
            | ClusterError::Overloaded(_)),
        ) => return Err(other),
    };
    Ok(claims.into_iter().map(|found: Claim| claim(found, &volumes, &classes)).collect())
}
