//! Puts an object to sleep, or wakes it.

use super::{Attempt, Performed, from_cluster};
use crate::ports::{Ports, Site};
use domain::workload::{Resize, Resized, ScaleRef};

/// Changes the size and the note. What was decided for a time that has passed is not done any more: the next minute decides anew.
pub(super) async fn resize(ports: &Ports, site: &Site, attempt: &Attempt, target: &ScaleRef, resize: &Resize) -> Performed {
    if ports.clock.now() > attempt.plan_deadline {
        return Performed::Expired("its time had passed; the next minute decides anew".to_owned());
    }
    let cluster = match &site.kubernetes {
        Ok(cluster) => cluster,
        Err(error) => return from_cluster(ports, attempt, error),
    };
    match cluster.resize(target, resize).await {
        Ok(Resized::Done) => Performed::Done(None),
        Ok(Resized::Differs(size)) => {
            let size = size.map_or_else(|| "none".to_owned(), |size| size.to_string());
            Performed::Expired(format!("somebody else has changed its size to {size}"))
        }
        Err(domain::ports::ClusterError::Gone) => Performed::Expired("it is gone".to_owned()),
        Err(error) => from_cluster(ports, attempt, &error),
    }
}
