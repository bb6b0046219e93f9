//! Office hours: what each workload should be now, and what has to be done for it.
//!
//! A decision looks at how things are, never at what was done before (level-triggered): a run that was missed heals with the next.
//!
//! # Guarantees
//! What is put to sleep has its original written down first. The size that it sleeps with is never taken for an original, and while
//! it sleeps the original is not overwritten by what others set meanwhile. What is excluded, or loses its schedule, while it sleeps
//! is woken. Whoever changes a size by hand while it is up is left alone.

use domain::Timestamp;
use domain::office_hours::{Asleep, Included, OfficeHoursPolicy, Rules};
use domain::workload::{Namespace, Scalable, ScaleKind, ScaleRef};

pub mod annotations;
pub mod cron;
pub mod grace;
pub mod hours_tag;
pub mod labels;
pub mod marks;
pub mod scopes;
pub mod sleep_info;
pub mod worth;

mod batch;
mod size;

pub use annotations::Unreadable;
pub use batch::{Judged, Sight, judge};
pub use size::Original;

use scopes::{Scope, Scoped, Wanted};

/// All that a decision on one object looks at.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The object.
    pub object: &'a Scalable,
    /// The workload that it scales, where it is an autoscaler and that is there.
    pub scaled: Option<&'a Scalable>,
    /// The autoscaler that scales it.
    pub scaler: Option<&'a Scalable>,
    /// Its namespace.
    pub namespace: Option<&'a Namespace>,
    /// What the customer set for the cluster.
    pub policy: &'a OfficeHoursPolicy,
    /// What the customer set for all clusters.
    pub customer: Option<&'a Rules>,
    /// What the table has of it, if we put it to sleep.
    pub asleep: Option<&'a Asleep>,
    /// A pod, or a person through the API, wants everything up.
    pub forced_up: bool,
    /// Now.
    pub now: Timestamp,
}

/// What is to be done with one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    Leave,
    /// It is to be put to sleep: from this size to that one.
    Sleep {
        /// Its size now.
        from: Option<u32>,
        /// Its size while it sleeps.
        to: u32,
        /// What it gets back.
        original: Original,
    },
    /// It is to be woken.
    Wake {
        /// Its size while it sleeps.
        from: u32,
        /// Its size from before.
        to: Option<u32>,
    },
    /// It is up, and has its original size: the note of it is stale.
    ClearNote,
}

/// How an object stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is up, or nothing was ever said of it.
    Up,
    /// It sleeps, and gets this back.
    Asleep(Original),
}

/// What is to be done, and why, in one sentence for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What is to be done.
    pub verdict: Verdict,
    /// How it stands.
    pub standing: Standing,
    /// Why.
    pub why: String,
    /// Whether it should be up.
    pub wanted_up: bool,
    /// Whether something that a person can mend stands in the way of its schedule.
    pub refused: bool,
}

/// Decides on one object.
pub fn decide(on: &Situation<'_>) -> Decision {
    let scopes = match scopes::of(on) {
        Ok(scopes) => scopes,
        Err(unreadable) => return refuse(Standing::Up, unreadable.to_string()),
    };
    let bed = match size::Bed::of(on, &scopes) {
        Ok(bed) => bed,
        Err(unreadable) => return refuse(Standing::Up, unreadable.to_string()),
    };
    let standing = bed.standing();
    if let Some(why) = apart(on, &scopes, &bed) {
        return leave(standing, why);
    }
    let was_ours = bed.original.is_some() && bed.asleep;
    if on.object.target.kind == ScaleKind::CronJob && !on.policy.include.contains(&Included::CronJobs) {
        let why = "office_hours.include does not name cronjobs".to_owned();
        return if was_ours { wake(on, &bed, format!("{why} any more")) } else { leave(standing, why) };
    }
    let excluded = scopes::excluded(on, &scopes);
    match excluded {
        Err(unreadable) => return refuse(standing, unreadable.to_string()),
        Ok(Some(why)) if !was_ours => return leave(standing, why),
        Ok(Some(why)) if on.policy.upscale_target_only => return leave(standing, format!("{why}; it is left asleep")),
        Ok(Some(why)) => return wake(on, &bed, format!("{why}, so it is given back what it had")),
        Ok(None) => {}
    }
    if on.forced_up {
        return up(on, &bed, "everything is to be up".to_owned());
    }
    match scopes::wanted(on, &scopes) {
        Err(puzzle) => refuse(standing, puzzle.to_string()),
        Ok(Wanted::AsIs(why)) => leave(standing, why),
        Ok(Wanted::Unscheduled) if on.asleep.is_some() && bed.asleep => {
            wake(on, &bed, "nothing says any more when it should sleep".to_owned())
        }
        Ok(Wanted::Unscheduled) => leave(standing, "nothing says when it should sleep".to_owned()),
        Ok(Wanted::Up(why)) => up(on, &bed, why),
        Ok(Wanted::Down(why)) => down(on, &scopes, &bed, why),
    }
}

