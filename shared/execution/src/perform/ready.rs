//! Waiting until an instance is a Ready node.

use super::{Attempt, Performed, from_cluster};
use crate::ports::{Ports, Site};
use domain::SignedDuration;
use domain::ids::InstanceId;
use domain::plan::Effect;
use domain::ports::InstanceFilter;

/// How often we look.
const LOOK: SignedDuration = SignedDuration::from_secs(5);
/// From when on we also ask EC2 whether the instance lives: before, it could not have joined.
const ASK_EC2_AFTER: SignedDuration = SignedDuration::from_secs(60);

pub(super) async fn await_ready(ports: &Ports, site: &Site, attempt: &Attempt, within_s: u32) -> Performed {
    let Some(instance) = &attempt.awaited else {
        return Performed::Failed("nothing was launched that could become ready".to_owned());
    };
    let now = ports.clock.now();
    let patience = attempt.started_at + SignedDuration::from_secs(i64::from(within_s));
    let cluster = match &site.kubernetes {
        Ok(cluster) => cluster,
        Err(_) if now <= patience => return look_again(ports),
        Err(error) => return Performed::Failed(format!("{instance} may have joined, but {error}")),
    };
    let nodes = match cluster.nodes().await {
        Ok(nodes) => nodes,
        Err(_) if now <= patience => return look_again(ports),
        Err(error) => return from_cluster(ports, attempt, &error).or_failed(instance),
    };
    if let Some(node) = nodes.iter().find(|n| n.ready && n.instance().as_ref() == Some(instance)) {
        return Performed::Done(Some(Effect::Ready { node: node.name.clone() }));
    }
    if now > patience {
        return Performed::Failed(format!(
            "{instance} did not become a Ready node within {within_s} s: look at its user data, image and rights"
        ));
    }
    if now > attempt.started_at + ASK_EC2_AFTER
        && let Some(ended) = ended(ports, site, instance).await
    {
        return Performed::Expired(format!("{instance} {ended} before it became ready"));
    }
    look_again(ports)
}

fn look_again(ports: &Ports) -> Performed {
    Performed::Wait { until: ports.clock.now() + LOOK, effect: None }
}

async fn ended(ports: &Ports, site: &Site, instance: &InstanceId) -> Option<&'static str> {
    let found = ports.cloud.instances(&site.scope, &InstanceFilter::Ids(vec![instance.clone()])).await.ok()?;
    found.first().filter(|i| !i.state.live()).map(|_| "was itself taken back or ended")
}

impl Performed {
    /// Past its patience a wait is a failure.
    fn or_failed(self, instance: &InstanceId) -> Performed {
        match self {
            Performed::Wait { .. } => Performed::Failed(format!("{instance} may have joined, but the Kubernetes API does not answer")),
            Performed::Done(_) | Performed::Failed(_) | Performed::Expired(_) | Performed::Retry { .. } => self,
        }
    }
}
