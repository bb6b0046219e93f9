//! The last look, just before a ghost is ended.

use super::stop::tolerated;
use super::{AGE_MIN, APART, GAP_MAX, GHOSTS_PERCENT_MAX, Look, Settings, Sight, Verdict, Way, instance_of, judge, overdue};
use domain::ids::InstanceId;
use domain::node::NodeView;
use domain::plan::action::AskedBy;
use domain::ports::{Instance, InstanceState};
use domain::watch::{Told, Watchbook};

/// How it is to be ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// By its id.
    Direct,
    /// Through its group, with one instance less asked for.
    ThroughGroup,
    /// It is gone already.
    Gone,
}

/// Everything that was read for this one instance, in the order of a scan.
#[derive(Debug, Clone, Copy)]
pub struct Proof<'a> {
    /// The instance.
    pub wanted: &'a InstanceId,
    /// A look of its own: `instances` is what EC2 says of this instance, `nodes` are all nodes, read after it.
    pub look: Look<'a>,
    /// What stands under the name that its node would have, read after all that; names are used again, so only its id counts.
    pub namesake: Option<&'a NodeView>,
    /// Whether the instance is protected from being ended through the API.
    pub end_forbidden: bool,
    /// The watchbook, read last.
    pub book: &'a Watchbook,
    /// What the customer allows.
    pub settings: Settings,
    /// Who wants it. The grace need not be over for a person, but two sightings there must have been.
    pub by: AskedBy,
}

/// Whether the instance may be ended now, and how; else why not, in one sentence.
///
/// # Errors
/// The sentence.
pub fn verify(proof: &Proof<'_>) -> Result<End, String> {
    let Proof { wanted, look, namesake, end_forbidden, book, settings, by } = proof;
    let sight = Sight::of(look).map_err(|error| error.to_string())?;
    let Some(instance) = look.instances.iter().find(|instance| instance.id == **wanted) else {
        return Err(format!("EC2 does not know {wanted}"));
    };
    if gone(instance) {
        return Ok(End::Gone);
    }
    if namesake.is_some_and(|node| instance_of(node) == Some(wanted.as_str())) {
        return Err(format!("a node stands for {wanted}"));
    }
    let way = match judge(instance, look, &sight) {
        Verdict::Node => return Err(format!("a node stands for {wanted}")),
        Verdict::Not(why) => return Err(format!("{wanted} is left alone: {why}")),
        Verdict::Ghost(way) => way,
    };
    if *end_forbidden {
        return Err(format!("{wanted} is protected from being ended (disableApiTermination)"));
    }
    believable(proof, sight.stand_for.len())?;
    let Some(watch) = book.watches.get(wanted.as_str()) else {
        return Err(format!("{wanted} is not watched any more: it was seen as a node, or was to be left alone, in between"));
    };
    if look.now.duration_since(watch.last_seen) > GAP_MAX {
        return Err(format!("nobody has looked at {wanted} for too long; its grace begins anew"));
    }
    let seen_for = watch.last_seen.duration_since(watch.first_seen);
    if watch.sightings < 2 || seen_for < APART || look.now.duration_since(watch.first_seen) < AGE_MIN {
        return Err(format!("{wanted} was not seen often enough to be sure"));
    }
    if *by == AskedBy::Scan && watch.told != Told::Warned {
        return Err(format!("nobody was warned that {wanted} will be ended"));
    }
    if *by == AskedBy::Scan && !overdue(watch.first_seen, settings.grace, look.now) {
        return Err(format!("the grace of {wanted} is not over"));
    }
    match way {
        Way::Direct => Ok(End::Direct),
        Way::ThroughGroup(_) => Ok(End::ThroughGroup),
        Way::HandsOff(why) => Err(why),
    }
}

fn gone(instance: &Instance) -> bool {
    match instance.state {
        InstanceState::ShuttingDown | InstanceState::Terminated => true,
        InstanceState::Pending | InstanceState::Running | InstanceState::Stopping | InstanceState::Stopped => false,
    }
}

/// Whether the list of nodes looks like the cluster that the last scan saw.
fn believable(proof: &Proof<'_>, nodes: usize) -> Result<(), String> {
    if let Some((_, why)) = &proof.book.stopped {
        return Err(format!("the scan of this cluster is stopped: {why}"));
    }
    let least = proof.book.nodes.saturating_sub(tolerated(proof.book.nodes, GHOSTS_PERCENT_MAX));
    if nodes < least as usize || (nodes == 0 && proof.book.nodes > 0) {
        return Err(format!("the list of nodes has {nodes}, and {} were nodes at the last look", proof.book.nodes));
    }
    Ok(())
}
