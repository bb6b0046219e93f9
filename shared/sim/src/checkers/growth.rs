//! A plan's record only grows: what one worker has written, no other takes back. A lost update shows here first, long before it does
//! harm, and often where it never would.

use domain::plan::{Progress, Status};

/// How far a step is. Only from one rank to a higher one is a way.
fn rank(status: &Status) -> u8 {
    match status {
        Status::Pending => 0,
        Status::Started => 1,
        Status::Done | Status::Failed(_) | Status::Expired(_) | Status::Skipped(_) => 2,
        Status::Undoing => 3,
        Status::Undone | Status::Stuck(_) => 4,
    }
}

/// What a write takes back of what was written before it, in a sentence.
pub(crate) fn taken_back(before: &Progress, after: &Progress) -> Option<String> {
    let says = |law: &str| Some(format!("version {} of a plan takes back what version {} says: {law}", after.version, before.version));
    if before.outcome.is_some() && before.outcome != after.outcome {
        return says(&format!("it had ended ({:?})", before.outcome));
    }
    if before.unwinding.is_some() && after.unwinding.is_none() {
        return says("it was to be taken back");
    }
    let nearer = before.node_deadline.is_none_or(|deadline| after.node_deadline.is_some_and(|later| later <= deadline));
    if after.urgency < before.urgency || !nearer {
        return says("it was more urgent");
    }
    let steps = before.steps.iter().zip(&after.steps).enumerate();
    for (step, (was, is)) in steps {
        let (old, new) = (rank(&was.status), rank(&is.status));
        // What is settled stays as it is, or is undone.
        if new < old || (new == old && was.status.settled() && was.status != is.status) {
            return says(&format!("step {step} was {:?} and is {:?}", was.status, is.status));
        }
        if is.generation < was.generation {
            return says(&format!("step {step} was at generation {} and is at {}", was.generation, is.generation));
        }
        let launched = before.launched(step).map(|(instance, _)| instance);
        if launched.is_some() && launched != after.launched(step).map(|(instance, _)| instance) {
            return says(&format!("step {step} had launched {launched:?}"));
        }
    }
    None
}
