//! Which nodes may be moved at all, and for each other one the reason that stands first.
//!
//! The order of the questions is the order in which a person would ask them: is it ours, is it to be left alone, is it in order, is it
//! known what it costs, and only then what runs on it.

use domain::decision::{Constraints, WhyNot};
use domain::node::{DISRUPTION_TAINT, NodeOwner};
use domain::pod::PodBudget;
use domain::policy::OptimizationPolicy;
use domain::snapshot::{PodClass, Snapshot, SnapshotNode};
use domain::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// Why a node is left as it is: what [`domain::decision::Untouched`] says, without the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocked {
    /// The stable code.
    pub code: WhyNot,
    /// The object that stands in the way, where there is one.
    pub object: Option<String>,
    /// What would have to change, in one sentence.
    pub why: String,
}

impl Blocked {
    /// A reason without an object.
    pub fn new(code: WhyNot, why: impl Into<String>) -> Blocked {
        Blocked { code, object: None, why: why.into() }
    }

    /// A reason that names what stands in the way.
    pub fn by(code: WhyNot, object: impl Into<String>, why: impl Into<String>) -> Blocked {
        Blocked { code, object: Some(object.into()), why: why.into() }
    }
}

/// What a class is called for a person: its namespace and controller.
pub fn workload(class: &PodClass) -> String {
    match &class.controller {
        Some(controller) => format!("{} {}/{}", controller.kind, class.namespace, controller.name),
        None => format!("a pod without controller in {}", class.namespace),
    }
}

/// The judge of eligibility: what it knows of classes is worked out once.
pub struct Eligibility<'a> {
    policy: &'a OptimizationPolicy,
    hands_off: BTreeMap<&'a str, &'a str>,
    now: Timestamp,
    /// By class: what forbids moving such a pod.
    classes: Vec<Option<Blocked>>,
}

impl<'a> Eligibility<'a> {
    /// Judges the classes of a snapshot.
    pub fn new(snapshot: &'a Snapshot, constraints: &'a Constraints, policy: &'a OptimizationPolicy) -> Eligibility<'a> {
        let budgets = snapshot.budgets.as_deref();
        Eligibility {
            policy,
            hands_off: constraints.hands_off.iter().map(|off| (off.node.as_str(), off.why.as_str())).collect(),
            now: constraints.now.unwrap_or(snapshot.taken_at),
            classes: snapshot.classes.iter().map(|class| forbids(class, budgets)).collect(),
        }
    }

    /// What forbids moving pods of a class.
    pub fn class(&self, class: usize) -> Option<&Blocked> {
        self.classes.get(class).and_then(Option::as_ref)
    }

    /// Judges a node.
    ///
    /// # Errors
    /// The first reason against moving it.
    pub fn node(&self, node: &SnapshotNode) -> Result<(), Blocked> {
        self.itself(node)?;
        match node.pods.iter().find_map(|placed| self.class(placed.class as usize)) {
            Some(blocked) => Err(blocked.clone()),
            None => Ok(()),
        }
    }

    fn itself(&self, node: &SnapshotNode) -> Result<(), Blocked> {
        if let Some(why) = self.hands_off.get(node.name.as_str()) {
            return Err(Blocked::new(WhyNot::HandsOff, format!("hands off for now: {why}")));
        }
        if node.control_plane() {
            return Err(Blocked::new(WhyNot::ControlPlane, "it runs the control plane; such nodes are never moved"));
        }
        not_ours(node)?;
        if node.do_not_disrupt {
            return Err(Blocked::new(WhyNot::DoNotDisrupt, "it is marked to be left alone; take the mark off to have it looked at"));
        }
        if node.unschedulable || !node.ready {
            return Err(Blocked::new(WhyNot::NotReady, unready(node)));
        }
        if node.price.is_none() {
            return Err(Blocked::new(WhyNot::PriceUnknown, "its price is not known; a saving needs the price of both sides"));
        }
        self.settled(node)
    }

    fn settled(&self, node: &SnapshotNode) -> Result<(), Blocked> {
        let least = self.policy.node_age_min_minutes;
        if least == 0 {
            return Ok(());
        }
        let Some(created) = node.created_at else {
            return Err(Blocked::new(WhyNot::CoolDown, format!("its age is not known; a node is moved from {least} minutes on")));
        };
        let age = self.now.duration_since(created);
        if age < SignedDuration::from_mins(i64::from(least)) {
            let why = format!("it is {} minutes old; a node is moved from {least} minutes on", age.as_mins().max(0));
            return Err(Blocked::new(WhyNot::CoolDown, why));
        }
        Ok(())
    }
}

/// Why a node that takes no pods is left alone: whose cordon it is decides what a person has to do about it.
fn unready(node: &SnapshotNode) -> &'static str {
    let ours = node.taints.iter().any(|taint| taint.key == DISRUPTION_TAINT);
    match (node.unschedulable && ours, node.ready) {
        (true, _) => "we have cordoned it ourselves, to empty it; there is nothing to do about it",
        (false, true) => "somebody has cordoned it; uncordon it to have it looked at",
        (false, false) => "it is not Ready; it must be Ready to have it looked at",
    }
}

