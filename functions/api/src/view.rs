//! What callers are shown: clusters without their tokens, plans without what boots a node.

use domain::Timestamp;
use domain::plan::progress::{Effect, Status as StepStatus};
use domain::plan::{Outcome, PlanRecord, Progress, Status};
use domain::policy::ClusterPolicy;
use domain::ports::Trust;
use domain::tenant::{Cluster, ClusterStatus, Halt};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

mod dry;
pub mod findings;
pub mod hours;
pub mod nodes;
pub mod plans;
pub mod runs;
pub mod targets;

pub use dry::{Would, would};

/// A cluster as shown. It has no place for a token, so none can slip in.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Cluster")]
pub struct ClusterView<'a> {
    cluster_id: &'a str,
    customer_id: &'a str,
    cluster_name: &'a str,
    k8s_api_endpoint: &'a str,
    k8s_ca: Option<&'a str>,
    k8s_token_set: bool,
    k8s_token_expires_at: Option<Timestamp>,
    eks_cluster_name: Option<&'a str>,
    k8s_token_expired: bool,
    aws_role_arn: &'a str,
    aws_account_id: &'a str,
    region: &'a str,
    sqs_queue_url: Option<&'a str>,
    status: ClusterStatus,
    status_reason: &'a str,
    node_count: u32,
    seen_at: Option<Timestamp>,
    policy: &'a ClusterPolicy,
    version: u64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl<'a> ClusterView<'a> {
    /// A cluster as it is shown at this time.
    pub fn of(cluster: &'a Cluster, now: Timestamp) -> Self {
        ClusterView {
            cluster_id: cluster.id.as_str(),
            customer_id: cluster.customer.as_str(),
            cluster_name: &cluster.name,
            k8s_api_endpoint: &cluster.k8s_api_endpoint,
            k8s_ca: cluster.k8s_ca.as_deref(),
            k8s_token_set: cluster.k8s_token.is_some(),
            k8s_token_expires_at: cluster.k8s_token_expires_at,
            eks_cluster_name: cluster.eks_cluster_name.as_deref(),
            k8s_token_expired: cluster.k8s_token_expires_at.is_some_and(|end| end <= now),
            aws_role_arn: &cluster.aws_role_arn,
            aws_account_id: cluster.account.as_str(),
            region: cluster.region.as_str(),
            sqs_queue_url: cluster.sqs_queue_url.as_deref(),
            status: cluster.status,
            status_reason: &cluster.status_reason,
            node_count: cluster.node_count,
            seen_at: cluster.seen_at,
            policy: &cluster.policy,
            version: cluster.version,
            created_at: cluster.created_at,
            updated_at: cluster.updated_at,
        }
    }
}

/// A cluster, with its stop.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ClusterDetail")]
pub struct ClusterDetail<'a> {
    /// The cluster.
    #[serde(flatten)]
    pub cluster: ClusterView<'a>,
    /// The widest stop that holds for it.
    pub halted: Option<Halt>,
    /// The external id that its role must ask for.
    pub external_id: Option<String>,
}

/// A cluster that was registered just now.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RegisteredCluster")]
pub struct Registered<'a> {
    /// The cluster.
    #[serde(flatten)]
    pub cluster: ClusterView<'a>,
    /// The external id that its role must ask for. `null` only in a dry run of whoever has registered nothing yet.
    pub external_id: Option<String>,
    /// Whom its role trusts. A role that trusts anybody is refused.
    pub role_trust: Trust,
}

/// How far a plan is, in one word.
pub fn status(progress: &Progress) -> &'static str {
    match &progress.outcome {
        Some(ended) => outcome(ended),
        None if progress.unwinding.is_some() => "unwinding",
        None if progress.steps.iter().all(|s| s.status == Status::Pending) => "pending",
        None => "running",
    }
}

/// How a plan ended, in one word.
pub fn outcome(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded => "succeeded",
        Outcome::RolledBack { .. } => "rolled_back",
        Outcome::Cancelled { .. } => "cancelled",
        Outcome::Expired { .. } => "expired",
        Outcome::Parked { .. } => "parked",
    }
}

/// A step of a plan with how far it is.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "StepProgress")]
pub struct StepView {
    action: String,
    status: StepStatus,
    started_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    effect: Effect,
}

/// A plan's steps with how far each is.
pub fn steps(record: &PlanRecord) -> Vec<StepView> {
    let both = record.plan.steps.iter().zip(&record.progress.steps);
    both.map(|(step, state)| StepView {
        action: step.action.to_string(),
        status: state.status.clone(),
        started_at: state.started_at,
        ended_at: state.ended_at,
        effect: state.effect.clone(),
    })
    .collect()
}

/// Takes user data out of a document: it can hold what lets a machine join the cluster.
pub fn without_user_data(mut document: Value) -> Value {
    hide(&mut document);
    document
}

fn hide(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                if name == "user_data" && !field.is_null() {
                    *field = Value::from("(not shown)");
                } else {
                    hide(field);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(hide),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
