//! The short form of an event, for a person: an instance, and what is said to happen to it.

use super::super::clusters::own;
use crate::Deps;
use crate::auth::Caller;
use crate::problem::{self, Problem};
use crate::register::Wrong;
use domain::ids::{InstanceId, InstanceKey};
use domain::tenant::Cluster;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

/// The short form. Only the instance must be named; its account and Region are looked up.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct ByHand {
    instance_id: String,
    cluster_id: Option<String>,
    event_type: Option<String>,
    event_time: Option<String>,
}

/// Whether a body is the short form.
pub(super) fn is(body: &Value) -> bool {
    body.get("instance_id").is_some() && body.get("detail-type").is_none()
}

/// For an instance or an account that is not among the caller's.
pub(super) fn unknown() -> Problem {
    let detail = "The instance is not in any of your clusters, or its account is not registered. Name its cluster_id if it is new.";
    Problem::new(StatusCode::NOT_FOUND, "instance-unknown", detail)
}

/// Makes the event that EventBridge would have sent.
pub(super) async fn event(deps: &Deps, caller: &Caller, body: Value, id: &str) -> Result<Value, Problem> {
    let by_hand: ByHand = serde_json::from_value(body).map_err(|_| {
        let detail = "The short form is {\"instance_id\": \"i-...\"}, with cluster_id, event_type and event_time as it needs them.";
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-body", detail)
    })?;
    let wrong = |field: &'static str, detail: String| problem::fields(&[Wrong { field, detail }]);
    let instance = InstanceId::parse(by_hand.instance_id).map_err(|error| wrong("instance_id", error.to_string()))?;
    let (detail_type, detail) = match by_hand.event_type.as_deref() {
        None | Some("interruption_warning" | "spot_interruption") => {
            ("EC2 Spot Instance Interruption Warning", json!({ "instance-id": instance, "instance-action": "terminate" }))
        }
        Some("rebalance_recommendation" | "rebalance") => ("EC2 Instance Rebalance Recommendation", json!({ "instance-id": instance })),
        Some("terminated") => ("EC2 Instance State-change Notification", json!({ "instance-id": instance, "state": "terminated" })),
        Some(_) => {
            let detail = "interruption_warning, rebalance_recommendation or terminated".to_owned();
            return Err(wrong("event_type", detail));
        }
    };
    let time = match by_hand.event_time.map(|text| text.parse::<domain::Timestamp>()) {
        None => deps.clock.now(),
        Some(Ok(time)) => time,
        Some(Err(_)) => return Err(wrong("event_time", "a time such as 2026-01-05T12:00:00Z".to_owned())),
    };
    let key = located(deps, caller, &instance, by_hand.cluster_id.as_deref()).await?;
    Ok(json!({
        "version": "0",
        "id": id,
        "detail-type": detail_type,
        "source": "aws.ec2",
        "account": key.account,
        "time": time,
        "region": key.region,
        "resources": [format!("arn:aws:ec2:{}:{}:instance/{instance}", key.region, key.account)],
        "detail": detail,
    }))
}

/// Where an instance is: in the cluster that is named, or in the one of the caller's that knows it.
async fn located(deps: &Deps, caller: &Caller, instance: &InstanceId, cluster: Option<&str>) -> Result<InstanceKey, Problem> {
    let at =
        |cluster: &Cluster| InstanceKey { account: cluster.account.clone(), region: cluster.region.clone(), instance: instance.clone() };
    if let Some(id) = cluster {
        return Ok(at(&own(deps, caller, id).await?));
    }
    let mut after: Option<String> = None;
    loop {
        let found = deps.registry.clusters(&caller.customer, after.as_deref(), 200).await?;
        for cluster in &found.items {
            let key = at(cluster);
            if deps.routes.route(&key).await?.is_some_and(|record| record.customer == caller.customer) {
                return Ok(key);
            }
        }
        after = found.next;
        if after.is_none() {
            return Err(unknown());
        }
    }
}
