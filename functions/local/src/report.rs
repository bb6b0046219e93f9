//! `report`: reads a cluster, changes nothing, and says what could be saved, by which plan, and what stands in the way of the rest.
//!
//! It needs no AWS account: what a node is stands in its labels, and prices are public.

use anyhow::{Context, bail};
use domain::address::Rules;
use domain::catalog::Arch;
use domain::decision::{CONTRACT_VERSION, ClusterState, Constraints, DecisionAnswer, DecisionRequest, DecisionType};
use domain::ids::{ClusterId, Region};
use domain::market::Quote;
use domain::node::NodeOwner;
use domain::offering::Pool;
use domain::policy::OptimizationPolicy;
use domain::ports::{Clock, Cluster};
use domain::snapshot::Snapshot;
use execution::survey::{Containers, Machines, Sources, look};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;

mod html;
mod kubeconfig;
mod table;
mod verdicts;

/// How the report is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// For a terminal.
    Table,
    /// Everything, for programs.
    Json,
    /// One page that needs no other file.
    Html,
}

/// What is asked for on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The kubeconfig file.
    pub kubeconfig: PathBuf,
    /// The context; `None`: the file's current one.
    pub context: Option<String>,
    /// How to print.
    pub output: Output,
}

impl Options {
    /// From the arguments behind `report`.
    ///
    /// # Errors
    /// An argument that is not known, or has no value, or `--kubeconfig` missing.
    pub fn parse(mut arguments: impl Iterator<Item = String>) -> anyhow::Result<Options> {
        let (mut kubeconfig, mut context, mut output) = (None, None, Output::Table);
        while let Some(argument) = arguments.next() {
            let (name, value) = match argument.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                None => (argument, arguments.next()),
            };
            let value = value.with_context(|| format!("{name} needs a value"))?;
            match name.as_str() {
                "--kubeconfig" => kubeconfig = Some(PathBuf::from(value)),
                "--context" => context = Some(value),
                "--output" => {
                    output = match value.as_str() {
                        "table" => Output::Table,
                        "json" => Output::Json,
                        "html" => Output::Html,
                        other => bail!("--output is table, json or html, not {other:?}"),
                    }
                }
                other => bail!("report does not know {other:?}"),
            }
        }
        Ok(Options { kubeconfig: kubeconfig.context("report needs --kubeconfig FILE")?, context, output })
    }
}

/// What the report thinks with.
pub struct Brain<'a> {
    /// The price of a pool in a Region, from public data.
    pub price: &'a (dyn Fn(&Region, &Pool) -> Option<Quote> + Send + Sync),
    /// The planner.
    pub decide: &'a (dyn Fn(&DecisionRequest) -> DecisionAnswer + Send + Sync),
}

/// Everything that is printed.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Report {
    /// The cluster, by the name of its context.
    pub cluster: ClusterId,
    /// Its Region.
    pub region: Region,
    /// In a few figures.
    pub state: ClusterState,
    /// What was taken for granted, and what could not be read: a sentence each.
    pub assumptions: Vec<String>,
    /// What each kind of plan would do, the one that saves most first.
    pub plans: Vec<Plan>,
    /// The snapshot that the plans were made from.
    #[serde(skip)]
    pub snapshot: Snapshot,
}

/// What one kind of plan would do.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Plan {
    /// Which kind.
    pub kind: DecisionType,
    /// The planner's answer.
    pub answer: DecisionAnswer,
}

/// Reads the cluster that the options name and prints the report.
///
/// # Errors
/// The file, the connection, or a cluster that is none of AWS.
pub async fn run(options: &Options, clock: &dyn Clock, brain: &Brain<'_>, out: &mut (dyn Write + Send)) -> anyhow::Result<()> {
    let path = options.kubeconfig.clone();
    let context = options.context.clone();
    // A file may name a command that prints a credential: it may take its time.
    let (name, access) = tokio::task::spawn_blocking(move || kubeconfig::read(&path, context.as_deref())).await??;
    let cluster = kubernetes::open(&access, kubernetes::Settings::default(), gate::Gate::internet(Rules::of_ones_own()))?;
    let report = make(cluster.as_ref(), &name, clock, brain).await?;
    let text = match options.output {
        Output::Table => table::print(&report),
        Output::Json => serde_json::to_string_pretty(&report)? + "\n",
        Output::Html => html::print(&report),
    };
    Ok(out.write_all(text.as_bytes())?)
}

