//! One cluster: how far it is on its way in, and what happens in it.

use super::{rights, shared};
use crate::ask::{Act, Answer, Ask};
use crate::failure::Failure;
use crate::show;
use crate::view::{Card, Cell, Column, Field, Form, Page, Part, Table, Tone, acts, aged, rate};
use crate::words;
use axum::extract::Path;
use domain::SignedDuration;
use domain::optimization::Run;
use domain::policy::Mode;
use domain::savings::{Baseline, Hour, hour_of};
use domain::tenant::{Cluster, ClusterStatus, Role};

/// `GET /console/clusters/{id}`.
///
/// # Errors
/// It is not theirs, or the table did not answer.
pub async fn show(Path(id): Path<String>, ask: Ask) -> Answer {
    let cluster = ask.cluster(&id).await?;
    let deps = &ask.deps;
    let from = hour_of(ask.now) - SignedDuration::from_hours(24);
    let (baseline, hours, open, targets, events, rights) = tokio::join!(
        deps.ledger.baseline(&cluster.customer, &cluster.id),
        deps.ledger.hours(&cluster.customer, &cluster.id, from, 25),
        deps.optimizations.open_proposals(&cluster.customer, &cluster.id),
        deps.outbox.targets(&cluster.customer),
        deps.journal.spot_events(&cluster.customer, None, 50),
        rights::read(&ask, &cluster)
    );
    let (baseline, hours, open) = (baseline?, hours?, open?);
    let heard = events?.iter().any(|event| event.cluster == cluster.id);
    let runs = shared::runs(&ask, Some(&cluster.id), 12).await?;
    let lead = format!("{} in {}, account {}. {}", cluster.id, cluster.region, cluster.account, show::sentence(&cluster.status_reason));
    let mut page = Page::new("clusters", cluster.name.clone(), lead).live(5).with(cards(&cluster, hours.last(), &ask));
    if acts(&ask) {
        page = page.with(Part::Forms(vec![round_form(&cluster), rights::form(&cluster)]));
    }
    let steps = Steps { cluster: &cluster, baseline: baseline.as_ref(), runs: &runs, told: !targets?.is_empty(), heard };
    page = page
        .with(steps.table(&ask))
        .with(rights?.table(ask.now))
        .with(shared::proposals_table("plans", "Plans", &open, ask.now).empty("Nothing waits and nothing is under way."))
        .with(shared::runs_table("runs", "Decisions, newest first", &runs, ask.now));
    ask.page(page).await
}

fn round_form(cluster: &Cluster) -> Form {
    let choice = vec![("real".to_owned(), "as its modes say".to_owned()), ("dry".to_owned(), "only decide and record".to_owned())];
    Form::new("/console/clusters/round", "Run a round now")
        .says("The cluster is looked at and decided on; what its modes do not allow is not done.")
        .field(Field::hidden("cluster", cluster.id.as_str()))
        .field(Field::choice("how", "How far", "real", choice))
}

fn cards(cluster: &Cluster, last: Option<&Hour>, ask: &Ask) -> Vec<Card> {
    let (word, tone) = words::status(cluster.status);
    let age = aged(ask.now, last.map(|hour| hour.seen_at));
    let amount = |of: fn(&Hour) -> domain::money::MicroDollars| last.map(of).unwrap_or_default();
    vec![
        Card::new("State", word, format!("seen {}", aged(ask.now, cluster.seen_at))).tone(tone),
        Card::new("Nodes", cluster.node_count.to_string(), format!("seen {}", aged(ask.now, cluster.seen_at))),
        rate("Cost", amount(|hour| hour.cost), age.clone()).href(format!("/console/cost?cluster={}", cluster.id)),
        rate("Realised saving", amount(Hour::realised_sum), age.clone())
            .tone(Tone::Good)
            .href(format!("/console/savings?cluster={}", cluster.id)),
        rate("Available", amount(|hour| hour.estimated), age).beneath("estimated, nothing done yet"),
    ]
}

