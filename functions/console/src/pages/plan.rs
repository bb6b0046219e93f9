//! One plan: node by node, step by step, with what speaks for it, and a person's word on it.

use super::whole;
use crate::ask::{Act, Answer, Ask};
use crate::failure::Failure;
use crate::show;
use crate::trail::changed;
use crate::view::{Card, Cell, Column, Field, Form, Page, Part, Table, Tone, acts, rate};
use crate::words;
use axum::extract::Path;
use domain::optimization::{Proposal, ProposalState, Run};
use domain::plan::stakes::saved;
use domain::plan::{Action, Effect, Outcome, PlanRecord, Status};
use domain::tenant::Role;
use serde_json::json;

/// `GET /console/plans/{id}`.
///
/// # Errors
/// It is not theirs, or the table did not answer.
pub async fn show(Path(id): Path<String>, ask: Ask) -> Answer {
    let proposal = ask.deps.wishes().proposal(&ask.who(), &id).await?;
    let key = &proposal.plan.key;
    let (record, run, audit) =
        tokio::join!(ask.deps.journal.load(key), ask.deps.optimizations.run(&key.customer, &proposal.run), ask.deps.journal.audit(key));
    let (record, run) = (record?, run?);
    let mut page = Page::new("plans", "Plan", proposal.plan.reason.clone());
    if proposal.state.open() {
        page = page.live(2);
    }
    page = page.with(cards(&proposal, record.as_ref(), &ask)).maybe(note(&proposal, record.as_ref()));
    if acts(&ask) {
        page = page.maybe(forms(&proposal, record.as_ref(), &ask));
    }
    let waits = matches!(proposal.state, ProposalState::Recommended | ProposalState::Waiting { .. });
    page = page.with(nodes(&proposal)).maybe(waits.then(|| whole::why(&proposal.plan)).flatten());
    page = page.maybe(before_after(&proposal, run.as_ref())).with(steps(&proposal, record.as_ref(), &ask));
    if !proposal.plan.evidence.is_empty() {
        page = page.with(Part::List("What it rests on".to_owned(), proposal.plan.evidence.iter().map(|one| show::sentence(one)).collect()));
    }
    page = page.with(checks(&proposal, record.as_ref()));
    let rows = audit?.into_iter().map(|row| {
        let took =
            row.closed_at.map_or_else(|| "in flight".to_owned(), |end| format!("{} ms", end.duration_since(row.opened_at).as_millis()));
        vec![
            Cell::ago(ask.now, row.opened_at),
            Cell::text(row.action),
            Cell::text(row.result.unwrap_or_else(|| "in flight".to_owned())),
            Cell::text(took),
            Cell::text(row.asked_by),
        ]
    });
    let columns = ["When", "Call", "Result", "Took", "Asked by"].map(Column::text);
    let audit = Table::new("audit", "Every call that changes something").columns(columns).rows(rows).empty("Nothing was called yet.");
    ask.page(page.with(audit)).await
}

fn cards(proposal: &Proposal, record: Option<&PlanRecord>, ask: &Ask) -> Vec<Card> {
    let plan = &proposal.plan;
    let (word, tone) = record.map_or_else(|| words::proposal(&proposal.state), |record| words::progress(&record.progress));
    let due = match &proposal.state {
        ProposalState::Waiting { until } => Card::new("Expires", show::ahead(ask.now, *until), show::utc(*until)),
        ProposalState::Recommended
        | ProposalState::Approved { .. }
        | ProposalState::Rejected { .. }
        | ProposalState::Expired
        | ProposalState::Stale { .. }
        | ProposalState::Opened
        | ProposalState::Ended { .. } => Card::new("Deadline", show::ahead(ask.now, plan.deadline), show::utc(plan.deadline)),
    };
    let really = match &proposal.state {
        ProposalState::Ended { saved_per_hour, .. } => Some(*saved_per_hour),
        ProposalState::Opened => record.map(|record| saved(&record.plan, &record.progress)),
        ProposalState::Recommended
        | ProposalState::Waiting { .. }
        | ProposalState::Approved { .. }
        | ProposalState::Rejected { .. }
        | ProposalState::Expired
        | ProposalState::Stale { .. } => None,
    };
    let total = plan.steps.len();
    let done = record.map_or(0, |record| record.progress.steps.iter().filter(|step| step.status == Status::Done).count());
    let mut cards = vec![
        Card::new("State", word, format!("made {}", show::ago(ask.now, plan.created_at))).tone(tone),
        rate("Promised", plan.expected_saving, "estimated when it was made".to_owned()),
        Card::new("Steps done", format!("{done} of {total}"), "looks again by itself while it is open"),
        due,
    ];
    if let Some(really) = really {
        cards.insert(2, rate("Realised", really, "by what has really ended".to_owned()).tone(Tone::Good));
    }
    cards
}

