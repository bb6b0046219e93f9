//! The decision explorer: of each round what was done and what was not, node by node, why, and what would have to change.

use super::shared;
use crate::ask::{Answer, Ask};
use crate::failure::Failure;
use crate::show;
use crate::view::{Card, Cell, Column, Field, Form, Page, Part, Table, Tone, aged};
use crate::words;
use axum::extract::Path;
use domain::decision::Untouched;
use domain::ids::RunId;
use domain::optimization::Run;

/// How many runs of a cluster are looked through for a node.
const RUNS: usize = 30;

/// `GET /console/decisions`: `cluster`, and `node` for the story of one node.
///
/// # Errors
/// The table did not answer.
pub async fn list(ask: Ask) -> Answer {
    let page =
        Page::new("decisions", "Decisions", "Every round looks at every node. Each has its reason: open a round, or ask for one node.");
    let Some(cluster) = ask.cluster_or_first().await? else {
        return ask.page(shared::no_cluster(page)).await;
    };
    let runs = shared::runs(&ask, Some(&cluster.id), RUNS).await?;
    let node = ask.get("node").unwrap_or_default().to_owned();
    let find = Form::new("/console/decisions", "Why this node?")
        .tone(Tone::Quiet)
        .field(Field::text("cluster", "Cluster id", cluster.id.as_str()))
        .field(Field::text("node", "Node", node.clone()));
    let mut page = page.with(Part::Pick(find));
    if !node.is_empty() {
        page = page.with(story(&node, &runs, &ask));
    } else if let Some(last) = runs.iter().find(|run| !run.untouched.is_empty()) {
        let title = format!("Left as they are: {} round of {}", words::decision(last.decision), show::utc(last.at));
        page = page.with(untouched("untouched", &title, last).age(aged(ask.now, Some(last.at))));
    }
    ask.page(page.with(shared::runs_table("runs", "Rounds, newest first", &runs, ask.now))).await
}

/// What the last rounds said of one node.
fn story(node: &str, runs: &[Run], ask: &Ask) -> Table {
    let columns = ["When", "Decision", "Verdict", "Why", "What would have to change"].map(Column::text);
    let rows = runs.iter().flat_map(|run| {
        let head = |mark: Cell, why: String, change: String| {
            vec![
                Cell::ago(ask.now, run.at),
                Cell::link(words::decision(run.decision), format!("/console/decisions/{}", run.id)),
                mark,
                Cell::text(why),
                Cell::text(change),
            ]
        };
        let left = run.untouched.iter().filter(|left| left.node.as_str() == node);
        let left = left.map(move |left| {
            let (word, change) = words::why_not(left.code);
            head(Cell::mark(word, Tone::Quiet), show::sentence(&left.why), change.to_owned())
        });
        let goes = run.recommendations.iter().filter(|it| it.remove.iter().any(|name| name.as_str() == node));
        let goes = goes.map(move |it| {
            head(
                Cell::mark("should go", Tone::Good),
                it.why.clone(),
                format!("It saves {}. Its plan is {}.", show::hourly(it.saving_per_hour), it.plan),
            )
        });
        let refused = run.refused.iter().filter(|it| it.nodes.iter().any(|name| name.as_str() == node));
        let refused = refused.map(move |it| {
            let why: Vec<&str> = it.blocked.iter().map(|note| note.why.as_str()).collect();
            head(Cell::mark("blocked by the safety check", Tone::Warn), why.join(" "), "What the check names is no more.".to_owned())
        });
        left.chain(goes).chain(refused).collect::<Vec<_>>()
    });
    Table::new("story", format!("Node {node}"))
        .columns(columns)
        .rows(rows)
        .empty("None of the last rounds names this node. Check its name, or run a round of its cluster.")
}

fn untouched(id: &'static str, title: &str, run: &Run) -> Table {
    let columns = ["Node", "Reason", "Object", "Why", "What would have to change"].map(Column::text);
    let row = |left: &Untouched| {
        let (word, change) = words::why_not(left.code);
        vec![
            Cell::link(left.node.to_string(), format!("/console/decisions?cluster={}&node={}", run.cluster, left.node)),
            Cell::mark(word, Tone::Quiet),
            Cell::text(left.object.clone().unwrap_or_else(|| "–".to_owned())),
            Cell::text(show::sentence(&left.why)),
            Cell::text(change),
        ]
    };
    Table::new(id, title).columns(columns).rows(run.untouched.iter().map(row)).empty("No node was left as it is.")
}

/// `GET /console/decisions/{id}`.
///
/// # Errors
/// It is not theirs, or the table did not answer.
pub async fn show(Path(id): Path<String>, ask: Ask) -> Answer {
    let id = RunId::parse(id).map_err(|_| Failure::Absent("decision"))?;
    let run = ask.deps.optimizations.run(&ask.session.customer, &id).await?.ok_or(Failure::Absent("decision"))?;
    let title = format!("{} in {}", words::decision(run.decision), run.cluster);
    let lead = run.why.as_deref().map_or_else(|| "Nothing stood in the way of more.".to_owned(), show::sentence);
    let mut page = Page::new("decisions", title, lead).with(cards(&run, &ask));
    if !run.reasons.is_empty() {
        page = page.with(Part::List("What the answer is made of".to_owned(), run.reasons.clone()));
    }
    let goes = run.recommendations.iter().map(|it| {
        let nodes: Vec<String> = it.remove.iter().map(ToString::to_string).collect();
        vec![
            Cell::link(nodes.join(", "), format!("/console/plans/{}", it.plan)),
            Cell::count(it.launch),
            Cell::hourly(it.saving_per_hour),
            Cell::text(it.why.clone()),
        ]
    });
    let columns =
        [Column::text("Nodes that go"), Column::number("Nodes that come", ""), Column::number("Saves", "USD/h"), Column::text("Why")];
    let goes = Table::new("moves", "Moves that passed every check").columns(columns).rows(goes).empty("None.");
    let refused = run.refused.iter().flat_map(|it| {
        let nodes: Vec<String> = it.nodes.iter().map(ToString::to_string).collect();
        let nodes = nodes.join(", ");
        it.blocked.iter().map(move |note| vec![Cell::text(nodes.clone()), Cell::text(note.object.clone()), Cell::text(note.why.clone())])
    });
    let refused = Table::new("refused", "Moves that the safety check blocked")
        .columns(["Nodes", "Object", "Why"].map(Column::text))
        .rows(refused)
        .empty("None.");
    page = page.with(goes).with(refused).with(untouched("untouched", "Nodes that are left as they are", &run));
    if !run.rejected.is_empty() {
        page = page.with(Part::List("Considered and rejected".to_owned(), run.rejected.clone()));
    }
    ask.page(page).await
}

fn cards(run: &Run, ask: &Ask) -> Vec<Card> {
    let (word, tone) = words::run(run.status);
    let left: u32 = run.untouched_counts.values().sum();
    let of = run.snapshot_at.map_or_else(|| "no snapshot".to_owned(), |at| format!("snapshot of {}", show::utc(at)));
    vec![
        Card::new("Outcome", word, show::ago(ask.now, run.at)).beneath(format!("mode {}", words::mode(run.mode))).tone(tone),
        Card::new("Cost before", show::hourly(run.cost_before), of.clone()),
        Card::new("Cost after", show::hourly(run.cost_after), "if every move is made"),
        Card::new("Lower bound", show::hourly(run.lower_bound), "no placement costs less"),
        Card::new("Left as they are", left.to_string(), "nodes, each with its reason"),
        Card::new("Engine", run.engine.clone(), format!("asked by {}", run.asked_by)),
    ]
}
