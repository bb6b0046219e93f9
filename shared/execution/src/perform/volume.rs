//! Deletes a volume: a snapshot first, then a last look, then the volume.

use super::ghost::from_table;
use super::{Attempt, Performed, from_cluster, launch};
use crate::ports::{Ports, Site};
use domain::SignedDuration;
use domain::ids::VolumeId;
use domain::plan::Effect;
use domain::plan::action::AskedBy;
use domain::policy::Mode;
use domain::ports::estate::{SnapshotState, VolumeFilter};
use planning::volumes::{Look, verify};

/// How often a snapshot that is being made is looked at.
const SNAPSHOT_RETRY: SignedDuration = SignedDuration::from_secs(30);

pub(super) async fn delete(ports: &Ports, site: &Site, attempt: &Attempt, id: &VolumeId, by: AskedBy) -> Performed {
    if by == AskedBy::Scan && site.cluster.policy.waste.volumes != Mode::Auto {
        return Performed::Failed("the cluster's policy does not allow volumes to be deleted any more".to_owned());
    }
    match may_go(ports, site, attempt, id, by).await {
        Ok(true) => {}
        Ok(false) => return Performed::Done(Some(Effect::WasGone)),
        Err(performed) => return performed,
    }
    let mark = attempt.key.plan.to_string();
    match ports.cloud.snapshot(&site.scope, id, &mark).await {
        Ok(snapshot) => match snapshot.state {
            SnapshotState::Completed => {}
            SnapshotState::Failed => return Performed::Failed(format!("snapshot {} of {id} failed; the volume stays", snapshot.id)),
            SnapshotState::Pending if ports.clock.now() > attempt.plan_deadline => {
                return Performed::Failed(format!("snapshot {} of {id} was not whole in time; the volume stays", snapshot.id));
            }
            SnapshotState::Pending => {
                return Performed::Wait { until: ports.clock.now() + SNAPSHOT_RETRY, effect: None };
            }
        },
        Err(error) => return launch::from_cloud(ports, attempt, &error),
    }
    // A snapshot takes minutes: somebody may have claimed the volume meanwhile.
    match may_go(ports, site, attempt, id, by).await {
        Ok(true) => {}
        Ok(false) => return Performed::Done(Some(Effect::WasGone)),
        Err(performed) => return performed,
    }
    match ports.cloud.delete_volume(&site.scope, id).await {
        Ok(()) => {
            ports.meter.count("volumes_deleted", "after_snapshot");
            Performed::Done(None)
        }
        Err(error) => launch::from_cloud(ports, attempt, &error),
    }
}

/// Whether it may be deleted; `false`: it is gone already.
async fn may_go(ports: &Ports, site: &Site, attempt: &Attempt, id: &VolumeId, by: AskedBy) -> Result<bool, Performed> {
    let cluster = site.kubernetes.as_ref().map_err(|error| from_cluster(ports, attempt, error))?;
    let found = ports.cloud.volumes(&site.scope, &VolumeFilter::Ids(vec![id.clone()])).await;
    let found = found.map_err(|error| launch::from_cloud(ports, attempt, &error))?;
    let Some(volume) = found.first() else {
        return Ok(false);
    };
    let persistent = cluster.persistent_volumes().await.map_err(|error| from_cluster(ports, attempt, &error))?;
    let book = ports.watchbooks.watchbook(&site.cluster.customer, &site.cluster.id).await;
    let book = book.map_err(|error| from_table(ports, attempt, &error))?;
    let look = Look { now: ports.clock.now(), cluster_name: &site.cluster.name, volumes: &found, persistent: &persistent };
    let settings = (&site.cluster.policy.waste).into();
    verify(volume, &look, &book, settings, by == AskedBy::Person).map(|()| true).map_err(Performed::Failed)
}