fn leave(standing: Standing, why: String) -> Decision {
    Decision { verdict: Verdict::Leave, standing, why, wanted_up: false, refused: false }
}

fn refuse(standing: Standing, why: String) -> Decision {
    Decision { verdict: Verdict::Leave, standing, why, wanted_up: false, refused: true }
}

/// Why an object is none of ours, whatever is said of it.
fn apart(on: &Situation<'_>, scopes: &[Scoped], bed: &size::Bed) -> Option<String> {
    let namespace = &on.object.target.namespace;
    if on.policy.excluded_namespaces.contains(namespace) {
        return Some(format!("namespace {namespace} is never touched"));
    }
    if on.namespace.is_some_and(|namespace| namespace.terminating) {
        return Some(format!("namespace {namespace} is being removed"));
    }
    if !labels::selected(&on.object.labels, &on.policy.matching_labels) {
        return Some("none of its labels is one of those that are asked for".to_owned());
    }
    if let Some((kind, name)) = &on.object.owner {
        // The Stack controller scales what it owns by itself. Other operators set sizes back, too; but a person who names the object
        // itself may know better.
        let asked = scopes.iter().any(|scoped| matches!(scoped.scope, Scope::Workload | Scope::WorkloadConfig) && scoped.rules.scheduled());
        if kind == "Stack" || kind == "ScaledObject" || !asked {
            return Some(format!("{kind} {name} manages it"));
        }
    }
    bed.elsewhere.clone()
}

/// It should be up.
fn up(on: &Situation<'_>, bed: &size::Bed, why: String) -> Decision {
    if bed.asleep && bed.original.is_some() {
        return wake(on, bed, why);
    }
    let noted = on.object.annotations.contains_key(domain::office_hours::ORIGINAL);
    let verdict = match bed.original {
        Some(original) if noted && original.size() == on.object.size => Verdict::ClearNote,
        Some(_) | None => Verdict::Leave,
    };
    Decision { verdict, standing: Standing::Up, why, wanted_up: true, refused: false }
}

fn wake(on: &Situation<'_>, bed: &size::Bed, why: String) -> Decision {
    let Some(original) = bed.original else {
        return leave(Standing::Up, why);
    };
    let to = match (original.size(), on.object.size_max) {
        (Some(size), Some(max)) if on.object.target.kind == ScaleKind::HorizontalPodAutoscaler => Some(size.min(max)),
        (size, _) => size,
    };
    Decision { verdict: Verdict::Wake { from: bed.to, to }, standing: Standing::Asleep(original), why, wanted_up: true, refused: false }
}

/// It should sleep.
fn down(on: &Situation<'_>, scopes: &[Scoped], bed: &size::Bed, why: String) -> Decision {
    let standing = bed.standing();
    if bed.asleep {
        return leave(standing, why);
    }
    if bed.as_small() {
        return leave(standing, format!("{why}; but it is as small as it would be made already"));
    }
    if on.object.target.kind == ScaleKind::ScaledObject && on.object.size.is_some() && bed.original.is_none() {
        return leave(standing, "somebody else has paused it".to_owned());
    }
    if on.object.deletes_volumes {
        let why = "persistentVolumeClaimRetentionPolicy.whenScaled is Delete: scaling it down would delete its volumes; set it to Retain";
        return refuse(standing, why.to_owned());
    }
    match grace::within(on, scopes) {
        Ok(true) => return leave(standing, "it is too new to be put to sleep".to_owned()),
        Ok(false) => {}
        Err(unreadable) => return refuse(standing, unreadable.to_string()),
    }
    Decision {
        verdict: Verdict::Sleep { from: on.object.size, to: bed.to, original: bed.to_note(on, scopes) },
        standing,
        why,
        wanted_up: false,
        refused: false,
    }
}

/// When an object was first seen asleep in the night that it is in; `None`: it was not yet.
pub fn asleep_since(on: &Situation<'_>) -> Option<Timestamp> {
    scopes::of(on).ok().and_then(|scopes| size::tonights(on, &scopes)?.seen_at)
}

/// Whether another object is put to sleep in the place of this one.
pub(crate) fn placed_elsewhere(on: &Situation<'_>) -> bool {
    let bed = scopes::of(on).and_then(|scopes| size::Bed::of(on, &scopes));
    bed.is_ok_and(|bed| bed.elsewhere.is_some())
}

/// The workload that an object is counted with: what it scales, or itself.
pub(crate) fn title(object: &Scalable) -> String {
    let ScaleRef { namespace, name, .. } = &object.target;
    match &object.scales {
        Some(workload) => format!("{}/{}", workload.namespace, workload.name),
        None => format!("{namespace}/{name}"),
    }
}

#[cfg(test)]
mod tests;
