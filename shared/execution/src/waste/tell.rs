//! What people are told.

use domain::Timestamp;
use domain::finding::FindingKind;
use domain::ports::{Moment, Notice};
use domain::tenant::Cluster;
use domain::watch::Watchbook;
use planning::ghosts::{News, Stop};

/// What to tell of a ghost.
pub(super) fn ghost(cluster: &Cluster, news: &News, book: &Watchbook, now: Timestamp) -> Option<Notice> {
    let first_seen = |id: &str| book.watches.get(id).map_or(now, |watch| watch.first_seen);
    let (subject, moment, episode, sentences) = match news {
        News::Found(instance) => {
            let since = first_seen(instance.as_str());
            let said = format!("{instance} runs for cluster {} and is no node of it.", cluster.name);
            let grace = format!("It is watched for {} hours before anything is done.", cluster.policy.waste.ghost_grace_hours.max(1));
            (instance.to_string(), Moment::Detected, since, vec![said, grace])
        }
        News::Warned(instance) => {
            let since = first_seen(instance.as_str());
            let said = format!("{instance} of cluster {} will be ended soon: it has been no node since {since}.", cluster.name);
            let no = "To keep it, tag it cloudoptim.io/do-not-terminate, or dismiss the finding.".to_owned();
            (instance.to_string(), Moment::Before, since, vec![said, no])
        }
        News::Recovered(instance, since, why) => {
            let said = format!("{instance} of cluster {} is no ghost any more: {why}.", cluster.name);
            (instance.to_string(), Moment::Recovered, *since, vec![said])
        }
        News::Stopped(stop) => {
            let said = format!("The scan for ghosts of cluster {} is stopped: {stop}.", cluster.name);
            let until = "Nothing is ended until the cluster looks like itself again. A person should look.".to_owned();
            (cluster.name.clone(), Moment::Alert, now, vec![said, until])
        }
        News::Resumed => {
            let said = format!("The scan for ghosts of cluster {} goes on: the cluster looks like itself again.", cluster.name);
            (cluster.name.clone(), Moment::Recovered, now, vec![said])
        }
    };
    let whose = (&cluster.customer, &cluster.id);
    Some(Notice::new(whose, (FindingKind::Ghost.as_str(), moment), (&subject, episode), sentences, now))
}

/// The word for a stop in counters.
pub(super) fn word(stop: &Stop) -> &'static str {
    match stop {
        Stop::NoNodes { .. } => "no_nodes",
        Stop::Shrunken { .. } => "shrunken",
        Stop::Mass { .. } => "mass",
        Stop::Unhealthy { .. } => "unhealthy",
    }
}
