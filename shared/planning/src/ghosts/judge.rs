//! Whether one instance is a ghost, and how it could be ended.

use super::tags::{self, UntilExpiry};
use super::{AGE_MIN, Look, Sight};
use domain::ports::{Instance, InstanceState, Member};

/// What an instance is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// A node stands for it.
    Node,
    /// It runs, it is the cluster's own, and no node stands for it.
    Ghost(Way),
    /// It is not to be called a ghost.
    Not(WhyNot),
}

/// How a ghost can be ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// It is in no group.
    Direct,
    /// Only through its Auto Scaling group, with one instance less asked for: ended otherwise, it would be replaced at once.
    ThroughGroup(String),
    /// Not at all by us; why, in one sentence. It is reported.
    HandsOff(String),
}

/// Why an instance is not to be called a ghost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhyNot {
    /// A node stands for it.
    Node,
    /// EC2 does not list it any more.
    Gone,
    /// It does not run.
    NotRunning,
    /// Its tags do not say that it is this cluster's own, or say something else, too.
    NotOwned(String),
    /// It is no ordinary node; the tag that says so.
    SpecialRole(String),
    /// A tag asks for it to be left alone.
    LeftAlone(&'static str),
    /// A plan has it in hand.
    InPlan(String),
    /// It is too young, or EC2 does not say how old it is.
    Young,
    /// Its group has something else in mind with it: standby, warm pool, on its way in or out, protected.
    Group(String),
    /// Auto Scaling was not asked, or did not answer.
    MembershipUnknown,
}

impl std::fmt::Display for WhyNot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            WhyNot::Node => f.write_str("a node stands for it"),
            WhyNot::Gone => f.write_str("EC2 does not list it any more"),
            WhyNot::NotRunning => f.write_str("it does not run any more"),
            WhyNot::NotOwned(tag) => write!(f, "it is not this cluster's own ({tag})"),
            WhyNot::SpecialRole(tag) => write!(f, "it is no ordinary node ({tag})"),
            WhyNot::LeftAlone(tag) => write!(f, "the tag {tag} asks for it to be left alone"),
            WhyNot::InPlan(plan) => write!(f, "plan {plan} has it in hand"),
            WhyNot::Young => f.write_str("it was launched less than an hour ago, or nobody knows when"),
            WhyNot::Group(state) => f.write_str(state),
            WhyNot::MembershipUnknown => f.write_str("nobody knows which Auto Scaling group it is in"),
        }
    }
}

/// The tag by which Auto Scaling marks the members of a group.
const GROUP_TAG: &str = "aws:autoscaling:groupName";

/// Judges one instance. The rules that need no more than the instance come first.
pub(crate) fn judge(instance: &Instance, look: &Look<'_>, sight: &Sight<'_>) -> Verdict {
    if sight.stand_for.contains(instance.id.as_str()) {
        return Verdict::Node;
    }
    if let Some(why) = excluded(instance, look, sight) {
        return Verdict::Not(why);
    }
    let Some(members) = look.members else {
        return Verdict::Not(WhyNot::MembershipUnknown);
    };
    match members.iter().find(|member| member.instance == instance.id) {
        Some(member) => in_group(member, instance),
        None => match instance.tags.get(GROUP_TAG) {
            Some(group) => Verdict::Not(WhyNot::Group(format!("group {group} is letting it go"))),
            None => alone(instance),
        },
    }
}

fn excluded(instance: &Instance, look: &Look<'_>, sight: &Sight<'_>) -> Option<WhyNot> {
    if instance.state != InstanceState::Running {
        return Some(WhyNot::NotRunning);
    }
    // The name was checked when the look began.
    if !tags::owned(look.cluster_name, &instance.tags).unwrap_or(false) {
        return Some(WhyNot::NotOwned("no tag says `owned`".to_owned()));
    }
    if let Some(tag) = tags::contested(look.cluster_name, &instance.tags) {
        return Some(WhyNot::NotOwned(tag));
    }
    if let Some(tag) = tags::special_role(&instance.tags) {
        return Some(WhyNot::SpecialRole(tag));
    }
    if let Some(tag) = tags::left_alone(&instance.tags, look.now, UntilExpiry::Protects) {
        return Some(WhyNot::LeftAlone(tag));
    }
    if let Some(plan) = sight.plan_of(instance) {
        return Some(WhyNot::InPlan(plan));
    }
    let old = instance.launched_at.is_some_and(|at| look.now.duration_since(at) >= AGE_MIN);
    (!old).then_some(WhyNot::Young)
}

fn alone(instance: &Instance) -> Verdict {
    if tags::of_karpenter(&instance.tags) {
        return Verdict::Ghost(Way::HandsOff("Karpenter made it and collects its own; we only report it.".to_owned()));
    }
    Verdict::Ghost(Way::Direct)
}

fn in_group(member: &Member, instance: &Instance) -> Verdict {
    let group = &member.group;
    if member.lifecycle != "InService" {
        return Verdict::Not(WhyNot::Group(format!("it is {} in group {group}", member.lifecycle)));
    }
    if member.protected {
        return Verdict::Not(WhyNot::Group(format!("group {group} protects it from scale-in")));
    }
    if tags::of_karpenter(&instance.tags) {
        return Verdict::Ghost(Way::HandsOff("Karpenter made it and collects its own; we only report it.".to_owned()));
    }
    if super::group_room(member.desired, member.min) == 0 {
        let why =
            format!("Group {group} is at its least of {} and would replace it: what keeps it from joining must be mended.", member.min);
        return Verdict::Ghost(Way::HandsOff(why));
    }
    Verdict::Ghost(Way::ThroughGroup(group.clone()))
}
