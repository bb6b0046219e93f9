//! Spot events: what was announced, what was done, and how long it took.

use crate::ids::{ClusterId, CustomerId, InstanceId, InstanceKey, PlanId};
use crate::interruption::NoticeKind;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One announced or missed loss of an instance, as the product brief lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SpotEvent {
    /// Id: derived from the plan that handles it, or from the notice where none does.
    pub event_id: String,
    /// The customer.
    pub customer: CustomerId,
    /// The cluster.
    pub cluster: ClusterId,
    /// The instance.
    pub instance: InstanceKey,
    /// What was announced.
    pub event_type: NoticeKind,
    /// When AWS says it happened.
    pub event_time: Timestamp,
    /// When we received it.
    pub received_at: Timestamp,
    /// When the instance is taken.
    pub deadline: Timestamp,
    /// What was done, or why nothing was, in one sentence.
    pub action_taken: String,
    /// The plan that handles it.
    pub plan: Option<PlanId>,
    /// The instance that took its place.
    pub replacement_instance_id: Option<InstanceId>,
    /// From the notice in hand to the last pod gone, in seconds.
    pub drain_duration_s: Option<i64>,
    /// When handling ended.
    pub processed_at: Option<Timestamp>,
}
