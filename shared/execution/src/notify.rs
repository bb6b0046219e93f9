//! Notices to people: into the lane of every target that wants them, and out of it in order, one after the other.
//!
//! # Guarantees
//! What was accepted is delivered at least once, in the order in which its lane accepted it, or waits there: behind a receiver that is
//! tried again, or for a person who enables the target. A receiver sees the same id each time, so that it can tell a second time from a
//! second notice. Lanes do not wait for each other.
//!
//! # Assumptions
//! None on receivers: they may hang, drip, lie, redirect, or be somewhere that must not be called.

use crate::ports::Trouble;
use domain::ids::CustomerId;
use domain::notify::{Delivery, Fate, Lane, LaneKey, Sending, Target, TargetState, Waiting, after};
use domain::ports::{Clock, Courier, Meter, Moment, Notice, Notices, Outbox, StoreError, Vault};
use domain::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use tracing::{info, warn};

pub mod parcel;
pub mod sign;
mod words;

/// What the notifier works with.
#[derive(Clone)]
pub struct Desk {
    /// Targets and lanes.
    pub outbox: Arc<dyn Outbox>,
    /// Opens addresses and signing secrets.
    pub vault: Arc<dyn Vault>,
    /// Carries.
    pub courier: Arc<dyn Courier>,
    /// Where a disabled target is told of.
    pub notices: Arc<dyn Notices>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Counters.
    pub meter: Arc<dyn Meter>,
}

/// How a look at a lane ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looked {
    /// Nothing waits in it any more.
    Empty,
    /// The first of the waiting is tried again later, or the target is disabled.
    Resting,
    /// The time was out; it is due at once.
    OutOfTime,
    /// Somebody else has it in hand.
    Taken,
}

/// For how long a lane is in one worker's hand without a sign of life: far longer than one sending.
const LEASE: SignedDuration = SignedDuration::from_secs(90);
/// Kept back of an invocation's time for one sending: the courier's own limit, and the write behind it.
pub const ONE_SENDING: SignedDuration = SignedDuration::from_secs(18);
/// An empty lane is looked at this often all the same: whoever put a notice into it may have died before saying so.
const IDLE_LOOK: SignedDuration = SignedDuration::from_hours(1);
/// How many notices are read at once.
const PAGE: usize = 25;

impl Desk {
    /// Puts a notice into the lanes of all who want it. Answers these lanes.
    ///
    /// # Errors
    /// [`Trouble`]: tell it again; lanes that have it already take it once.
    pub async fn post(&self, notice: &Notice) -> Result<Vec<LaneKey>, Trouble> {
        let mut lanes = Vec::new();
        for target in self.outbox.targets(&notice.customer).await? {
            if target.wants(&notice.kind) {
                self.outbox.enter(&target, Waiting { since: self.clock.now(), replay: 0, notice: notice.clone() }).await?;
                lanes.push(target.lane());
            }
        }
        self.meter.count("notices_posted", &notice.kind);
        Ok(lanes)
    }

    /// Lanes that are due.
    ///
    /// # Errors
    /// [`Trouble`]: the table did not answer.
    pub async fn due(&self, limit: usize) -> Result<Vec<LaneKey>, Trouble> {
        Ok(self.outbox.due_lanes(self.clock.now(), limit).await?)
    }

    /// Sends what waits in a lane until it is empty, a sending fails, or the time is out. `worker` is unlike any other at this time.
    ///
    /// # Errors
    /// [`Trouble`]: the table did not answer; the lane stays due.
    pub async fn deliver(&self, key: &LaneKey, worker: &str, until: Timestamp) -> Result<Looked, Trouble> {
        match self.delivering(key, worker, until).await {
            // Somebody else wrote first: never force.
            Err(Trouble::Store(StoreError::Conflict)) => Ok(Looked::Taken),
            other => other,
        }
    }

