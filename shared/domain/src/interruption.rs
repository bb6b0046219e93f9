//! Interruptions: what AWS says about instances that will go, in our words.

use crate::ids::{AccountId, InstanceId, Region};
use crate::ports::Lifecycle;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

pub mod parse;

/// What was announced. The order is the order of escalation: a later kind overrules an earlier one, never the other way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// An Auto Scaling group has launched an instance and waits until it may go into service.
    AsgLaunch,
    /// The instance is at elevated risk.
    Rebalance,
    /// AWS Health has scheduled a retirement, a reboot or maintenance.
    ScheduledChange,
    /// The capacity block of the instance ends.
    CapacityBlockExpiration,
    /// An Auto Scaling group ends the instance and waits for us.
    AsgTerminate,
    /// The instance is being stopped or ended, or is gone.
    StateChange,
    /// Spot capacity is taken back.
    SpotInterruption,
    /// Reserved, interruptible capacity is taken back.
    CapacityReservationInterruption,
    /// Told by our own sweep: EC2 says that the instance is being taken, and no notice came.
    MissedInterruption,
}

impl NoticeKind {
    /// The word for it in logs, tables and the API.
    pub fn as_str(self) -> &'static str {
        match self {
            NoticeKind::AsgLaunch => "asg_launch",
            NoticeKind::Rebalance => "rebalance",
            NoticeKind::ScheduledChange => "scheduled_change",
            NoticeKind::CapacityBlockExpiration => "capacity_block_expiration",
            NoticeKind::AsgTerminate => "asg_terminate",
            NoticeKind::StateChange => "state_change",
            NoticeKind::SpotInterruption => "spot_interruption",
            NoticeKind::CapacityReservationInterruption => "capacity_reservation_interruption",
            NoticeKind::MissedInterruption => "missed_interruption",
        }
    }
}

/// What AWS will do, or has done, with the instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Takeback {
    /// It will be terminated. Also what an action that we do not know is taken for.
    Terminate,
    /// It will be stopped, and may come back: its Node object stays.
    Stop,
    /// It is being hibernated, without the two minutes.
    Hibernate,
    /// Nothing yet.
    None,
    /// It is being stopped or ended now.
    Underway,
    /// It is stopped or gone.
    Gone,
}

/// One notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What was announced.
    pub kind: NoticeKind,
    /// The sender's id of the event: for the log, not for identity.
    pub event_id: String,
    /// The account of the instances.
    pub account: AccountId,
    /// Their Region.
    pub region: Region,
    /// The instances. Empty only for a capacity block, which names its reservation.
    pub instances: Vec<InstanceId>,
    /// The capacity reservation, where only that is named.
    pub reservation: Option<String>,
    /// What happens to the instances.
    pub takeback: Takeback,
    /// When AWS says it happened; the time it was sent to us where that cannot be read.
    pub at: Timestamp,
    /// When it came to us.
    pub received_at: Timestamp,
    /// When the instances are gone.
    pub deadline: Option<Timestamp>,
    /// The lifecycle action that waits for us.
    pub lifecycle: Option<Lifecycle>,
    /// Whether this takes an earlier notice back (a Health event that was closed).
    pub withdrawn: bool,
}

/// Two minutes: the notice that AWS gives before it takes spot capacity back (EC2 User Guide, "Spot Instance interruption notices").
pub const SPOT_NOTICE: SignedDuration = SignedDuration::from_secs(120);

impl Notice {
    /// Whether the time is over: what is left to do is to clean up.
    pub fn late(&self, now: Timestamp) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= now)
    }
}

/// What a message body is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// Something to act on.
    Notice(Box<Notice>),
    /// An interruption that has happened: for the statistics, never a reason to drain. The ids are as AWS wrote them.
    PostHoc {
        /// The account.
        account: String,
        /// The instances.
        instances: Vec<String>,
    },
    /// An Auto Scaling group found no capacity.
    NoCapacity {
        /// The account.
        account: String,
        /// The Region.
        region: String,
        /// The zone, where it is named.
        zone: Option<String>,
    },
    /// Known, and nothing to do.
    Ignored {
        /// Why, in one sentence.
        why: String,
        /// Whether a person should see the body: it looks like a mistake of somebody.
        copy: Copy,
    },
    /// Not what it should be. It is counted and copied to the dead-letter queue; trying again would not help.
    Rejected {
        /// Why, in one sentence.
        why: String,
    },
}

/// Whether a body goes to the dead-letter queue for a person to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copy {
    /// No: it is ordinary traffic.
    No,
    /// Yes: nobody should have sent it like this.
    ToDeadLetters,
}
