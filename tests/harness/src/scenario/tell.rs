//! What happened, in the words of the story.

use domain::Timestamp;
use domain::ids::{InstanceId, NodeName};
use domain::plan::{Effect, Outcome, PlanRecord, Status, Urgency};
use domain::pod::{PodRef, PodView};
use domain::spot_event::SpotEvent;
use sim::world::{By, Happened, What, World};
use std::collections::BTreeMap;

/// Knows the names, and how much has been told.
pub(super) struct Teller {
    begins: Timestamp,
    seen: usize,
    /// Ids and names of nodes, and what the story calls them.
    names: BTreeMap<String, String>,
    made: usize,
}

/// One line: what happened, how often, from when to when.
struct Told {
    first: String,
    last: String,
    what: String,
    times: usize,
}

impl Told {
    fn line(self) -> String {
        let Told { first, last, what, times } = self;
        let pods = if times == 1 { "1 pod".to_owned() } else { format!("{times} pods") };
        let what = match what.contains("{pods}") {
            true => what.replace("{pods}", &pods),
            false if times > 1 => format!("{what} ({times} times)"),
            false => what,
        };
        let until = if first == last { String::new() } else { format!(" until {last}") };
        format!("{first:>8}  {what}{until}")
    }
}

impl Teller {
    pub(super) fn new(begins: Timestamp) -> Teller {
        Teller { begins, seen: 0, names: BTreeMap::new(), made: 0 }
    }

    /// Gives an instance and its node a name.
    pub(super) fn call(&mut self, instance: &InstanceId, node: &str, name: &str) {
        self.names.insert(instance.to_string(), name.to_owned());
        self.names.insert(node.to_owned(), name.to_owned());
    }

    /// What was there before the story is not told.
    pub(super) fn skip(&mut self, world: &World) {
        self.seen = world.history().len();
    }

    /// A text with the story's names in it.
    pub(super) fn named(&self, text: &str) -> String {
        self.names.iter().fold(text.to_owned(), |text, (id, name)| text.replace(id.as_str(), name))
    }

    /// What is new in the history; the same thing done to several pods at one moment is one line.
    pub(super) fn news(&mut self, world: &World) -> Vec<String> {
        let new = world.history_since(self.seen);
        self.seen += new.len();
        let mut told: Vec<Told> = Vec::new();
        for happened in &new {
            let Some(what) = self.tell(world, happened) else { continue };
            let at = self.when(happened.at);
            let now = told.iter().rposition(|t| t.last != at).map_or(0, |before| before + 1);
            let again = matches!(happened.what, What::EvictionRefused { .. });
            match told.get_mut(now..).unwrap_or_default().iter_mut().find(|t| t.what == what) {
                Some(same) => same.times += 1,
                // A refusal that comes again and again is told once.
                None => match told.last_mut().filter(|t| again && t.what == what) {
                    Some(same) => {
                        same.times += 1;
                        same.last = at;
                    }
                    None => told.push(Told { first: at.clone(), last: at, what, times: 1 }),
                },
            }
        }
        told.into_iter().map(Told::line).collect()
    }

    fn when(&self, at: Timestamp) -> String {
        format!("+{:.1} s", at.duration_since(self.begins).as_secs_f64())
    }

    fn node(&self, node: Option<&NodeName>) -> String {
        node.map_or_else(|| "nowhere".to_owned(), |n| self.named(n.as_str()))
    }

    fn tell(&mut self, world: &World, happened: &Happened) -> Option<String> {
        Some(match &happened.what {
            What::Launched { instance, pool, by, tags, .. } => {
                self.made += 1;
                let dns = world.node_name(instance).map(|n| n.to_string()).unwrap_or_default();
                self.call(instance, &dns, &format!("new-{}", self.made));
                let lost = tags.get("cloudoptim.io/replaces").map(|id| format!(" in place of {}", self.named(id))).unwrap_or_default();
                format!("{} launched {}: {pool}{lost}", who(*by), self.named(instance.as_str()))
            }
            What::NoCapacity { pool } => format!("no capacity: {pool}"),
            What::Joined { node, .. } => format!("{} has joined", self.node(Some(node))),
            What::Cordoned { node, by, .. } => format!("{} cordoned {}", who(*by), self.node(Some(node))),
            What::Uncordoned { node, by, .. } => format!("{} uncordoned {}", who(*by), self.node(Some(node))),
            What::Evicted { pod, node } => format!("evicted {{pods}} of {} from {}", workload(pod), self.node(node.as_ref())),
            What::EvictionRefused { budget, .. } => format!("the budget {budget} has no room"),
            What::Deleted { pod, node, grace_s } => {
                format!("deleted {{pods}} of {} from {}, grace {grace_s} s", workload(pod), self.node(node.as_ref()))
            }
            What::PodGone { pod, node } => format!("{{pods}} of {} left {}", workload(pod), self.node(node.as_ref())),
            What::PodLost { pod, node, .. } => format!("LOST {{pods}} of {} with {}", workload(pod), self.node(Some(node))),
            What::PodCut { pod, node } => format!("CUT OFF {{pods}} of {} on {}", workload(pod), self.node(Some(node))),
            What::BudgetViolated { budget, cause, .. } => format!("the budget {budget} was violated: {cause:?}").to_lowercase(),
            What::Interrupted { instance, deadline } => {
                format!("AWS marks {}: it goes at {}", self.named(instance.as_str()), self.when(*deadline))
            }
            What::Terminated { instance, by, .. } => format!("{} ended {}", who(*by), self.named(instance.as_str())),
            What::NodeRemoved { node, by, .. } => format!("{} removed the node {}", who(*by), self.node(Some(node))),
            What::Scaled { workload, from, to } => format!("{workload} was scaled from {from} to {to}"),
            What::LifecycleCompleted { instance, by } => format!("{} let the hook of {} go on", who(*by), self.named(instance.as_str())),
        })
    }

