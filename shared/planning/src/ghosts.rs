//! Ghosts: instances of a cluster that run and are no nodes of it.
//!
//! One wrong end costs more than a thousand ghosts, so everything here leans to the side of doing nothing. The caller lists
//! instances first, then reads the journal, then lists nodes: whatever joins meanwhile is seen as a node. An instance is known by
//! its id in the providerID of a node and by nothing else; names and addresses are used again. Nobody's clock but our own is
//! believed: grace begins with our own first sight, a look that failed is no look, and a gap between two looks begins it anew.
//!
//! [`suspects`] says whose Auto Scaling membership must be asked for, [`scan`] makes the next page of the watchbook and says what
//! is due, and [`verify`] looks at one of them again just before it is ended.

use domain::ids::{InstanceId, PlanId};
use domain::node::NodeView;
use domain::plan::action::Which;
use domain::plan::precondition::PLAN_TAG;
use domain::plan::{Action, PlanKind, PlanRecord};
use domain::policy::{Mode, WastePolicy};
use domain::ports::{Instance, InstanceState, Member};
use domain::watch::{Told, Watch, Watchbook};
use domain::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

mod due;
mod judge;
mod stop;
pub mod tags;
mod verify;

pub use due::{group_room, overdue};
pub(crate) use judge::judge;
pub use judge::{Verdict, Way, WhyNot};
pub use stop::{Stop, tolerated, unhealthy};
pub use tags::NoClusterName;
pub use verify::{End, Proof, verify};

/// How old an instance must be: nodes take minutes to join, those with GPUs half an hour (Karpenter gives 15 minutes).
pub const AGE_MIN: SignedDuration = SignedDuration::from_hours(1);
/// How far apart sightings must be to count as two.
pub const APART: SignedDuration = SignedDuration::from_mins(30);
/// How long nobody may have looked: after a longer gap the grace begins anew.
pub const GAP_MAX: SignedDuration = SignedDuration::from_hours(6);
/// How many of a cluster's running instances may be ghosts, in percent, rounded up. More are a symptom, not waste: a broken network
/// plugin, a removed access entry, half a list.
pub const GHOSTS_PERCENT_MAX: u32 = 10;

/// What a customer allows, in the terms of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How long an instance is watched before it is ended.
    pub grace: SignedDuration,
    /// How many may be in hand at once.
    pub per_scan_max: usize,
    /// Whether anything is ended by itself. Else nobody is warned, and nothing is ever due: so whoever switches it on is warned first.
    pub acts: bool,
}

impl From<&WastePolicy> for Settings {
    fn from(policy: &WastePolicy) -> Settings {
        Settings {
            grace: SignedDuration::from_hours(i64::from(policy.ghost_grace_hours.max(1))),
            per_scan_max: policy.ghosts_per_scan_max as usize,
            acts: policy.ghosts == Mode::Auto,
        }
    }
}

/// One look at a cluster, in the order in which it was read.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// Now, by our own clock.
    pub now: Timestamp,
    /// The cluster's name: the `<name>` of `kubernetes.io/cluster/<name>`.
    pub cluster_name: &'a str,
    /// Every instance with the cluster's tag, read first.
    pub instances: &'a [Instance],
    /// Plans that are under way, read second.
    pub open_plans: &'a [PlanRecord],
    /// Every node, read third.
    pub nodes: &'a [NodeView],
    /// What Auto Scaling knows of the suspects, read last. `None`: it did not answer.
    pub members: Option<&'a [Member]>,
}

/// Something to tell people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// A ghost was seen for the first time.
    Found(InstanceId),
    /// It will be ended soon; the last chance to say no.
    Warned(InstanceId),
    /// It is no ghost any more, or must not be called one; since when it was watched.
    Recovered(InstanceId, Timestamp, WhyNot),
    /// Nothing is believed or done any more until this is over.
    Stopped(Stop),
    /// That is over.
    Resumed,
}

/// A ghost that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ghost {
    /// The instance.
    pub instance: InstanceId,
    /// How it would be ended, or why it is not.
    pub way: Way,
}

/// What a scan comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// The next page of the watchbook, to be written before anything is done.
    pub book: Watchbook,
    /// What people are to be told before the book is written.
    pub news: Vec<News>,
    /// All ghosts that stand.
    pub ghosts: Vec<Ghost>,
    /// Those that are to be ended now, oldest first.
    pub due: Vec<InstanceId>,
}

/// The instances whose membership in a group must be known before they can be called ghosts.
///
/// # Errors
/// [`NoClusterName`]: without a name everything would look like ours.
pub fn suspects(look: &Look<'_>) -> Result<Vec<InstanceId>, NoClusterName> {
    let sight = Sight::of(look)?;
    let asked = look.instances.iter().filter(|instance| match judge(instance, look, &sight) {
        Verdict::Ghost(_) | Verdict::Not(WhyNot::MembershipUnknown) => true,
        Verdict::Node | Verdict::Not(_) => false,
    });
    Ok(asked.map(|instance| instance.id.clone()).collect())
}

