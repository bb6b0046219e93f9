//! With how many replicas an object sleeps, and what it had before.

use super::annotations::{self, Unreadable};
use super::scopes::{self, Scoped};
use super::{Situation, Standing};
use domain::office_hours::{Asleep, ORIGINAL};
use domain::workload::{Scalable, ScaleKind};

/// What an object gets back when it is woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Original {
    /// This size.
    Size(u32),
    /// No size at all: a KEDA object that was not paused. kube-downscaler writes -1 for it.
    Unpaused,
}

impl Original {
    /// As a size of the object.
    pub fn size(self) -> Option<u32> {
        match self {
            Original::Size(size) => Some(size),
            Original::Unpaused => None,
        }
    }

    /// As the annotation has it.
    pub fn note(self) -> String {
        match self {
            Original::Size(size) => size.to_string(),
            Original::Unpaused => "-1".to_owned(),
        }
    }

    /// Reads the annotation. `None`: it says nothing that could be given back.
    pub fn read(text: &str, kind: ScaleKind) -> Option<Original> {
        match (text.trim(), kind) {
            ("-1", ScaleKind::ScaledObject) => Some(Original::Unpaused),
            (text, _) => text.parse().ok().filter(|size| *size > 0).map(Original::Size),
        }
    }

    fn of(size: Option<u32>) -> Original {
        size.map_or(Original::Unpaused, Original::Size)
    }
}

/// How an object sleeps.
#[derive(Debug, Clone)]
pub(super) struct Bed {
    /// The size that it sleeps with.
    pub(super) to: u32,
    /// What it had before, if that is known.
    pub(super) original: Option<Original>,
    /// Whether it has the size that it sleeps with.
    pub(super) asleep: bool,
    /// Why another object is put to sleep in its place.
    pub(super) elsewhere: Option<String>,
    size: Option<u32>,
}

impl Bed {
    pub(super) fn of(on: &Situation<'_>, scopes: &[Scoped]) -> Result<Bed, Unreadable> {
        let kind = on.object.target.kind;
        let wanted = scopes::first(scopes, |rules| rules.downtime_replicas).unwrap_or(0);
        let to = kind.asleep_with(wanted);
        let noted = on.object.annotations.get(ORIGINAL).and_then(|text| Original::read(text, kind));
        let original = noted.or_else(|| on.asleep.map(|row| Original::of(row.original)));
        // What it would be given back is what it has: then it was never made smaller.
        let original = original.filter(|original| original.size() != Some(to));
        Ok(Bed { to, original, asleep: on.object.size == Some(to), elsewhere: elsewhere(on, wanted)?, size: on.object.size })
    }

    pub(super) fn standing(&self) -> Standing {
        match self.original {
            Some(original) if self.asleep => Standing::Asleep(original),
            Some(_) | None => Standing::Up,
        }
    }

    /// Whether it is no larger than it would be made.
    pub(super) fn as_small(&self) -> bool {
        self.size.is_some_and(|size| size <= self.to)
    }

    /// What is to be written down before it is put to sleep. Once it was seen asleep, what others set meanwhile (a roll-out of the
    /// manifest, say) is not what it had before.
    pub(super) fn to_note(&self, on: &Situation<'_>, scopes: &[Scoped]) -> Original {
        let slept = tonights(on, scopes).map(|row| Original::of(row.original));
        slept.filter(|original| original.size() != Some(self.to)).unwrap_or_else(|| Original::of(on.object.size))
    }
}

/// The row of an object that was seen asleep and has not been due to be up since. One that outlived a day (nobody was there to remove
/// it) is of the night before, and what people set by day counts.
pub(super) fn tonights<'a>(on: &Situation<'a>, scopes: &[Scoped]) -> Option<&'a Asleep> {
    on.asleep.filter(|row| row.seen_at.is_some_and(|seen| !scopes::up_between(on, scopes, seen, on.now)))
}

/// Which of a workload and its autoscaler is put to sleep. An autoscaler of Kubernetes rests while its workload has no replicas, and
/// undoes any other number; KEDA wakes its workload even from none, unless it is paused.
fn elsewhere(on: &Situation<'_>, wanted: u32) -> Result<Option<String>, Unreadable> {
    let name = |object: &Scalable| object.target.to_string();
    Ok(match (on.object.target.kind, on.scaler, on.scaled) {
        (ScaleKind::Deployment | ScaleKind::StatefulSet, Some(scaler), _) => match scaler.target.kind {
            ScaleKind::ScaledObject => Some(format!("{} scales it, and is paused in its place", name(scaler))),
            ScaleKind::HorizontalPodAutoscaler if wanted > 0 => Some(format!("{} scales it, and is lowered in its place", name(scaler))),
            ScaleKind::HorizontalPodAutoscaler | ScaleKind::Deployment | ScaleKind::StatefulSet | ScaleKind::CronJob => None,
        },
        (ScaleKind::HorizontalPodAutoscaler, _, Some(scaled)) if wanted == 0 && !annotations::any(&on.object.annotations) => {
            Some(format!("it rests while {} has no replicas", name(scaled)))
        }
        (
            ScaleKind::Deployment
            | ScaleKind::StatefulSet
            | ScaleKind::HorizontalPodAutoscaler
            | ScaleKind::ScaledObject
            | ScaleKind::CronJob,
            _,
            _,
        ) => None,
    })
}
