//! Plans: what waits for a person, what is under way, and what became of the last ones.

use super::shared;
use crate::ask::{Answer, Ask};
use crate::fleet::fleet;
use crate::show;
use crate::view::Page;
use domain::optimization::{Proposal, ProposalState};

/// How many of the last runs are looked through for what became of their plans.
const RUNS: usize = 20;
/// How many plans of them are shown.
const PLANS: usize = 25;

/// `GET /console/plans`.
///
/// # Errors
/// The table did not answer.
pub async fn list(ask: Ask) -> Answer {
    let fleet = fleet(&ask.deps, &ask.session.customer).await?;
    let open: Vec<&Proposal> = fleet.clusters.iter().flat_map(|brief| &brief.open).collect();
    let (waiting, running): (Vec<_>, Vec<_>) =
        open.into_iter().partition(|proposal| matches!(proposal.state, ProposalState::Waiting { .. }));
    let mut over = Vec::new();
    'runs: for run in shared::runs(&ask, None, RUNS).await? {
        for recommendation in &run.recommendations {
            if over.len() >= PLANS {
                break 'runs;
            }
            let proposal = ask.deps.optimizations.proposal(&ask.session.customer, &recommendation.plan).await?;
            over.extend(proposal.filter(|proposal| !proposal.state.open()));
        }
    }
    let lead = format!("A plan names every node that goes and every one that comes. Open ones were read {}.", show::ago(ask.now, fleet.at));
    let page = Page::new("plans", "Plans", lead)
        .live(5)
        .with(
            shared::proposals_table("waiting", "Waiting for a person", waiting, ask.now)
                .empty("Nothing waits. Plans come here when a cluster's mode is `approve`, and wait for a day."),
        )
        .with(shared::proposals_table("running", "Agreed to or under way", running, ask.now).empty("Nothing is under way."))
        .with(shared::proposals_table("over", "Of the last rounds", &over, ask.now).empty("No plan of the last rounds is over."));
    ask.page(page).await
}
