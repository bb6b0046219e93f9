//! What more than one page shows.

use crate::ask::Ask;
use crate::failure::Failure;
use crate::fleet::fleet;
use crate::show;
use crate::view::{Cell, Chart, Column, Field, Form, Line, Page, Part, Style, Table, Tone};
use crate::words;
use domain::Timestamp;
use domain::ids::ClusterId;
use domain::money::MicroDollars;
use domain::optimization::{Proposal, ProposalState, Run};
use domain::savings::Hour;

/// More names than these are not offered in a list: the page of clusters finds them.
const CHOICES_MAX: usize = 100;
/// How many of a customer's newest runs are read for one page.
const RUNS_READ: usize = 40;
/// How many of them are looked through for those of one cluster, beside what it remembers by name.
const RUNS_BESIDE: usize = 12;

/// A page for somebody who has no cluster yet.
pub fn no_cluster(page: Page) -> Page {
    page.with(Part::Note(
        Tone::Plain,
        "No cluster is registered yet. Register one with POST /api/v1/admin/clusters; its first look comes within a minute.".to_owned(),
    ))
}

/// A chooser of clusters, with what else the address holds.
///
/// # Errors
/// The table did not answer.
pub async fn chooser(ask: &Ask, path: &str, chosen: &ClusterId) -> Result<Part, Failure> {
    let fleet = fleet(&ask.deps, &ask.session.customer).await?;
    let form = Form::new(path, "Show").tone(Tone::Quiet);
    let field = if fleet.clusters.len() <= CHOICES_MAX {
        let mut options: Vec<(String, String)> = fleet
            .clusters
            .iter()
            .map(|brief| (brief.cluster.id.to_string(), format!("{} ({})", brief.cluster.name, brief.cluster.region)))
            .collect();
        if !options.iter().any(|(id, _)| id == chosen.as_str()) {
            options.push((chosen.to_string(), chosen.to_string()));
        }
        Field::choice("cluster", "Cluster", chosen.as_str(), options)
    } else {
        Field::text("cluster", "Cluster id", chosen.as_str())
    };
    Ok(Part::Pick(form.field(field)))
}

/// The newest runs of a cluster, or of all.
///
/// # Errors
/// The table did not answer.
pub async fn runs(ask: &Ask, cluster: Option<&ClusterId>, limit: usize) -> Result<Vec<Run>, Failure> {
    let newest = |most: usize| ask.deps.optimizations.runs(&ask.session.customer, None, limit.min(most));
    let Some(id) = cluster else { return Ok(newest(RUNS_READ).await?.items) };
    // Of a thousand clusters this one's are seldom among the newest. Those that were answered it remembers by name; those that were not
    // stand in the list only.
    let (newest, named) = tokio::join!(newest(RUNS_BESIDE), named_runs(ask, id, limit));
    let mut found = named?;
    found.extend(newest?.items.into_iter().filter(|run| run.cluster == *id));
    found.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.id.cmp(&b.id)));
    found.dedup_by(|a, b| a.id == b.id);
    found.truncate(limit);
    Ok(found)
}

async fn named_runs(ask: &Ask, cluster: &ClusterId, limit: usize) -> Result<Vec<Run>, Failure> {
    let standing = ask.deps.optimizations.standing(&ask.session.customer, cluster).await?;
    let named = standing.runs.get(..limit.min(standing.runs.len())).unwrap_or_default();
    if named.is_empty() {
        return Ok(Vec::new());
    }
    Ok(ask.deps.optimizations.named_runs(&ask.session.customer, named).await?)
}

/// The part of a list that a page shows.
pub struct Cut {
    /// Where it begins.
    pub from: usize,
    /// Where it ends.
    pub until: usize,
    /// The address of the part behind it.
    pub next: Option<String>,
}

/// So many rows from where `from` says, and the next ones under the same parameters; a file holds all of the list.
pub fn cut(ask: &Ask, rows: usize, all: usize, keep: &[&str]) -> Cut {
    if ask.get("csv").is_some() {
        return Cut { from: 0, until: all, next: None };
    }
    let from = ask.get("from").and_then(|from| from.parse().ok()).unwrap_or(0).min(all);
    let until = all.min(from + rows);
    let next = (until < all).then(|| {
        let kept = keep.iter().filter_map(|name| ask.get(name).map(|value| (*name, value.to_owned())));
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(kept.chain([("from", until.to_string())])).finish();
        format!("{}?{query}", ask.path)
    });
    Cut { from, until, next }
}

