//! Which nodes may leave at all, as far as a snapshot can tell.

use crate::decision::{DecisionRequest, Untouched, WhyNot};
use crate::node::NodeOwner;
use crate::pod::PodBudget;
use crate::snapshot::{PodClass, SnapshotNode};

/// Whether a node of the request's snapshot may be taken out of service.
///
/// # Errors
/// Why not, as an answer would say it.
pub fn may_leave(request: &DecisionRequest, node: &SnapshotNode) -> Result<(), Untouched> {
    let no = |code: WhyNot, object: Option<String>, why: String| Err(Untouched { node: node.name.clone(), code, object, why });
    let name = &node.name;
    if let Some(off) = request.constraints.hands_off.iter().find(|off| off.node == *name) {
        return no(WhyNot::HandsOff, None, off.why.clone());
    }
    if node.owner != NodeOwner::CloudOptim {
        return no(WhyNot::NotOurs, None, format!("node {name} is replaced by others, not by us"));
    }
    if node.instance.is_none() {
        return no(WhyNot::NotOurs, None, format!("node {name} is no EC2 instance that we can see"));
    }
    if node.control_plane() {
        return no(WhyNot::ControlPlane, None, format!("node {name} runs the control plane"));
    }
    if node.do_not_disrupt {
        return no(WhyNot::DoNotDisrupt, None, format!("node {name}, or its instance, is marked to be left alone"));
    }
    if !node.ready || node.unschedulable {
        return no(WhyNot::NotReady, None, format!("node {name} is not Ready, or cordoned"));
    }
    if node.price.is_none() {
        return no(WhyNot::PriceUnknown, None, format!("nobody knows what node {name} costs"));
    }
    if young(request, node) {
        let least = request.requirements.node_age_min_minutes;
        return no(WhyNot::CoolDown, None, format!("node {name} is younger than {least} minutes"));
    }
    let classes =
        node.pods.iter().filter(|placed| placed.count > 0).filter_map(|placed| request.snapshot.classes.get(placed.class as usize));
    for class in classes.filter(|class| class.moves()) {
        if let Some((code, object, why)) = pod_blocks(request, class) {
            return no(code, Some(object), why);
        }
    }
    Ok(())
}

fn young(request: &DecisionRequest, node: &SnapshotNode) -> bool {
    let now = request.constraints.now.unwrap_or(request.snapshot.taken_at);
    let least = i64::from(request.requirements.node_age_min_minutes).saturating_mul(60);
    node.created_at.is_some_and(|at| now.as_second().saturating_sub(at.as_second()) < least)
}

/// What a class of pods has against being moved: the code, the object, the sentence.
fn pod_blocks(request: &DecisionRequest, class: &PodClass) -> Option<(WhyNot, String, String)> {
    let what = match &class.controller {
        Some(controller) => format!("{} {}/{}", controller.kind, class.namespace, controller.name),
        None => format!("a pod without controller in {}", class.namespace),
    };
    if class.do_not_disrupt {
        let why = format!("a pod of {what} asks to be left alone");
        return Some((WhyNot::PodDoNotDisrupt, what, why));
    }
    if class.controller.is_none() {
        let why = format!("{what} would be lost");
        return Some((WhyNot::NoController, what, why));
    }
    if class.scheduling.pinned {
        let why = format!("a volume of {what} exists on this node only");
        return Some((WhyNot::Pinned, what, why));
    }
    if let Some(scheduler) = &class.scheduling.foreign_scheduler {
        let why = format!("{what} is placed by {scheduler}, whose choices cannot be foreseen");
        return Some((WhyNot::ForeignScheduler, what, why));
    }
    let Some(budgets) = &request.snapshot.budgets else {
        return Some((WhyNot::PodBudgetsUnknown, what, "the PodDisruptionBudgets could not be read".to_owned()));
    };
    let covering: Vec<&PodBudget> = budgets.iter().filter(|budget| budget.covers_class(&class.namespace, &class.labels)).collect();
    match covering.as_slice() {
        [] => None,
        [budget] if budget.never_allows() => {
            let object = format!("{}/{}", budget.namespace, budget.name);
            let why = format!("disruption budget {object} can never allow an eviction of {what}");
            Some((WhyNot::PodBudget, object, why))
        }
        [_] => None,
        [first, second, ..] => {
            let why = format!("{what} is covered by the disruption budgets {} and {}", first.name, second.name);
            Some((WhyNot::ManyPodBudgets, what, why))
        }
    }
}