/// Why it is where it is, where somebody should know.
fn note(proposal: &Proposal, record: Option<&PlanRecord>) -> Option<Part> {
    let outcome = record.and_then(|record| record.progress.outcome.as_ref().or(record.progress.unwinding.as_ref()));
    match (&proposal.state, outcome) {
        (_, Some(Outcome::Succeeded)) => Some(Part::Note(Tone::Good, "Finished: every step is done.".to_owned())),
        (_, Some(outcome)) => {
            let (word, tone) = words::ended(outcome);
            Some(Part::Note(tone, format!("{word}: {}", words::ended_why(outcome))))
        }
        (ProposalState::Approved { by, at }, None) => Some(Part::Note(
            Tone::Busy,
            format!("{by} approved it at {}. The next round looks at the cluster again, and begins if it still holds.", show::utc(*at)),
        )),
        (ProposalState::Rejected { by, at }, None) => Some(Part::Note(Tone::Quiet, format!("{by} dismissed it at {}.", show::utc(*at)))),
        (ProposalState::Stale { blocked }, None) => {
            let why: Vec<&str> = blocked.iter().map(|note| note.why.as_str()).collect();
            Some(Part::Note(Tone::Warn, format!("It does not hold any more: {}", why.join(" "))))
        }
        (ProposalState::Expired, None) => Some(Part::Note(Tone::Quiet, "Nobody said anything within a day.".to_owned())),
        (ProposalState::Recommended | ProposalState::Waiting { .. } | ProposalState::Opened | ProposalState::Ended { .. }, None) => None,
    }
}

fn forms(proposal: &Proposal, record: Option<&PlanRecord>, ask: &Ask) -> Option<Part> {
    // Between its last step and the next round a plan is over and still called opened.
    if record.is_some_and(|record| record.progress.outcome.is_some() || record.progress.unwinding.is_some()) {
        return None;
    }
    let form = |path: &str, button: &str| {
        let form = Form::new(path, button).field(Field::hidden("plan", proposal.plan.key.plan.as_str()));
        form.field(Field::hidden("wish", format!("{:032x}", (ask.deps.ids)())))
    };
    let dismiss = || form("/console/plans/reject", "Dismiss").tone(Tone::Bad).says("Nothing will come of it.");
    let forms = match &proposal.state {
        ProposalState::Waiting { .. } => {
            let says = "The cluster is looked at again first. Until an instance is ended, everything can be taken back.";
            vec![form("/console/plans/approve", "Approve").says(says), dismiss()]
        }
        ProposalState::Approved { .. } => vec![dismiss()],
        ProposalState::Opened => {
            vec![
                form("/console/plans/cancel", "Cancel and take back")
                    .tone(Tone::Bad)
                    .says("Cordons are lifted and launched nodes ended, unless an instance is ended already."),
            ]
        }
        ProposalState::Recommended
        | ProposalState::Rejected { .. }
        | ProposalState::Expired
        | ProposalState::Stale { .. }
        | ProposalState::Ended { .. } => return None,
    };
    Some(Part::Forms(forms))
}

fn nodes(proposal: &Proposal) -> Table {
    let columns = [
        Column::text("Node"),
        Column::text("Action"),
        Column::text("Pool"),
        Column::number("Pods that move", ""),
        Column::text("They request"),
        Column::number("Price", "USD/h"),
    ];
    let goes = proposal.plan.stakes.iter().flat_map(|stakes| &stakes.nodes).map(|node| {
        vec![
            Cell::link(node.node.to_string(), format!("/console/decisions?cluster={}&node={}", proposal.plan.key.cluster, node.node))
                .beneath(node.instance.to_string()),
            Cell::mark("goes", Tone::Warn),
            Cell::text(node.pool.to_string()),
            Cell::count(node.pods),
            Cell::text(format!("{}, {}", show::cpu(node.carried.cpu_millis), show::bytes(node.carried.memory_bytes))),
            Cell::hourly(node.price_per_hour),
        ]
    });
    let comes = proposal.plan.steps.iter().filter_map(|step| {
        let Action::LaunchNode { offerings, .. } = &step.action else { return None };
        let first = offerings.first()?;
        let others = offerings.len() - 1;
        Some(vec![
            Cell::text("a new node"),
            Cell::mark("comes", Tone::Good),
            Cell::text(first.pool.to_string()).beneath(format!("and {others} others, if it has no capacity")),
            Cell::text(""),
            Cell::text(""),
            Cell::hourly_or(first.price_per_hour, "unknown"),
        ])
    });
    Table::new("nodes", "Nodes that go and come").columns(columns).rows(goes).rows(comes)
}

/// The cluster before and after, by the run that made the plan.
fn before_after(proposal: &Proposal, run: Option<&Run>) -> Option<Table> {
    let run = run?;
    let stakes = proposal.plan.stakes.as_ref()?;
    let after = run.cost_before - proposal.plan.expected_saving;
    let launches = proposal.plan.steps.iter().filter(|step| matches!(step.action, Action::LaunchNode { .. })).count();
    let row = |name: &str, nodes: String, cost| {
        vec![Cell::text(name), Cell::text(nodes).figure(), Cell::hourly(cost), Cell::money(show::of_month(cost))]
    };
    let columns = [Column::text("Cluster"), Column::number("Nodes", ""), Column::number("Cost", "USD/h"), Column::number("A month", "USD")];
    let table = Table::new("before-after", "Before and after")
        .columns(columns)
        .row(row("before", "as they were".to_owned(), run.cost_before))
        .row(row("after this plan", format!("−{} +{launches}", stakes.nodes.len()), after))
        .row(row("no placement of these pods costs less than", "–".to_owned(), run.lower_bound));
    Some(table.age(run.snapshot_at.map_or_else(String::new, |at| format!("by the snapshot of {}", show::utc(at)))))
}