    async fn delivering(&self, key: &LaneKey, worker: &str, until: Timestamp) -> Result<Looked, Trouble> {
        let (mut lane, now) = (self.outbox.lane(key).await?, self.clock.now());
        if lane.taken(now) {
            return Ok(Looked::Taken);
        }
        if lane.due_at.is_none_or(|at| at > now) {
            return Ok(Looked::Resting);
        }
        let Some(target) = self.outbox.target(&key.customer, &key.target).await? else {
            // Its lane goes with it; what is left of it here must not come up for ever.
            self.turn(key, &mut lane, None, None).await?;
            return Ok(Looked::Empty);
        };
        if target.state != TargetState::Active {
            self.turn(key, &mut lane, None, None).await?;
            return Ok(Looked::Resting);
        }
        loop {
            let now = self.clock.now();
            lane.lease = Some((worker.to_owned(), now + LEASE));
            self.turn(key, &mut lane, Some(now), None).await?;
            let page = self.outbox.waiting(key, PAGE).await?;
            if page.is_empty() {
                lane.lease = None;
                self.turn(key, &mut lane, Some(now + IDLE_LOOK), None).await?;
                // What entered between the two calls saw a lane that was due, and woke nobody.
                if self.outbox.waiting(key, 1).await?.is_empty() {
                    return Ok(Looked::Empty);
                }
                continue;
            }
            for waiting in page {
                if self.clock.now() + ONE_SENDING > until {
                    lane.lease = None;
                    self.turn(key, &mut lane, Some(self.clock.now()), None).await?;
                    return Ok(Looked::OutOfTime);
                }
                if !self.send(key, &mut lane, &target, waiting, worker).await? {
                    return Ok(Looked::Resting);
                }
            }
        }
    }

    /// Sends one notice; says whether the next may be sent.
    async fn send(&self, key: &LaneKey, lane: &mut Lane, target: &Target, waiting: Waiting, worker: &str) -> Result<bool, Trouble> {
        let sending = match parcel::parcel(&*self.vault, target, &waiting.notice, self.clock.now()).await {
            Ok(parcel) => self.courier.carry(&parcel).await,
            Err(why) => Sending::NotSent { why },
        };
        let (now, attempt) = (self.clock.now(), lane.attempts + 1);
        self.meter.count("notices_sent", outcome(&sending));
        let fate = after(&sending, attempt, now, dice(&waiting.notice.id, attempt));
        let delivery = Delivery { waiting, attempt, at: now, sending };
        match fate {
            Fate::Delivered => {
                lane.attempts = 0;
                lane.lease = Some((worker.to_owned(), now + LEASE));
                self.turn(key, lane, Some(now), Some(&delivery)).await?;
                Ok(true)
            }
            Fate::Again(at) => {
                info!(lane = %key, attempt, %at, "A notice is tried again");
                lane.attempts = attempt;
                lane.lease = None;
                self.turn(key, lane, Some(at), Some(&delivery)).await?;
                Ok(false)
            }
            Fate::Disable(why) => {
                self.disable(target, &delivery, &why).await?;
                lane.attempts = 0;
                lane.lease = None;
                self.turn(key, lane, None, Some(&delivery)).await?;
                Ok(false)
            }
        }
    }

    /// Writes a lane on.
    async fn turn(&self, key: &LaneKey, lane: &mut Lane, due_at: Option<Timestamp>, delivery: Option<&Delivery>) -> Result<(), Trouble> {
        lane.due_at = due_at;
        lane.version += 1;
        Ok(self.outbox.put_lane(key, lane, delivery).await?)
    }

    /// Disables a target, and tells its owner on the ways that are left.
    async fn disable(&self, target: &Target, delivery: &Delivery, why: &str) -> Result<(), Trouble> {
        warn!(lane = %target.lane(), why, "A target is disabled");
        self.meter.count("targets_disabled", target.channel.as_str());
        let now = self.clock.now();
        let state = TargetState::Disabled { at: now, why: why.to_owned() };
        self.outbox.put_target(&Target { state, version: target.version + 1, ..target.clone() }).await?;
        let told = &delivery.waiting.notice;
        let sentences = vec![
            format!("Nothing is sent to {} any more: {why}.", target.label),
            "What would have been sent to it waits until it is enabled again.".to_owned(),
        ];
        let whose: (&CustomerId, _) = (&target.customer, &told.cluster);
        let notice = Notice::new(whose, ("notification-target", Moment::Alert), (target.id.as_str(), now), sentences, now);
        Ok(self.notices.tell(&notice).await?)
    }
}

fn outcome(sending: &Sending) -> &'static str {
    match sending {
        Sending::Delivered { .. } => "delivered",
        Sending::Refused { .. } => "refused",
        Sending::NoAddress => "no_address",
        Sending::Forbidden => "forbidden",
        Sending::NoConnection => "no_connection",
        Sending::NoTls => "no_tls",
        Sending::Slow => "slow",
        Sending::NotSent { .. } => "not_sent",
    }
}

/// Spreads attempts: the same for the same attempt, so that a worker that repeats another's work comes to the same time.
fn dice(id: &str, attempt: u32) -> u64 {
    let hash = Sha256::digest(format!("{id}#{attempt}"));
    hash.iter().take(8).fold(0, |dice, byte| (dice << 8) | u64::from(*byte))
}