/// One scan: what is watched from now on, what is told, what is due.
///
/// # Errors
/// [`NoClusterName`]: without a name everything would look like ours.
pub fn scan(look: &Look<'_>, before: &Watchbook, settings: Settings) -> Result<Scan, NoClusterName> {
    let sight = Sight::of(look)?;
    let verdicts: Vec<(&Instance, Verdict)> = look.instances.iter().map(|instance| (instance, judge(instance, look, &sight))).collect();
    let ghosts = verdicts.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Ghost(_))).count();
    let mut book = Watchbook { version: before.version + 1, ..before.clone() };
    let mut news = Vec::new();
    let ahead = before.scanned_at.map_or(SignedDuration::ZERO, |last| last.duration_since(look.now));
    if ahead > GAP_MAX {
        // One of the two clocks is hours off, and nobody knows which. If it was the one before, waiting for its time to come would
        // blind us for as long as it was off; so every grace begins anew. If it is this one, the next look comes after a gap that is
        // too long, and they begin anew once more: no grace is cut short either way.
        book.watches.retain(|id, _| !id.starts_with("i-"));
    } else if ahead > SignedDuration::ZERO {
        // Our own clock went back, or an older look comes in late: a first sight that lies too early would cut a grace short.
        recover(&mut book, &verdicts, &mut news);
        return Ok(Scan { book, news, ghosts: Vec::new(), due: Vec::new() });
    }
    if let Some(stop) = stop::stop(look, &sight, before, ghosts) {
        if before.stopped.is_none() {
            book.stopped = Some((look.now, stop.to_string()));
            news.push(News::Stopped(stop));
        }
        // What was seen before stands; nothing is added to it, so that its grace begins anew if this lasts. What is a node is one
        // whatever else is amiss: half a list leaves nodes out, it invents none.
        recover(&mut book, &verdicts, &mut news);
        return Ok(Scan { book, news, ghosts: Vec::new(), due: Vec::new() });
    }
    if book.stopped.take().is_some() {
        news.push(News::Resumed);
    }
    book.scanned_at = Some(look.now);
    (book.nodes, book.running) = (sight.matched, sight.running);
    let mut standing = Vec::new();
    let mut seen = BTreeSet::new();
    for (instance, verdict) in verdicts {
        seen.insert(instance.id.as_str());
        match verdict {
            Verdict::Ghost(way) => {
                watch(&mut book, &instance.id, look.now, settings, &way, &mut news);
                standing.push(Ghost { instance: instance.id.clone(), way });
            }
            // Nothing was learnt of it: no sighting, and no recovery either.
            Verdict::Not(WhyNot::MembershipUnknown) => {}
            Verdict::Node => forget(&mut book, &instance.id, WhyNot::Node, &mut news),
            Verdict::Not(why) => forget(&mut book, &instance.id, why, &mut news),
        }
    }
    let gone: Vec<InstanceId> = watched(&book).filter(|id| !seen.contains(id.as_str())).collect();
    for id in gone {
        forget(&mut book, &id, WhyNot::Gone, &mut news);
    }
    let due = due::due(look, &sight, (before, &book), &standing, settings);
    Ok(Scan { book, news, ghosts: standing, due })
}

/// Instances in a book; it also holds volumes and the like.
fn watched(book: &Watchbook) -> impl Iterator<Item = InstanceId> + '_ {
    book.watches.keys().filter(|id| id.starts_with("i-")).filter_map(|id| InstanceId::parse(id.as_str()).ok())
}

fn recover(book: &mut Watchbook, verdicts: &[(&Instance, Verdict)], news: &mut Vec<News>) {
    for (instance, _) in verdicts.iter().filter(|(_, verdict)| *verdict == Verdict::Node) {
        forget(book, &instance.id, WhyNot::Node, news);
    }
}

fn forget(book: &mut Watchbook, id: &InstanceId, why: WhyNot, news: &mut Vec<News>) {
    if let Some(watch) = book.watches.remove(id.as_str()) {
        news.push(News::Recovered(id.clone(), watch.first_seen, why));
    }
}

