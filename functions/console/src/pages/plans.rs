//! Plans: what waits for a person, what is under way, and what became of the last ones.

use super::shared;
use crate::ask::{Act, Answer, Ask};
use crate::failure::Failure;
use crate::fleet::fleet;
use crate::show;
use crate::trail::changed;
use crate::view::{Cell, Column, Field, Form, Page, Table, acts};
use domain::optimization::{Proposal, ProposalState};
use domain::tenant::Role;
use serde_json::{Map, Value, json};

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
    let runs = shared::runs(&ask, None, RUNS).await?;
    let over: Vec<Proposal> = shared::plans_of(&ask, &runs, PLANS)
        .await?
        .into_iter()
        .map(|(_, proposal)| proposal)
        .filter(|proposal| !proposal.state.open())
        .collect();
    let lead = format!("A plan names every node that goes and every one that comes. Open ones were read {}.", show::ago(ask.now, fleet.at));
    let page = Page::new("plans", "Plans", lead)
        .live(5)
        .with(waiting_table(waiting, &ask))
        .with(shared::proposals_table("running", "Agreed to or under way", running, ask.now).empty("Nothing is under way."))
        .with(shared::proposals_table("over", "Of the last rounds", &over, ask.now).empty("No plan of the last rounds is over."));
    ask.page(page).await
}

/// Plans that wait. Each stands for itself, so some of them can be agreed to and others not.
fn waiting_table(waiting: Vec<&Proposal>, ask: &Ask) -> Table {
    let names: Vec<(String, String)> =
        waiting.iter().map(|proposal| (format!("pick-{}", proposal.plan.key.plan), format!("Choose: {}", proposal.plan.reason))).collect();
    let table = shared::proposals_table("waiting", "Waiting for a person", waiting, ask.now)
        .empty("Nothing waits. Plans come here when a cluster's mode is `approve`, and wait for a day.");
    if !acts(ask) || names.is_empty() {
        return table;
    }
    let mut table = table;
    table.columns.insert(0, Column::text("Choose"));
    for (row, (name, what)) in table.rows.iter_mut().zip(names) {
        row.insert(0, Cell::default().choose(name, what));
    }
    let form = Form::new("/console/plans/approve-chosen", "Approve the chosen")
        .says("Each plan stands for itself: what is not chosen goes on waiting.")
        .field(Field::hidden("wish", format!("{:032x}", (ask.deps.ids)())));
    table.form(Some(form))
}

/// `POST /console/plans/approve-chosen`: a field `pick-<plan>` for each.
///
/// # Errors
/// They may not, none is chosen, or one of them was not taken: those before it are.
pub async fn approve_chosen(act: Act) -> Answer {
    act.must(Role::Operator)?;
    let chosen: Vec<&str> = act.form.keys().filter_map(|name| name.strip_prefix("pick-")).collect();
    if chosen.is_empty() {
        return Err(Failure::Refused("No plan is chosen.".to_owned()));
    }
    let (wishes, who, wish) = (act.ask.deps.wishes(), act.ask.who(), act.new_id());
    let (mut was, mut is) = (Map::new(), Map::new());
    for (number, plan) in chosen.into_iter().enumerate() {
        let proposal = wishes.approve(&who, plan, &format!("{wish}-{number}"), false).await?;
        was.insert(plan.to_owned(), json!(proposal.state));
        is.insert(plan.to_owned(), json!(wishes.proposal(&who, plan).await.ok().map(|after| after.state)));
        act.ask.deps.fleets.changed(&who.customer, &proposal.plan.key.cluster);
    }
    Ok(changed(act.done("/console/plans", "chosen")?, Value::Object(was), Value::Object(is)))
}