/// What an own way in is made of, as far as the table knows it.
struct Steps<'a> {
    cluster: &'a Cluster,
    baseline: Option<&'a Baseline>,
    runs: &'a [Run],
    told: bool,
    heard: bool,
}

impl Steps<'_> {
    fn table(&self, ask: &Ask) -> Table {
        let cluster = self.cluster;
        let expired = cluster.k8s_token_expires_at.is_some_and(|end| end <= ask.now);
        let token = match (&cluster.k8s_token, cluster.k8s_token_expires_at) {
            (None, _) => "No token is stored: EKS is asked through the role of the account.".to_owned(),
            (Some(_), Some(end)) => format!("A sealed token, over {}.", crate::show::ahead(ask.now, end)),
            (Some(_), None) => "A sealed token that does not say when it ends.".to_owned(),
        };
        let policy = &cluster.policy.optimization;
        let beyond = [policy.spot, policy.bin_packing, policy.rightsizing].iter().any(|mode| *mode > Mode::Observe);
        let frozen = self.baseline.map_or_else(
            || "Frozen when a round sees nodes, pods, instances and prices whole.".to_owned(),
            |baseline| {
                format!(
                    "{} for {} nodes, frozen {}.",
                    crate::show::hourly(baseline.cost_per_hour),
                    baseline.nodes,
                    crate::show::utc(baseline.frozen_at)
                )
            },
        );
        let decided = self.runs.first().map_or_else(
            || "The first round comes within ten minutes.".to_owned(),
            |run| format!("The last one {}: {}.", crate::show::ago(ask.now, run.at), words::run(run.status).0),
        );
        let rows = [
            ("Registered", true, crate::show::utc(cluster.created_at)),
            ("Credential", cluster.status != ClusterStatus::NeedsToken && !expired, token),
            ("API server answers", cluster.status == ClusterStatus::Connected, show::sentence(&cluster.status_reason)),
            ("Nodes seen", cluster.node_count > 0, format!("{} nodes, {}.", cluster.node_count, aged(ask.now, cluster.seen_at))),
            ("Baseline frozen", self.baseline.is_some(), frozen),
            ("First decision", !self.runs.is_empty(), decided),
            (
                "Events arrive",
                self.heard,
                if self.heard {
                    "A notice of this cluster was handled."
                } else {
                    "No notice yet: until one comes, the sweeper's look each minute stands in."
                }
                .to_owned(),
            ),
            (
                "People are told",
                self.told,
                if self.told { "Notices have a target." } else { "No target of notices is set: POST /api/v1/notifications/targets." }
                    .to_owned(),
            ),
            (
                "Allowed to save",
                beyond,
                if beyond { "A mode is beyond observe." } else { "Every mode is observe: set one to approve or auto in Config." }
                    .to_owned(),
            ),
        ];
        let row = |(name, done, says): (&str, bool, String)| {
            let mark = if done { Cell::mark("done", Tone::Good) } else { Cell::mark("open", Tone::Warn) };
            vec![Cell::text(name), mark, Cell::text(says)]
        };
        let columns = ["Step", "State", "What is known"].map(Column::text);
        Table::new("onboarding", "On its way in").columns(columns).rows(rows.map(row))
    }
}

/// `POST /console/clusters/round`.
///
/// # Errors
/// It is not theirs, they may not, or everything is stopped.
pub async fn round(act: Act) -> Answer {
    act.must(Role::Operator)?;
    let cluster = act.ask.cluster(act.need("cluster")?).await?;
    let dry = match act.need("how")? {
        "real" => false,
        "dry" => true,
        _ => return Err(Failure::Refused("A round is `real` or `dry`.".to_owned())),
    };
    act.ask.deps.wishes().ask_round(&act.ask.who(), &cluster.id, &act.new_id(), Vec::new(), dry).await?;
    act.done(&format!("/console/clusters/{}", cluster.id), "round")
}