fn steps(proposal: &Proposal, record: Option<&PlanRecord>, ask: &Ask) -> Table {
    let columns = [
        Column::number("Step", ""),
        Column::text("What"),
        Column::text("State"),
        Column::text("After"),
        Column::text("What came of it"),
        Column::text("Took"),
    ];
    let rows = proposal.plan.steps.iter().enumerate().map(|(index, step)| {
        let state = record.and_then(|record| record.progress.steps.get(index));
        let (word, tone, why) = state.map_or(("not begun", Tone::Quiet, ""), |state| words::step(&state.status));
        let took = match state.map(|state| (state.started_at, state.ended_at)) {
            Some((Some(start), Some(end))) => show::lasting(end.duration_since(start)),
            Some((Some(start), None)) => format!("{} so far", show::lasting(ask.now.duration_since(start))),
            Some((None, _)) | None => "–".to_owned(),
        };
        let after: Vec<String> = step.after.iter().map(|before| (before + 1).to_string()).collect();
        vec![
            Cell::count(index + 1),
            Cell::text(step.action.to_string()),
            Cell::mark(word, tone),
            Cell::text(after.join(", ")),
            Cell::text(if why.is_empty() { state.map_or_else(String::new, |state| effect(&state.effect)) } else { why.to_owned() }),
            Cell::text(took),
        ]
    });
    Table::new("steps", "Steps").columns(columns).rows(rows)
}

fn effect(effect: &Effect) -> String {
    match effect {
        Effect::None => String::new(),
        Effect::Launching { offering, .. } => format!("trying {}", offering.pool),
        Effect::Launched { instance, offering } => format!("{instance}: {}", offering.pool),
        Effect::Ready { node } => format!("{node} is Ready"),
        Effect::Drained { evicted, deleted, .. } => format!("{evicted} pods left by eviction, {deleted} were deleted"),
        Effect::WasGone => "it was gone already".to_owned(),
        Effect::Scaled { from } => format!("from {from}"),
    }
}

fn checks(proposal: &Proposal, record: Option<&PlanRecord>) -> Table {
    let stale = match &proposal.state {
        ProposalState::Stale { blocked } => blocked.as_slice(),
        ProposalState::Recommended
        | ProposalState::Waiting { .. }
        | ProposalState::Approved { .. }
        | ProposalState::Rejected { .. }
        | ProposalState::Expired
        | ProposalState::Opened
        | ProposalState::Ended { .. } => &[],
    };
    let blocked = record.map_or(stale, |record| record.progress.blocked.as_slice());
    let rows =
        blocked.iter().map(|note| vec![Cell::mark("says no", Tone::Bad), Cell::text(note.object.clone()), Cell::text(note.why.clone())]);
    Table::new("checks", "Safety check")
        .columns(["Result", "Object", "Why"].map(Column::text))
        .rows(rows)
        .empty("It passed when the plan was made. It is made again before each step, and once more before an instance is ended.")
}

fn plan_of(act: &Act) -> Result<String, Failure> {
    act.must(Role::Operator)?;
    Ok(act.need("plan")?.to_owned())
}

/// `POST /console/plans/approve`.
///
/// # Errors
/// It is not theirs, they may not, or nobody is asked.
pub async fn approve(act: Act) -> Answer {
    let plan = plan_of(&act)?;
    let was = act.ask.deps.wishes().approve(&act.ask.who(), &plan, &act.new_id(), false).await?;
    said(&act, &was, "approved").await
}

/// `POST /console/plans/reject`.
///
/// # Errors
/// As [`approve`].
pub async fn reject(act: Act) -> Answer {
    let plan = plan_of(&act)?;
    let was = act.ask.deps.wishes().reject(&act.ask.who(), &plan, false).await?;
    said(&act, &was, "rejected").await
}

/// `POST /console/plans/cancel`.
///
/// # Errors
/// As [`approve`]; or it is behind its point of no return.
pub async fn cancel(act: Act) -> Answer {
    let plan = plan_of(&act)?;
    let was = act.ask.deps.wishes().cancel(&act.ask.who(), &plan, false).await?;
    said(&act, &was, "cancelled").await
}

/// What was said to a plan, and where it was and is.
async fn said(act: &Act, was: &Proposal, what: &str) -> Answer {
    let key = &was.plan.key;
    act.ask.deps.fleets.changed(&key.customer, &key.cluster);
    // It is done: a table that does not answer now must not make it look undone.
    let is = act.ask.deps.wishes().proposal(&act.ask.who(), key.plan.as_str()).await.ok().map(|proposal| proposal.state);
    Ok(changed(
        act.done(&format!("/console/plans/{}", key.plan), what)?,
        json!({ "proposal": was.state }),
        json!({ "said": what, "proposal": is }),
    ))
}