fn not_ours(node: &SnapshotNode) -> Result<(), Blocked> {
    let owner = match &node.owner {
        NodeOwner::CloudOptim => None,
        NodeOwner::AutoScalingGroup { group } => Some(("the Auto Scaling group", group)),
        NodeOwner::ManagedNodeGroup { group } => Some(("the managed node group", group)),
        NodeOwner::Karpenter { claim } => Some(("Karpenter, as", claim)),
    };
    if let Some((what, name)) = owner {
        let why = format!("{what} {name} owns it and would bring it back; hand the node over to have it moved");
        return Err(Blocked::by(WhyNot::NotOurs, name, why));
    }
    if node.instance.is_none() || node.pool.is_none() {
        return Err(Blocked::new(WhyNot::NotOurs, "no EC2 instance of the account is known to be behind it"));
    }
    Ok(())
}

/// What forbids moving a pod of the class.
fn forbids(class: &PodClass, budgets: Option<&[PodBudget]>) -> Option<Blocked> {
    let name = workload(class);
    let because = |code, why: &str| Some(Blocked::by(code, name.clone(), format!("{name} {why}")));
    if !class.moves() {
        return None;
    }
    if class.do_not_disrupt {
        return because(WhyNot::PodDoNotDisrupt, "asks to be left alone by an annotation; take it off to have the node moved");
    }
    if class.controller.is_none() {
        return because(WhyNot::NoController, "would be lost, because nobody makes it anew; delete it, or give it a controller");
    }
    if class.scheduling.pinned {
        return because(WhyNot::Pinned, "has a volume that exists on this node only; move its data to a volume that can follow");
    }
    if let Some(scheduler) = &class.scheduling.foreign_scheduler {
        return because(WhyNot::ForeignScheduler, &format!("is placed by the scheduler {scheduler}, whose choice cannot be foreseen"));
    }
    let Some(budgets) = budgets else {
        return Some(Blocked::new(WhyNot::PodBudgetsUnknown, "PodDisruptionBudgets could not be read; grant the right to list them"));
    };
    let mut covering = budgets.iter().filter(|budget| {
        budget.namespace == class.namespace && budget.selector.as_ref().is_some_and(|selector| selector.selects(&class.labels))
    });
    let (Some(budget), second) = (covering.next(), covering.next()) else { return None };
    let called = format!("{}/{}", budget.namespace, budget.name);
    if let Some(second) = second {
        let why = format!("{name} is covered by the budgets {} and {}; the API server then refuses evictions", budget.name, second.name);
        return Some(Blocked::by(WhyNot::ManyPodBudgets, called, why));
    }
    if budget.never_allows() {
        let (wanted, all) = (budget.desired_healthy, budget.expected_pods);
        let why = format!("budget {called} can never allow an eviction: it wants {wanted} of {all} pods; let it spare one");
        return Some(Blocked::by(WhyNot::PodBudget, called, why));
    }
    if budget.disruptions_allowed <= 0 {
        let (healthy, wanted) = (budget.current_healthy, budget.desired_healthy);
        let why = format!("budget {called} allows no eviction now: {healthy} pods are healthy, {wanted} are wanted");
        return Some(Blocked::by(WhyNot::PodBudget, called, why));
    }
    None
}

#[cfg(test)]
mod tests;
