//! Launching one instance, once.

use super::{Attempt, Performed};
use crate::ports::{Ports, Site};
use domain::ids::InstanceKey;
use domain::node::NodeTemplate;
use domain::offering::Offering;
use domain::plan::Effect;
use domain::plan::precondition::{CLUSTER_TAG, CUSTOMER_TAG, PLAN_TAG};
use domain::plan::token::client_token;
use domain::ports::{CloudError, Instance, InstanceFilter, LaunchRequest};
use domain::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// For how long a pool without capacity is avoided. Karpenter forgets after 3 minutes; its users ask for longer memory
/// (reference: repeated launches into a dying pool), and an on-demand fallback makes waiting cheap.
pub(crate) const AVOID_POOL: SignedDuration = SignedDuration::from_mins(10);

/// How long EC2 may go on not showing an instance that it has launched (eventual consistency, observed up to 5 minutes).
pub(crate) const LAUNCH_LAG: SignedDuration = SignedDuration::from_mins(5);

/// Tries for a launch stop this long after it was begun: a replacement that comes later helps nobody.
pub(crate) const LAUNCH_WITHIN: SignedDuration = SignedDuration::from_mins(10);

pub(super) async fn launch(
    ports: &Ports,
    site: &Site,
    attempt: &Attempt,
    template: &NodeTemplate,
    offerings: &[Offering],
    replaces: Option<&InstanceKey>,
) -> Performed {
    let Effect::Launching { offering, index } = &attempt.effect else {
        return match &attempt.effect {
            Effect::Launched { .. } => Performed::Done(None),
            Effect::None
            | Effect::Launching { .. }
            | Effect::Ready { .. }
            | Effect::Drained { .. }
            | Effect::Scaled { .. }
            | Effect::WasGone => Performed::Failed("the intent names no offering".to_owned()),
        };
    };
    let token = client_token(&attempt.key, attempt.step, attempt.generation, &offering.pool.zone);
    let now = ports.clock.now();
    if now > attempt.started_at + LAUNCH_WITHIN {
        return look_up(ports, site, attempt, &token, offering).await;
    }
    let request = LaunchRequest {
        client_token: token.clone(),
        template: template.clone(),
        offering: offering.clone(),
        tags: tags(site, attempt, replaces),
    };
    match ports.cloud.launch(&site.scope, &request).await {
        Ok(instance) => {
            ports.meter.count("launches", offering.pool.capacity.as_str());
            launched(instance, offering)
        }
        Err(CloudError::NoCapacity(why)) => no_capacity(ports, site, offerings, offering, *index, &why).await,
        Err(CloudError::TokenMismatch) => look_up(ports, site, attempt, &token, offering).await,
        Err(CloudError::Refused(why)) => Performed::Failed(format!("EC2 refused the launch: {why}")),
        Err(CloudError::Ambiguous(_) | CloudError::Throttled | CloudError::NoAccess(_)) => {
            Performed::Wait { until: now + SignedDuration::from_secs(2), effect: None }
        }
    }
}

fn launched(instance: Instance, offering: &Offering) -> Performed {
    Performed::Done(Some(Effect::Launched { instance: instance.id, offering: offering.clone() }))
}

fn tags(site: &Site, attempt: &Attempt, replaces: Option<&InstanceKey>) -> BTreeMap<String, String> {
    let mut tags = BTreeMap::from([
        (CUSTOMER_TAG.to_owned(), attempt.key.customer.to_string()),
        (CLUSTER_TAG.to_owned(), attempt.key.cluster.to_string()),
        (PLAN_TAG.to_owned(), attempt.key.plan.to_string()),
        (format!("kubernetes.io/cluster/{}", site.cluster.name), "owned".to_owned()),
    ]);
    if let Some(lost) = replaces {
        tags.insert("cloudoptim.io/replaces".to_owned(), lost.instance.to_string());
    }
    tags
}

/// A definite no: the pool is avoided for a while, and the next offering is tried under a new generation.
async fn no_capacity(ports: &Ports, site: &Site, offerings: &[Offering], tried: &Offering, index: usize, why: &str) -> Performed {
    ports.meter.count("launch_no_capacity", tried.pool.capacity.as_str());
    let until = ports.clock.now() + AVOID_POOL;
    // Memory of a shortage is a help, not a promise: the plan goes on without it.
    let noted = ports.pools.avoid(&site.scope.account, &site.scope.region, &tried.pool, until, why).await;
    if let Err(error) = noted {
        tracing::warn!(pool = %tried.pool, %error, "A shortage could not be noted");
    }
    match offerings.get(index + 1) {
        Some(next) => Performed::Retry { effect: Effect::Launching { offering: next.clone(), index: index + 1 } },
        None => Performed::Failed(format!("none of {} offerings had capacity; the last said: {why}", offerings.len())),
    }
}

/// Whether an earlier try has launched: asked by its token. "Not found" counts only once EC2 cannot lag any more.
async fn look_up(ports: &Ports, site: &Site, attempt: &Attempt, token: &str, offering: &Offering) -> Performed {
    let now = ports.clock.now();
    let again = Performed::Wait { until: now + SignedDuration::from_secs(10), effect: None };
    match ports.cloud.instances(&site.scope, &InstanceFilter::ClientToken(token.to_owned())).await {
        Ok(found) => match found.into_iter().next() {
            Some(instance) if instance.state.live() => launched(instance, offering),
            Some(instance) => Performed::Expired(format!("{} was launched and has ended already", instance.id)),
            None if now > attempt.started_at + LAUNCH_WITHIN + LAUNCH_LAG => {
                Performed::Failed("EC2 gave no clear answer to the launch, and nothing with its token exists".to_owned())
            }
            None => again,
        },
        Err(error) if now > give_up_at(attempt) => Performed::Failed(format!("EC2 cannot be asked about the launch: {error}")),
        Err(_) => again,
    }
}

/// After this even looking up is given up: a person must look into the account.
fn give_up_at(attempt: &Attempt) -> Timestamp {
    attempt.started_at + LAUNCH_WITHIN + LAUNCH_LAG + LAUNCH_LAG
}

/// What an error of EC2 means for a step that is no launch.
pub(super) fn from_cloud(ports: &Ports, attempt: &Attempt, error: &CloudError) -> Performed {
    let now = ports.clock.now();
    match error {
        CloudError::Refused(_) | CloudError::NoCapacity(_) | CloudError::TokenMismatch => Performed::Failed(error.to_string()),
        CloudError::Ambiguous(_) | CloudError::Throttled | CloudError::NoAccess(_) if now > attempt.plan_deadline => {
            Performed::Failed(format!("{error}, until the time was over"))
        }
        CloudError::Ambiguous(_) | CloudError::Throttled | CloudError::NoAccess(_) => {
            Performed::Wait { until: now + SignedDuration::from_secs(3), effect: None }
        }
    }
}
