//! Predictions that are waited for, and what became of them.

use crate::decision::{PoolName, PredictionOutcome, outcome_id};
use crate::ids::{ClusterId, CustomerId, InstanceId, Region};
use crate::interruption::NoticeKind;
use crate::spot_event::SpotEvent;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A prediction for the instances of one spot pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forecast {
    /// The pool.
    pub pool: PoolName,
    /// When it was made.
    pub at: Timestamp,
    /// Within how many minutes.
    pub horizon_minutes: u32,
    /// The probability for each instance, in millionths.
    pub probability_ppm: u32,
    /// The same before it was corrected, where it was.
    #[serde(default)]
    pub uncorrected_ppm: Option<u32>,
    /// The instances of the pool at that time.
    pub instances: Vec<InstanceId>,
}

impl Forecast {
    /// When it can be said what became of it.
    pub fn over_at(&self) -> Timestamp {
        self.at.saturating_add(SignedDuration::from_mins(i64::from(self.horizon_minutes))).unwrap_or(self.at)
    }

    /// What became of it, once it is over. An instance counts as watched if it still lives, or if AWS has taken it back, within the
    /// horizon or behind it; one that somebody ended is left out, for nobody knows what would have become of it. `None`: none was
    /// watched.
    pub fn outcome(
        &self,
        (customer, cluster, region): (&CustomerId, &ClusterId, &Region),
        live: &BTreeSet<&InstanceId>,
        events: &[SpotEvent],
    ) -> Option<PredictionOutcome> {
        let taken = |id: &InstanceId| {
            let of = events.iter().filter(|event| event.instance.instance == *id && taken_back(event.event_type));
            of.map(|event| event.event_time).filter(|at| *at >= self.at).min()
        };
        let (mut instances, mut interrupted) = (0, 0);
        for id in &self.instances {
            let at = taken(id);
            instances += u32::from(at.is_some() || live.contains(id));
            interrupted += u32::from(at.is_some_and(|at| at <= self.over_at()));
        }
        (instances > 0).then(|| PredictionOutcome {
            id: outcome_id(customer, cluster, &self.pool, self.at),
            region: region.clone(),
            pool: self.pool.clone(),
            predicted_at: self.at,
            horizon_minutes: self.horizon_minutes,
            probability: share(self.probability_ppm),
            uncorrected: self.uncorrected_ppm.map(share),
            instances,
            interrupted,
        })
    }
}

/// Millionths as a share, 0 to 1.
fn share(ppm: u32) -> f64 {
    f64::from(ppm.min(1_000_000)) / 1e6
}

/// Whether a notice says that AWS takes spot capacity back.
fn taken_back(kind: NoticeKind) -> bool {
    match kind {
        NoticeKind::SpotInterruption | NoticeKind::MissedInterruption => true,
        NoticeKind::AsgLaunch
        | NoticeKind::Rebalance
        | NoticeKind::ScheduledChange
        | NoticeKind::CapacityBlockExpiration
        | NoticeKind::AsgTerminate
        | NoticeKind::StateChange
        | NoticeKind::CapacityReservationInterruption => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::InstanceKey;

    fn now() -> Timestamp {
        "2026-08-01T12:00:00Z".parse().unwrap()
    }

    fn instance(n: u32) -> InstanceId {
        InstanceId::parse(format!("i-{n:08x}")).unwrap()
    }

    fn event(n: u32, minutes: i64, event_type: NoticeKind) -> SpotEvent {
        let at = now() + SignedDuration::from_mins(minutes);
        SpotEvent {
            event_id: format!("{n}-{minutes}"),
            customer: CustomerId::parse("acme").unwrap(),
            cluster: ClusterId::parse("shop").unwrap(),
            instance: InstanceKey {
                account: "123456789012".to_owned().try_into().unwrap(),
                region: Region::parse("us-east-1").unwrap(),
                instance: instance(n),
            },
            event_type,
            event_time: at,
            received_at: at,
            deadline: at,
            action_taken: String::new(),
            plan: None,
            replacement_instance_id: None,
            drain_duration_s: None,
            processed_at: None,
        }
    }

    /// Five instances, of which these live at the end.
    fn became(live: &[u32], events: &[SpotEvent]) -> Option<(u32, u32)> {
        let pool =
            PoolName { instance_type: "m6i.large".to_owned().try_into().unwrap(), zone: "us-east-1a".to_owned().try_into().unwrap() };
        let forecast = Forecast {
            pool,
            at: now(),
            horizon_minutes: 60,
            probability_ppm: 2_500,
            uncorrected_ppm: Some(4_000),
            instances: (0..5).map(instance).collect(),
        };
        let live: Vec<InstanceId> = live.iter().copied().map(instance).collect();
        let whose = (&CustomerId::parse("acme").unwrap(), &ClusterId::parse("shop").unwrap(), &Region::parse("us-east-1").unwrap());
        let outcome = forecast.outcome(whose, &live.iter().collect(), events)?;
        assert!((outcome.probability - 0.0025).abs() < 1e-12);
        crate::decision::verify::outcomes(std::slice::from_ref(&outcome)).unwrap();
        Some((outcome.instances, outcome.interrupted))
    }

    #[test]
    fn an_instance_that_lives_was_watched_and_one_that_was_taken_was_interrupted() {
        assert_eq!(became(&[0, 1, 2, 3, 4], &[]), Some((5, 0)));
        assert_eq!(became(&[0, 1, 2, 3], &[event(4, 30, NoticeKind::SpotInterruption)]), Some((5, 1)));
        assert_eq!(became(&[0, 1, 2, 3], &[event(4, 30, NoticeKind::MissedInterruption)]), Some((5, 1)));
    }

    #[test]
    fn what_was_taken_behind_the_horizon_has_outlived_it_and_what_was_taken_before_says_nothing() {
        assert_eq!(became(&[0], &[event(4, 61, NoticeKind::SpotInterruption)]), Some((2, 0)));
        assert_eq!(became(&[0], &[event(4, -1, NoticeKind::SpotInterruption)]), Some((1, 0)));
    }

    #[test]
    fn what_somebody_ended_is_left_out() {
        assert_eq!(became(&[0], &[event(1, 5, NoticeKind::StateChange), event(2, 5, NoticeKind::Rebalance)]), Some((1, 0)));
        assert_eq!(became(&[], &[]), None);
    }

    #[test]
    fn a_warning_that_came_twice_counts_once() {
        let twice = [event(4, 30, NoticeKind::SpotInterruption), event(4, 31, NoticeKind::SpotInterruption)];
        assert_eq!(became(&[], &twice), Some((1, 1)));
    }
}
