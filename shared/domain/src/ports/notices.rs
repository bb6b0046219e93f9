//! What people are told: put on a queue, delivered by the notifier.

use super::QueueError;
use crate::ids::{ClusterId, CustomerId};
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where in the life of what it tells of a notice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moment {
    /// It was seen for the first time.
    Detected,
    /// Something will be done about it soon: the last chance to say no.
    Before,
    /// Something was done about it, or it failed.
    After,
    /// It is over without our doing.
    Recovered,
    /// Nothing is done any more until a person has looked.
    Alert,
}

impl Moment {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Moment::Detected => "detected",
            Moment::Before => "before",
            Moment::After => "after",
            Moment::Recovered => "recovered",
            Moment::Alert => "alert",
        }
    }
}

/// One thing to tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// The same thing told twice has the same id, so that receivers can leave out the second.
    pub id: String,
    /// `<what>.<moment>`: `ghost.detected`, `zombie-volume.after`. What templates and subscriptions are chosen by.
    pub kind: String,
    /// The customer.
    pub customer: CustomerId,
    /// The cluster.
    pub cluster: ClusterId,
    /// What it is about: `i-...`, `deployment shop/web`.
    pub subject: String,
    /// What is said, a sentence each, the most important first. No secrets, ever.
    pub sentences: Vec<String>,
    /// When it happened.
    pub at: Timestamp,
}

impl Notice {
    /// A notice. `episode` tells one occurrence of the same kind and subject from the next: the instant of the first sight, say.
    pub fn new(
        (customer, cluster): (&CustomerId, &ClusterId),
        (what, moment): (&str, Moment),
        (subject, episode): (&str, Timestamp),
        sentences: Vec<String>,
        at: Timestamp,
    ) -> Notice {
        let kind = format!("{what}.{}", moment.as_str());
        Notice {
            id: format!("{cluster}/{kind}/{subject}/{}", episode.as_second()),
            kind,
            customer: customer.clone(),
            cluster: cluster.clone(),
            subject: subject.to_owned(),
            sentences,
            at,
        }
    }
}

/// The queue of notices.
///
/// # Guarantees
/// What was taken is delivered at least once; who tells the same notice twice with the same id has told it once.
#[async_trait]
pub trait Notices: Send + Sync {
    /// Tells.
    async fn tell(&self, notice: &Notice) -> Result<(), QueueError>;
}
