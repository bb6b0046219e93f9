//! Targets of notices and what was sent to them, as they are shown: of a URL its host, of a secret nothing.

use domain::Timestamp;
use domain::ids::{ClusterId, TargetId};
use domain::notify::{Channel, Delivery, Sending, Target, TargetState, retry};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

/// A target. Has no `Debug`: it may hold a secret that is shown once.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Target")]
pub struct TargetView {
    target_id: TargetId,
    label: String,
    channel: &'static str,
    to: String,
    kinds: Vec<String>,
    enabled: bool,
    disabled_at: Option<Timestamp>,
    disabled_because: Option<String>,
    created_at: Timestamp,
    version: u64,
    /// The signing secret of a webhook, in the answer that makes it, and in no other.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl TargetView {
    /// Of a target.
    pub fn of(target: &Target) -> TargetView {
        let to = match &target.channel {
            Channel::Slack { host, .. } | Channel::Webhook { host, .. } => host,
            Channel::Email { to } => to,
        };
        let (enabled, disabled_at, disabled_because) = match &target.state {
            TargetState::Active => (true, None, None),
            TargetState::Disabled { at, why } => (false, Some(*at), Some(why.clone())),
        };
        TargetView {
            target_id: target.id.clone(),
            label: target.label.clone(),
            channel: target.channel.as_str(),
            to: to.clone(),
            kinds: target.kinds.clone(),
            enabled,
            disabled_at,
            disabled_because,
            created_at: target.created_at,
            version: target.version,
            secret: None,
        }
    }

    /// With a signing secret that was made just now.
    #[must_use]
    pub fn with_secret(mut self, secret: Option<&SecretString>) -> TargetView {
        self.secret = secret.map(|secret| secret.expose_secret().to_owned());
        self
    }
}

/// All targets of a customer.
#[derive(Serialize, JsonSchema)]
pub struct Targets {
    /// By id.
    pub items: Vec<TargetView>,
}

/// A test notice that waits to be sent.
#[derive(Serialize, JsonSchema)]
pub struct QueuedTest {
    /// The notice.
    pub notice_id: String,
    /// Where it goes.
    pub target: TargetView,
}

/// A notice that is sent again.
#[derive(Debug, Serialize, JsonSchema)]
pub struct QueuedReplay {
    /// The notice.
    pub notice_id: String,
    /// Tells this sending from the others.
    pub replay: String,
}

/// A sending.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Delivery")]
pub struct DeliveryView {
    notice_id: String,
    kind: String,
    cluster_id: ClusterId,
    subject: String,
    sentences: Vec<String>,
    attempt: u32,
    at: Timestamp,
    result: Sending,
    said: String,
}

impl DeliveryView {
    /// Of a sending.
    pub fn of(delivery: &Delivery) -> DeliveryView {
        let notice = &delivery.waiting.notice;
        DeliveryView {
            notice_id: notice.id.clone(),
            kind: notice.kind.to_string(),
            cluster_id: notice.cluster.clone(),
            subject: notice.subject.to_string(),
            sentences: notice.sentences.clone(),
            attempt: delivery.attempt,
            at: delivery.at,
            result: delivery.sending.clone(),
            said: retry::said(&delivery.sending),
        }
    }
}
