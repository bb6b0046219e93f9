//! Whom notices are sent to, how far each of them is, and what became of each sending.

use crate::ids::{CustomerId, TargetId};
use crate::ports::Notice;
use crate::tenant::{SealContext, Sealed};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub mod retry;

pub use retry::{Fate, after};

/// The most targets that a customer may have: a notice is put into the lane of each.
pub const TARGETS_MAX: usize = 20;

/// How a target is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "channel", rename_all = "kebab-case")]
pub enum Channel {
    /// An incoming webhook of Slack. Its URL is its secret.
    Slack {
        /// Host of the URL: what people are shown of it.
        host: String,
        /// The URL.
        url: Sealed,
    },
    /// A webhook after the Standard Webhooks specification.
    Webhook {
        /// Host of the URL.
        host: String,
        /// The URL: it may hold a token.
        url: Sealed,
        /// What bodies are signed with, `whsec_<base64>`.
        secret: Sealed,
        /// The secret before this one, for as long as receivers move over.
        secret_before: Option<Sealed>,
    },
    /// Mail.
    Email {
        /// The address.
        to: String,
    },
}

impl Channel {
    /// The word for it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Channel::Slack { .. } => "slack",
            Channel::Webhook { .. } => "webhook",
            Channel::Email { .. } => "email",
        }
    }
}

/// Whether a target is sent to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum TargetState {
    /// It is.
    Active,
    /// It is not, until a person says otherwise. What is told meanwhile is kept.
    Disabled {
        /// Since when.
        at: Timestamp,
        /// Why, in one sentence.
        why: String,
    },
}

/// Whom notices are sent to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Id.
    pub id: TargetId,
    /// Whose.
    pub customer: CustomerId,
    /// What it is for, in its owner's words.
    pub label: String,
    /// How it is reached.
    #[serde(flatten)]
    pub channel: Channel,
    /// Which notices it gets: `ghost.detected`, or `ghost.` for all that begin so. Empty: all.
    pub kinds: Vec<String>,
    /// See [`TargetState`].
    #[serde(flatten)]
    pub state: TargetState,
    /// When it was made.
    pub created_at: Timestamp,
    /// Grows with every write; 1 when it is made.
    pub version: u64,
}

impl Target {
    /// Its lane.
    pub fn lane(&self) -> LaneKey {
        LaneKey { customer: self.customer.clone(), target: self.id.clone() }
    }

    /// Whether a notice of this kind is for it.
    pub fn wants(&self, kind: &str) -> bool {
        let fits = |wanted: &String| if wanted.ends_with('.') { kind.starts_with(wanted.as_str()) } else { kind == wanted };
        self.kinds.is_empty() || self.kinds.iter().any(fits)
    }

    /// What its secrets are sealed for.
    pub fn seal_context(&self) -> SealContext {
        SealContext::Target { customer: self.customer.clone(), target: self.id.clone() }
    }
}

/// What is sent to one target, in order, one after the other.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LaneKey {
    /// The customer.
    pub customer: CustomerId,
    /// The target.
    pub target: TargetId,
}

impl std::fmt::Display for LaneKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.customer, self.target)
    }
}

/// How far a lane is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lane {
    /// How often the first of the waiting was tried in vain.
    pub attempts: u32,
    /// When it is looked at again; `None`: when the target is enabled.
    pub due_at: Option<Timestamp>,
    /// Who has it in hand, and until when. A lease saves work; that nothing is lost does not rest on it.
    pub lease: Option<(String, Timestamp)>,
    /// Grows with every write; 0: never written.
    pub version: u64,
}

impl Lane {
    /// A lane that was never written.
    pub const NEW: Lane = Lane { attempts: 0, due_at: None, lease: None, version: 0 };

    /// Whether somebody has it in hand. The messages of one batch have the same worker, and do not share a lane either.
    pub fn taken(&self, now: Timestamp) -> bool {
        self.lease.as_ref().is_some_and(|(_, until)| *until > now)
    }
}

/// A notice that waits in a lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// When it entered the lane: lanes are in this order.
    pub since: Timestamp,
    /// Told twice on purpose: a person asked for it again. Part of its place, not of what receivers see.
    #[serde(default)]
    pub replay: u32,
    /// The notice.
    pub notice: Notice,
}

/// What came of one sending. Of the receiver's answer nothing but its status is kept: it is shown to people who may not see more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum Sending {
    /// The receiver said 2xx.
    Delivered {
        /// The status.
        status: u16,
    },
    /// The receiver said something else. Redirects are not followed.
    Refused {
        /// The status.
        status: u16,
        /// How long it asks to be left alone, in seconds.
        retry_after_s: Option<u32>,
    },
    /// The name does not lead to an address.
    NoAddress,
    /// The name leads to an address that nothing of ours may call, or the URL is none that we call.
    Forbidden,
    /// No connection.
    NoConnection,
    /// No TLS: the certificate is not valid for the name.
    NoTls,
    /// Not answered in time.
    Slow,
    /// Our own fault: the secret could not be opened, or mail is not set up.
    NotSent {
        /// Why, in one sentence.
        why: String,
    },
}

/// A sending, as kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// What was sent.
    pub waiting: Waiting,
    /// The how-many-eth time; 1 is the first.
    pub attempt: u32,
    /// When it was over.
    pub at: Timestamp,
    /// What came of it.
    pub sending: Sending,
}

#[cfg(test)]
mod tests;
