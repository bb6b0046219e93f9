//! kube-green's SleepInfo: days, a time to sleep, a time to wake.

use super::cron::{BadCron, Cron};
use domain::{SignedDuration, Timestamp};

/// How close to its time an operation is carried out there.
const DELTA: SignedDuration = SignedDuration::from_secs(60);

/// The schedule of a SleepInfo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SleepInfo {
    /// Days in cron's form, such as `1-5`.
    pub weekdays: String,
    /// `HH:MM`, with cron's wildcards.
    pub sleep_at: String,
    /// The same; `None`: nobody is woken.
    pub wake_up_at: Option<String>,
    /// IANA zone; `None`: UTC.
    pub time_zone: Option<String>,
}

/// Why a SleepInfo makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSleepInfo {
    /// Its days.
    #[error("{0:?} are no days: digits 0 to 6, `*`, `,`, `-` and `/`")]
    Weekdays(String),
    /// A time.
    #[error("{0:?} is no time: HH:MM")]
    Time(String),
}

impl SleepInfo {
    /// The cron expression of its sleep.
    ///
    /// # Errors
    /// [`BadSleepInfo`].
    pub fn sleep(&self) -> Result<String, BadSleepInfo> {
        self.cron(&self.sleep_at)
    }

    /// The cron expression of its waking; empty where nobody is woken.
    ///
    /// # Errors
    /// [`BadSleepInfo`].
    pub fn wake(&self) -> Result<String, BadSleepInfo> {
        self.wake_up_at.as_ref().map_or(Ok(String::new()), |at| self.cron(at))
    }

    fn cron(&self, at: &str) -> Result<String, BadSleepInfo> {
        if self.weekdays.is_empty() || !self.weekdays.bytes().all(|byte| matches!(byte, b'0'..=b'6' | b'*' | b',' | b'/' | b'-')) {
            return Err(BadSleepInfo::Weekdays(self.weekdays.clone()));
        }
        let part = |text: &str| !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'*' | b',' | b'/' | b'-'));
        let (hour, minute) =
            at.split_once(':').filter(|(hour, minute)| part(hour) && part(minute)).ok_or_else(|| BadSleepInfo::Time(at.to_owned()))?;
        let zone = self.time_zone.as_ref().map(|zone| format!("CRON_TZ={zone} ")).unwrap_or_default();
        Ok(format!("{zone}{minute} {hour} * * {}", self.weekdays))
    }
}

/// What is done when an operation is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Whether it is carried out.
    pub execute: bool,
    /// When the next operation is.
    pub next: Option<Timestamp>,
    /// In how long to look again.
    pub requeue_after: SignedDuration,
}

/// Why a schedule cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSchedule {
    /// The operation that is due.
    #[error("current schedule not valid: {0}")]
    Current(BadCron),
    /// The one after it.
    #[error("next op schedule not valid: {0}")]
    Next(BadCron),
}

/// Follows a schedule as kube-green does, by edges: an operation is carried out within a minute of its time, or not at all.
///
/// # Errors
/// [`BadSchedule`].
pub fn look(current: &str, next: Option<&str>, now: Timestamp) -> Result<Look, BadSchedule> {
    let cron = Cron::parse(current).map_err(BadSchedule::Current)?;
    let following = next.map(Cron::parse).transpose().map_err(BadSchedule::Next)?;
    // What was due up to a minute ago is still close enough; the fraction of a second counts as part of its second.
    let since = now.checked_sub(DELTA).ok().and_then(|at| Timestamp::from_second(at.as_second()).ok()).unwrap_or(now);
    let since = since.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(since);
    let due = cron.next_after(since);
    let execute = due.is_some_and(|due| (due.as_second() - now.as_second()).abs() <= DELTA.as_secs());
    let next = if execute { due.and_then(|due| following.unwrap_or(cron).next_after(due.max(now))) } else { due };
    let requeue_after = next.map_or(SignedDuration::ZERO, |next| next.duration_since(now));
    Ok(Look { execute, next, requeue_after })
}
