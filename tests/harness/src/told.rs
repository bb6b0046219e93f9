//! What people must have been told, once nothing is under way.

use crate::system::System;
use std::collections::BTreeSet;

/// Each plan that has ended was told, under one id, and as the end that it came to; none was told that has not ended. What died on
/// every delivery lies with the dead letters, where an alarm and a person see it.
///
/// # Errors
/// The law that was broken.
pub fn told(system: &System) -> Result<(), String> {
    let ids: BTreeSet<String> = system.told.told().into_iter().map(|notice| notice.id).collect();
    let mut ends = BTreeSet::new();
    for record in system.store.plans() {
        let Some(outcome) = &record.progress.outcome else { continue };
        let id = execution::tell::end(&record, outcome, record.plan.created_at).id;
        if !ids.contains(&id) && system.queue.dead_letters().is_empty() {
            return Err(format!("{} ended as {outcome:?}, and nobody was told", record.plan.key));
        }
        ends.insert(id);
    }
    let is_end = |id: &&String| [".after/", "interruption.alert/", "plan.alert/"].iter().any(|part| id.contains(part));
    match ids.iter().filter(is_end).find(|id| !ends.contains(*id)) {
        Some(id) => Err(format!("{id} was told, and no plan has ended so")),
        None => Ok(()),
    }
}