    /// Each plan with its steps.
    pub(super) fn plans(&self, plans: &[PlanRecord]) -> Vec<String> {
        let mut lines = Vec::new();
        for record in plans {
            let progress = &record.progress;
            let urgency = match progress.urgency {
                Urgency::Normal => "normal",
                Urgency::Forced => "forced",
            };
            let deadline = progress.node_deadline.map(|at| format!(", the node goes at {}", self.when(at))).unwrap_or_default();
            let outcome = progress.outcome.as_ref().map_or_else(|| "under way".to_owned(), outcome);
            lines.push(self.named(&format!("{} ({urgency}{deadline}): {outcome}", record.plan.key.plan)));
            for (step, state) in record.plan.steps.iter().zip(&progress.steps) {
                let effect = effect(&state.effect);
                lines.push(self.named(&format!("  {:<18} {}{effect}", step.action.kind(), status(&state.status))));
            }
        }
        if lines.is_empty() { vec!["no plan".to_owned()] } else { lines }
    }

    /// Each spot event, in the order of arrival.
    pub(super) fn events(&self, events: &[SpotEvent]) -> Vec<String> {
        let mut events = events.to_vec();
        events.sort_by_key(|e| (e.received_at, e.event_type, e.instance.instance.clone()));
        let line = |e: &SpotEvent| {
            let drained = e.drain_duration_s.map(|s| format!("; drained in {s} s")).unwrap_or_default();
            let instead = e.replacement_instance_id.as_ref().map(|i| format!("; {i} took its place")).unwrap_or_default();
            self.named(&format!("{} of {}: {}{drained}{instead}", e.event_type.as_str(), e.instance.instance, e.action_taken))
        };
        events.iter().map(line).collect()
    }

    /// How many pods run where.
    pub(super) fn pods(&self, pods: &[PodView]) -> Vec<String> {
        let mut places: BTreeMap<(String, String), (usize, usize)> = BTreeMap::new();
        for pod in pods {
            let place = places.entry((workload(&pod.pod), self.node(pod.node.as_ref()))).or_default();
            place.0 += 1;
            place.1 += usize::from(pod.ready);
        }
        places.iter().map(|((workload, node), (all, ready))| format!("{workload} on {node}: {all}, {ready} of them ready")).collect()
    }
}

fn who(by: By) -> &'static str {
    match by {
        By::Us => "we",
        By::Aws => "AWS",
        By::Human => "a person",
    }
}

/// A pod of a Deployment is called `<workload>-<hash>-<suffix>`.
fn workload(pod: &PodRef) -> String {
    pod.name.rsplitn(3, '-').last().unwrap_or(&pod.name).to_owned()
}

fn status(status: &Status) -> String {
    match status {
        Status::Pending => "pending".to_owned(),
        Status::Started => "begun".to_owned(),
        Status::Done => "done".to_owned(),
        Status::Failed(why) => format!("failed: {why}"),
        Status::Expired(why) => format!("expired: {why}"),
        Status::Skipped(why) => format!("skipped: {why}"),
        Status::Undoing => "being taken back".to_owned(),
        Status::Undone => "taken back".to_owned(),
        Status::Stuck(why) => format!("stuck: {why}"),
    }
}

fn effect(effect: &Effect) -> String {
    match effect {
        Effect::None => String::new(),
        Effect::Launching { offering, .. } => format!(" ({})", offering.pool),
        Effect::Launched { instance, .. } => format!(" ({instance})"),
        Effect::Ready { node } => format!(" ({node})"),
        Effect::Drained { evicted, deleted, .. } => format!(" ({evicted} evicted, {deleted} deleted)"),
        Effect::WasGone => " (it was gone already)".to_owned(),
        Effect::Scaled { from } => format!(" (from {from})"),
    }
}

fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Succeeded => "succeeded".to_owned(),
        Outcome::RolledBack { why } => format!("rolled back: {why}"),
        Outcome::Cancelled { why } => format!("cancelled: {why}"),
        Outcome::Expired { why } => format!("expired: {why}"),
        Outcome::Parked { why } => format!("parked: {why}"),
    }
}