fn watch(book: &mut Watchbook, id: &InstanceId, now: Timestamp, settings: Settings, way: &Way, news: &mut Vec<News>) {
    let watch = book.watches.entry(id.as_str().to_owned()).or_insert_with(|| Watch::new(now));
    if sighted(watch, now) {
        *watch = Watch { told: watch.told, ..Watch::new(now) };
        watch.told = Told::Nothing;
    }
    if watch.told == Told::Nothing {
        watch.told = Told::Found;
        news.push(News::Found(id.clone()));
    }
    let warned_from = settings.grace.checked_mul(3).and_then(|three| three.checked_div(4)).unwrap_or(settings.grace);
    let ends = match way {
        Way::Direct | Way::ThroughGroup(_) => true,
        Way::HandsOff(_) => false,
    };
    if settings.acts && ends && watch.told == Told::Found && watch.sightings >= 2 && overdue(watch.first_seen, warned_from, now) {
        watch.told = Told::Warned;
        news.push(News::Warned(id.clone()));
    }
}

/// Counts a sighting; says whether the grace must begin anew, because nobody has looked for too long.
pub fn sighted(watch: &mut Watch, now: Timestamp) -> bool {
    let since = now.duration_since(watch.last_seen);
    if since > GAP_MAX {
        return true;
    }
    // A clock that went back, or a second scan at once, is not a second sighting.
    if since >= APART {
        watch.last_seen = now;
        watch.sightings = watch.sightings.saturating_add(1);
    }
    false
}

/// What a look comes to before single instances are judged.
pub(crate) struct Sight<'a> {
    /// Ids in the providerIDs of nodes.
    pub(crate) stand_for: BTreeSet<&'a str>,
    /// Instances that plans have in hand, ghosts' own plans left out.
    pub(crate) in_hand: BTreeMap<&'a str, &'a PlanId>,
    /// Plans that are under way, by name.
    plans: BTreeSet<&'a str>,
    /// Instances for which a ghost's plan is under way.
    pub(crate) ending: BTreeSet<&'a str>,
    /// How many instances of the cluster run.
    pub(crate) running: u32,
    /// How many of those are nodes.
    pub(crate) matched: u32,
}

impl<'a> Sight<'a> {
    pub(crate) fn of(look: &Look<'a>) -> Result<Sight<'a>, NoClusterName> {
        tags::named(look.cluster_name)?;
        let mut sight = Sight {
            stand_for: look.nodes.iter().filter_map(instance_of).collect(),
            in_hand: BTreeMap::new(),
            plans: BTreeSet::new(),
            ending: BTreeSet::new(),
            running: 0,
            matched: 0,
        };
        for record in look.open_plans.iter().filter(|record| record.progress.outcome.is_none()) {
            sight.take_in(record);
        }
        for instance in look.instances.iter().filter(|instance| instance.state == InstanceState::Running) {
            sight.running += 1;
            sight.matched += u32::from(sight.stand_for.contains(instance.id.as_str()));
        }
        Ok(sight)
    }

    fn take_in(&mut self, record: &'a PlanRecord) {
        let plan = &record.plan.key.plan;
        if record.plan.kind == PlanKind::Ghost {
            self.ending.extend(record.plan.steps.iter().filter_map(|step| touched(&step.action)));
            return;
        }
        self.plans.insert(plan.as_str());
        for (index, step) in record.plan.steps.iter().enumerate() {
            let launched = record.progress.launched(index).map(|(instance, _)| instance.as_str());
            self.in_hand.extend(touched(&step.action).into_iter().chain(launched).map(|id| (id, plan)));
        }
    }

    /// The plan that has an instance in hand: by its journal, or by the tag that its launch carried, whose answer may be lost.
    pub(crate) fn plan_of(&self, instance: &Instance) -> Option<String> {
        let journal = self.in_hand.get(instance.id.as_str()).map(|plan| plan.to_string());
        journal.or_else(|| instance.tags.get(PLAN_TAG).filter(|plan| self.plans.contains(plan.as_str())).cloned())
    }
}

/// The instance that an action is done to, where it names one.
fn touched(action: &Action) -> Option<&str> {
    match action {
        Action::LaunchNode { replaces, .. } => replaces.as_ref().map(|key| key.instance.as_str()),
        Action::AwaitReady { of: Which::Instance(instance), .. }
        | Action::CompleteLifecycle { instance, .. }
        | Action::TerminateGhost { instance, .. } => Some(instance.as_str()),
        Action::Cordon { node }
        | Action::Uncordon { node }
        | Action::Drain { node, .. }
        | Action::Terminate { node }
        | Action::RemoveNode { node } => Some(node.instance.as_str()),
        Action::AwaitReady { of: Which::LaunchedBy(_), .. }
        | Action::Scale { .. }
        | Action::PatchRequests { .. }
        | Action::AwaitRollOut { .. }
        | Action::Resize { .. }
        | Action::DeleteVolume { .. } => None,
    }
}

/// The id in a node's providerID: `aws:///<zone>/<instance>`.
fn instance_of(node: &NodeView) -> Option<&str> {
    let (_zone, instance) = node.provider_id.strip_prefix("aws:///")?.split_once('/')?;
    instance.starts_with("i-").then_some(instance)
}

#[cfg(test)]
mod tests;