/// Looks at the cluster and lets the planner decide.
///
/// # Errors
/// Nodes or pods could not be read, or no node names a Region of AWS.
pub async fn make(cluster: &dyn Cluster, context: &str, clock: &dyn Clock, brain: &Brain<'_>) -> anyhow::Result<Report> {
    let nodes = cluster.nodes().await?;
    let labelled = |node: &domain::node::NodeView| node.labels.get("topology.kubernetes.io/region").cloned();
    let region = nodes.iter().find_map(labelled).and_then(|region| Region::parse(region).ok());
    let region = region.context("no node names a Region (label topology.kubernetes.io/region): the report knows clusters on AWS only")?;
    let price = |pool: &Pool| (brain.price)(&region, pool);
    let progress = Progress::new();
    let sources = Sources { prices: &price, progress: &|part, count| progress.tell(part, count) };
    let id = id_of(context)?;
    let looked = look(cluster, (&id, &region), std::future::ready(Machines::Labelled), clock, &sources, Containers::Dropped).await;
    progress.done();
    let (snapshot, mut assumptions) = assume(looked?.snapshot);
    assumptions.extend(snapshot.parts.iter().filter_map(|part| Some(format!("{}: {}", part.name, part.gap.as_ref()?))));
    let kinds = [DecisionType::SpotOptimize, DecisionType::BinPack, DecisionType::Rightsize];
    let mut plans: Vec<Plan> = Vec::new();
    for kind in kinds {
        progress.tell("plans", plans.len());
        plans.push(Plan { kind, answer: (brain.decide)(&request(kind, &snapshot)) });
    }
    progress.done();
    plans.sort_by_key(|plan| std::cmp::Reverse(plan.answer.estimated_saving));
    Ok(Report { cluster: id, region, state: snapshot.state(), assumptions, plans, snapshot })
}

/// The context's name as an id: what an id cannot hold becomes a dash.
fn id_of(context: &str) -> Result<ClusterId, domain::ids::InvalidId> {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    ClusterId::parse(context.chars().map(plain).take(128).collect::<String>())
}

/// The report shows what could be, so every node counts as ours to change; what that passes over is said.
fn assume(mut snapshot: Snapshot) -> (Snapshot, Vec<String>) {
    let mut owned: Vec<(String, usize)> = Vec::new();
    for node in &mut snapshot.nodes {
        let owner = match std::mem::replace(&mut node.owner, NodeOwner::CloudOptim) {
            NodeOwner::CloudOptim => continue,
            NodeOwner::AutoScalingGroup { .. } => "Auto Scaling groups",
            NodeOwner::ManagedNodeGroup { .. } => "managed node groups",
            NodeOwner::Karpenter { .. } => "Karpenter",
        };
        match owned.iter_mut().find(|(known, _)| known == owner) {
            Some((_, count)) => *count += 1,
            None => owned.push((owner.to_owned(), 1)),
        }
    }
    let mut said: Vec<String> = owned
        .into_iter()
        .map(|(owner, count)| {
            format!("{count} nodes belong to {owner}: the plans assume that they are handed over, and would leave them alone else")
        })
        .collect();
    let estimates = snapshot.nodes.iter().filter_map(|node| node.price);
    if estimates.clone().any(|quote| matches!(quote.source, domain::market::PriceSource::PublicEstimate { .. })) {
        said.push(
            "prices come from public lists, not from your account: discounts, commitments and today's spot market are not in them".into(),
        );
    }
    if snapshot.classes.iter().any(|class| !class.arches.contains(&Arch::Arm64)) {
        said.push("pods that were not seen on arm64 are taken to run on amd64 only".to_owned());
    }
    (snapshot, said)
}

fn request(kind: DecisionType, snapshot: &Snapshot) -> DecisionRequest {
    DecisionRequest {
        version: CONTRACT_VERSION,
        request_id: format!("report-{}", kind.path()),
        cluster_id: snapshot.cluster.clone(),
        decision_type: kind,
        cluster_state: snapshot.state(),
        snapshot: snapshot.clone(),
        requirements: OptimizationPolicy::default(),
        // Nothing is carried out, so nothing has to be gentle: every node may be in a plan.
        constraints: Constraints { now: Some(snapshot.taken_at), nodes_max: u32::MAX, account: true, ..Constraints::default() },
    }
}

/// A line on standard error that says how far the reading is. Silent where nobody looks.
struct Progress(bool);

impl Progress {
    fn new() -> Self {
        Self(std::io::stderr().is_terminal())
    }

    fn tell(&self, part: &str, count: usize) {
        if self.0 {
            // Whether the line can be shown decides nothing.
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K{part}: {count} ...");
        }
    }

    fn done(&self) {
        if self.0 {
            let _ = write!(std::io::stderr().lock(), "\r\x1b[K");
        }
    }
}

#[cfg(test)]
mod tests;
