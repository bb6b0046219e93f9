//! Why a plan is agreed to as a whole, and what to do about a node of it that should stay.
//!
//! A part of a plan cannot be shown to be safe from what the plan holds. Where nodes come, they were chosen for the pods of all that go.
//! Where none comes, the pods of a part do have room, but rules between pods (spread over zones, affinity, anti-affinity) were held
//! against a cluster in which all of them had moved, and the plan does not hold where each pod was placed. A new round over what is left
//! is the same check as ever, over the cluster as it then is.

use crate::view::Part;
use domain::plan::{Action, Plan};

/// The title of it.
pub const TITLE: &str = "Why it is one decision";

/// Sentences on why it is whole; `None`: there is nothing to leave out.
pub fn why(plan: &Plan) -> Option<Part> {
    let go = plan.stakes.as_ref()?.nodes.len();
    let come = plan.steps.iter().filter(|step| matches!(step.action, Action::LaunchNode { .. })).count();
    let reason = match (go, come) {
        (..2, 0) | (0, _) => return None,
        (1, 1) => "One node takes the place of one: neither half stands alone.".to_owned(),
        (_, 0) => format!(
            "The {go} nodes go together. Their pods were placed as if all of them had moved; where one node stays, what spreads over zones or keeps away from \
             other pods may find no such place, and the plan does not hold where each pod was to go. So no part of it is known to be safe by itself."
        ),
        _ => format!(
            "What comes was chosen for the pods of all that go: {go} and {come}. With a node less on either side pods find no room, or the saving is not what was promised."
        ),
    };
    let instead = "To keep a node out of it: annotate the node `karpenter.sh/do-not-disrupt: \"true\"`, dismiss this plan, and ask for a round on the page of the \
                   cluster. The next plan is made, and checked, without that node."
        .to_owned();
    let others = "Other plans of the round stand by themselves: each can be approved or dismissed without the others.".to_owned();
    Some(Part::List(TITLE.to_owned(), vec![reason, instead, others]))
}