/// The plans of some runs, in their order, with the run of each; at most so many plans are looked at.
///
/// # Errors
/// The table did not answer.
pub async fn plans_of<'a>(ask: &Ask, runs: &'a [Run], most: usize) -> Result<Vec<(&'a Run, Proposal)>, Failure> {
    let named = runs.iter().flat_map(|run| run.recommendations.iter().map(move |one| (run, &one.plan))).take(most);
    let read = named.map(|(run, plan)| async move {
        let proposal = ask.deps.optimizations.proposal(&ask.session.customer, plan).await?;
        Ok::<_, Failure>(proposal.map(|proposal| (run, proposal)))
    });
    Ok(futures::future::try_join_all(read).await?.into_iter().flatten().collect())
}

/// Runs as a table.
pub fn runs_table(id: &'static str, title: &str, runs: &[Run], now: Timestamp) -> Table {
    let columns = [
        Column::text("When"),
        Column::text("Cluster"),
        Column::text("Decision"),
        Column::text("Outcome"),
        Column::number("Plans", ""),
        Column::number("Would save", "USD/h"),
        Column::text("Why not more"),
    ];
    let rows = runs.iter().map(|run| {
        let (word, tone) = words::run(run.status);
        vec![
            Cell::ago(now, run.at),
            Cell::link(run.cluster.to_string(), format!("/console/clusters/{}", run.cluster)),
            Cell::link(words::decision(run.decision), format!("/console/decisions/{}", run.id))
                .beneath(format!("asked by {}", run.asked_by)),
            Cell::mark(word, tone).beneath(format!("mode {}", words::mode(run.mode))),
            Cell::count(run.recommendations.len()),
            Cell::hourly(run.estimated_saving),
            Cell::text(run.why.as_deref().map_or_else(|| "Nothing stood in the way.".to_owned(), show::sentence)),
        ]
    });
    Table::new(id, title)
        .columns(columns)
        .rows(rows)
        .empty("No round has run yet. Each cluster has one every ten minutes, or when somebody asks.")
}

/// Proposals as a table.
pub fn proposals_table<'a>(id: &'static str, title: &str, proposals: impl IntoIterator<Item = &'a Proposal>, now: Timestamp) -> Table {
    let columns = [
        Column::text("Plan"),
        Column::text("Cluster"),
        Column::text("State"),
        Column::number("Nodes that go", ""),
        Column::number("Saves", "USD/h"),
        Column::text("Time left"),
    ];
    let rows = proposals.into_iter().map(|proposal| {
        let (word, tone) = words::proposal(&proposal.state);
        let plan = &proposal.plan;
        let left = match &proposal.state {
            ProposalState::Waiting { until } => show::ahead(now, *until),
            ProposalState::Approved { .. } | ProposalState::Opened => show::ahead(now, plan.deadline),
            ProposalState::Recommended
            | ProposalState::Rejected { .. }
            | ProposalState::Expired
            | ProposalState::Stale { .. }
            | ProposalState::Ended { .. } => "–".to_owned(),
        };
        vec![
            Cell::link(plan.reason.clone(), format!("/console/plans/{}", plan.key.plan))
                .beneath(format!("made {}", show::ago(now, plan.created_at))),
            Cell::link(plan.key.cluster.to_string(), format!("/console/clusters/{}", plan.key.cluster)),
            Cell::mark(word, tone),
            Cell::count(plan.stakes.as_ref().map_or(0, |stakes| stakes.nodes.len())),
            Cell::hourly(plan.expected_saving),
            Cell::text(left),
        ]
    });
    Table::new(id, title).columns(columns).rows(rows)
}

/// Dollars as a chart wants them. For drawing only: nothing is reckoned with it.
pub fn dollars(amount: MicroDollars) -> f64 {
    amount.0 as f64 / 1e6
}

/// Cost against the baseline, hour by hour.
pub fn hours_chart(title: &str, hours: &[Hour], age: String, marks: Vec<(i64, String)>) -> Chart {
    let line = |name, class, of: fn(&Hour) -> MicroDollars| Line {
        name,
        class,
        values: hours.iter().map(|hour| Some(dollars(of(hour)))).collect(),
        steps: false,
        dashed: class == "quiet",
    };
    Chart {
        title: title.to_owned(),
        unit: "USD per hour",
        age,
        times: hours.iter().map(|hour| hour.begins.as_second()).collect(),
        lines: vec![
            line("cost", "one", |hour| hour.cost),
            line("baseline for this work", "quiet", |hour| hour.expected),
            line("realised saving", "two", Hour::realised_sum),
        ],
        marks,
        style: Style::default(),
    }
}
