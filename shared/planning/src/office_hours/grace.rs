//! New objects are left alone for a while: who has just rolled something out wants to see it run.

use super::Situation;
use super::annotations::{Unreadable, instant};
use super::scopes::{Scope, Scoped, first};
use domain::office_hours::{Dialect, GRACE_S};
use domain::{SignedDuration, Timestamp};

/// Whether an object is within its grace: its age is at most that, counted from when it was made, or last rolled out where an
/// annotation tells.
///
/// # Errors
/// [`Unreadable`]: it does not say when it was made.
pub(super) fn within(on: &Situation<'_>, scopes: &[Scoped]) -> Result<bool, Unreadable> {
    let rolled_out = on.policy.deployment_time_annotation.as_ref().and_then(|key| instant(on.object.annotations.get(key)?));
    let Some(since) = on.object.created_at.max(rolled_out) else {
        return Err(Unreadable { key: "creationTimestamp".to_owned(), why: "it is missing".to_owned() });
    };
    Ok(fresh(since, grace(scopes, on.policy.dialect), on.now))
}

/// Whether what was made then is at most this old.
pub fn fresh(since: Timestamp, grace_s: u32, now: Timestamp) -> bool {
    now.duration_since(since) <= SignedDuration::from_secs(i64::from(grace_s))
}

/// The grace in force, in seconds. An annotation may only shorten it for the one kube-downscaler, and decides for the other.
pub fn grace(scopes: &[Scoped], dialect: Dialect) -> u32 {
    match dialect {
        Dialect::Go => first(scopes, |rules| rules.grace_s).unwrap_or(GRACE_S),
        Dialect::Python => {
            let annotated = |scoped: &&Scoped| matches!(scoped.scope, Scope::Workload | Scope::Namespace);
            let set = scopes.iter().filter(|scoped| !annotated(scoped)).find_map(|scoped| scoped.rules.grace_s).unwrap_or(GRACE_S);
            scopes.iter().filter(annotated).filter_map(|scoped| scoped.rules.grace_s).min().map_or(set, |shorter| shorter.min(set))
        }
    }
}
