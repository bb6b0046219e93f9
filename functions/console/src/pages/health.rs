//! Health: what works, what is old, what waits too long. As far as the table and the decision server tell.

use crate::ask::{Answer, Ask};
use crate::fleet::{Fleet, fleet};
use crate::show;
use crate::view::{Card, Cell, Column, Page, Table, Tone, aged};
use crate::words;
use domain::market::Part as MarketPart;
use domain::tenant::ClusterStatus;
use domain::{SignedDuration, Timestamp};
use http::{Method, Request};
use std::collections::BTreeSet;

/// A token that ends within this time is spoken of.
const SOON: SignedDuration = SignedDuration::from_hours(72);
/// A round is late after this time: twice the interval, and some time to decide.
const LATE: SignedDuration = SignedDuration::from_mins(25);

/// One check.
struct Check(&'static str, Tone, String);

/// `GET /console/health`.
///
/// # Errors
/// The table did not answer.
pub async fn show(ask: Ask) -> Answer {
    let fleet = fleet(&ask.deps, &ask.session.customer).await?;
    let (engine, market, rounds, lanes) = tokio::join!(engine(&ask), market(&ask, &fleet), rounds(&ask), lanes(&ask));
    let mut checks = vec![Check("Table", Tone::Good, "answers: this page was read from it".to_owned()), engine];
    checks.extend(market?);
    checks.extend([plans(&fleet, ask.now), rounds?, lanes?]);
    let bad = checks.iter().filter(|check| check.1 != Tone::Good).count();
    let cards =
        vec![
            Card::new("Checks that are fine", format!("{} of {}", checks.len() - bad, checks.len()), "made for this page")
                .tone(if bad == 0 { Tone::Good } else { Tone::Warn }),
            Card::new("Clusters read", show::grouped(fleet.clusters.len().try_into().unwrap_or_default()), show::ago(ask.now, fleet.at)),
        ];
    let rows = checks.into_iter().map(|Check(name, tone, says)| {
        let word = if tone == Tone::Good { "fine" } else { "needs a look" };
        vec![Cell::text(name), Cell::mark(word, tone), Cell::text(says)]
    });
    let table = Table::new("checks", "Checks").columns(["What", "State", "What is known"].map(Column::text)).rows(rows);
    let lead = "What works, what is old and what waits too long. Depths of queues and errors of functions are CloudWatch's: the stack's alarms watch them.";
    ask.page(Page::new("health", "Health", lead).live(10).with(cards).with(table).with(sick(&fleet, ask.now))).await
}

async fn engine(ask: &Ask) -> Check {
    let name = "Decision server";
    let Some(server) = &ask.deps.ml else {
        return Check(name, Tone::Warn, "none is set up: nothing is optimised, interruptions are handled as ever".to_owned());
    };
    let Ok(request) = Request::builder().method(Method::GET).uri("/api/v1/ml/health").body(Vec::new()) else {
        return Check(name, Tone::Warn, "could not be asked".to_owned());
    };
    match server.send(request).await {
        Ok(answer) if answer.status.is_success() => {
            let document: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            Check(name, Tone::Good, format!("answers as {}", document["engine"].as_str().unwrap_or("an engine without a name")))
        }
        Ok(answer) => Check(name, Tone::Bad, format!("answers {}", answer.status)),
        Err(error) => Check(name, Tone::Bad, format!("{error}: nothing is optimised, interruptions are handled as ever")),
    }
}

async fn market(ask: &Ask, fleet: &Fleet) -> Result<Vec<Check>, crate::failure::Failure> {
    let regions: BTreeSet<_> = fleet.clusters.iter().map(|brief| &brief.cluster.region).collect();
    let mut checks = Vec::new();
    for region in regions {
        let read = ask.deps.market.refreshed(region).await?.at(MarketPart::SpotPrices);
        // The most that can be set, and a look that failed.
        let late = MarketPart::SpotPrices.interval() + MarketPart::SpotPrices.interval();
        let fresh = read.is_some_and(|at| ask.now.duration_since(at) <= late);
        checks.push(Check("Spot prices", if fresh { Tone::Good } else { Tone::Warn }, format!("{region}: read {}", aged(ask.now, read))));
    }
    Ok(checks)
}

/// Plans of this customer whose time to be looked at has passed long ago: nobody works on them.
fn plans(fleet: &Fleet, now: Timestamp) -> Check {
    let tone = if fleet.overdue == 0 { Tone::Good } else { Tone::Bad };
    let said = format!(
        "{} overdue by more than three minutes, as of {}; the sweeper looks each minute",
        show::count_of(fleet.overdue, "plan"),
        show::ago(now, fleet.sums_at)
    );
    Check("Plans", tone, said)
}

async fn rounds(ask: &Ask) -> Result<Check, crate::failure::Failure> {
    let last = ask.deps.optimizations.runs(&ask.session.customer, None, 1).await?.items.into_iter().next();
    let at = last.map(|run| run.at);
    let fine = at.is_some_and(|at| ask.now.duration_since(at) <= LATE);
    Ok(Check("Rounds", if fine { Tone::Good } else { Tone::Warn }, format!("the last decision: {}", aged(ask.now, at))))
}

async fn lanes(ask: &Ask) -> Result<Check, crate::failure::Failure> {
    let targets = ask.deps.outbox.targets(&ask.session.customer).await?;
    let lanes = targets.iter().map(|target| async move { ask.deps.outbox.lane(&target.lane()).await.map(|lane| (target, lane)) });
    let lanes = futures::future::try_join_all(lanes).await?;
    let stuck: Vec<&str> = lanes.iter().filter(|(_, lane)| lane.attempts > 0).map(|(target, _)| target.label.as_str()).collect();
    Ok(match (targets.len(), stuck.is_empty()) {
        (0, _) => Check("Notices", Tone::Warn, "no target is set: nobody is told of anything".to_owned()),
        (count, true) => Check("Notices", Tone::Good, format!("{}, none fails", show::count_of(count, "target"))),
        (_, false) => Check("Notices", Tone::Warn, format!("sending fails: {}", stuck.join(", "))),
    })
}

fn sick(fleet: &Fleet, now: Timestamp) -> Table {
    let rows = fleet.clusters.iter().filter_map(|brief| {
        let cluster = &brief.cluster;
        let ends = cluster.k8s_token_expires_at.filter(|end| *end < now + SOON);
        let (word, tone) = words::status(cluster.status);
        let why = match (cluster.status, ends) {
            (_, Some(end)) => format!("Its token is over {}.", show::ahead(now, end)),
            (ClusterStatus::Connected, None) => return None,
            (ClusterStatus::Connecting | ClusterStatus::NotResponding | ClusterStatus::NeedsToken, None) => {
                show::sentence(&cluster.status_reason)
            }
        };
        Some(vec![
            Cell::link(cluster.name.clone(), format!("/console/clusters/{}", cluster.id)),
            Cell::mark(word, tone),
            Cell::text(why),
            Cell::text(aged(now, cluster.seen_at)),
        ])
    });
    let columns = ["Cluster", "State", "Why", "Seen"].map(Column::text);
    Table::new("clusters", "Clusters that somebody should look at")
        .columns(columns)
        .rows(rows.take(100))
        .empty("None: every cluster answers, and no token ends within three days.")
}
