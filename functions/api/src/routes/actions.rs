//! Commands: drain, cordon, uncordon, scale. Each becomes a plan that is only written down here.

use super::clusters::own;
use super::k8s::{blocked, connect, node_name};
use crate::Deps;
use crate::auth::Caller;
use crate::commands::{self, Asked};
use crate::desk::Desk;
use crate::extract::{Body, Dry, NewId, Params};
use crate::problem::{self, Problem};
use crate::register::Wrong;
use crate::view::plans::{Accepted, DryPlan};
use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use domain::SignedDuration;
use domain::ids::PlanId;
use domain::node::{NodeTarget, NodeView};
use domain::operation::Operation;
use domain::plan::check::{Surroundings, lint};
use domain::plan::{Plan, PlanRecord, Progress, Urgency};
use domain::pod::PodBudget;
use domain::ports::{self, ClusterError, NewPlan, Opened};
use domain::tenant::Cluster;
use domain::workload::{WorkloadKind, WorkloadRef};
use http::{StatusCode, header};
use serde::Deserialize;
use std::sync::Arc;

/// When the sweeper takes up a plan whose message was lost.
const DUE_AFTER: SignedDuration = SignedDuration::from_secs(60);
/// How long an id of a repeated request is taken for the same wish.
const SAME_WISH: SignedDuration = SignedDuration::from_hours(1);
/// More replicas than this are a slip of the pen.
const REPLICAS_MAX: u32 = 5_000;

/// Which node to drain, and how.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DrainBody {
    #[schemars(regex(pattern = "^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$"))]
    node_name: String,
    #[serde(default)]
    force: bool,
    #[serde(default, rename = "dryRun", alias = "dry_run")]
    dry_run: bool,
}

/// Which node.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeBody {
    #[schemars(regex(pattern = "^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$"))]
    node_name: String,
    #[serde(default, rename = "dryRun", alias = "dry_run")]
    dry_run: bool,
}

/// Which workload, and how many replicas it gets.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScaleBody {
    /// `Deployment` where it is left out, or `StatefulSet`.
    #[serde(default)]
    #[schemars(extend("enum" = ["Deployment", "StatefulSet", "deployment", "statefulset", null]))]
    kind: Option<String>,
    #[schemars(regex(pattern = "^[a-z0-9-]{1,63}$"))]
    namespace: String,
    #[schemars(regex(pattern = "^[a-z0-9-][a-z0-9.-]{0,252}$"))]
    name: String,
    #[schemars(range(max = 5_000))]
    replicas: u32,
    #[serde(default, rename = "dryRun", alias = "dry_run")]
    dry_run: bool,
}

/// `POST /api/v1/k8s/{cluster_id}/nodes/drain`.
///
/// # Errors
/// 409 with every reason where the safety check says no; 404 for an unknown node.
pub async fn drain(
    Desk(deps): Desk,
    caller: Caller,
    Path(id): Path<String>,
    NewId(new): NewId,
    Params(dry): Params<Dry>,
    Body(body): Body<DrainBody>,
) -> Result<Response, Problem> {
    let name = node_name(&body.node_name)?;
    let cluster = own(&deps, &caller, &id).await?;
    let api = connect(&deps, &cluster).await?;
    let (nodes, pods, budgets, open) =
        tokio::join!(api.nodes(), api.pods(Some(&name)), api.pod_budgets(), deps.journal.open_plans(&caller.customer, &cluster.id));
    let (nodes, pods, budgets, open) = (nodes?, pods?, readable(budgets)?, open?);
    let node = target(nodes.iter().find(|node| node.name == name))?;
    let wish = Wish::new(&deps, &caller, &cluster, new, body.dry_run || dry.dry_run)?;
    let plan = commands::drain(wish.asked(), &node, pods.len(), body.force);
    let others: Vec<PlanRecord> = open.into_iter().filter(|record| record.plan.key != plan.key).collect();
    let around =
        Surroundings { nodes: &nodes, pods: &pods, pod_budgets: budgets.as_deref(), open_plans: &others, budget: cluster.policy.budget };
    let notes = commands::objections(&plan, &node, around, body.force);
    if notes.is_empty() { wish.record(plan, "drain").await } else { Err(blocked(&notes)) }
}

/// Without the right to read budgets the API server's own answer to each eviction decides.
fn readable(budgets: Result<Vec<PodBudget>, ClusterError>) -> Result<Option<Vec<PodBudget>>, ClusterError> {
    match budgets {
        Ok(budgets) => Ok(Some(budgets)),
        Err(ClusterError::Forbidden(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

fn target(node: Option<&NodeView>) -> Result<NodeTarget, Problem> {
    let Some(node) = node else {
        let detail = "The cluster has no node of this name. GET .../nodes lists those it has.";
        return Err(Problem::new(StatusCode::NOT_FOUND, "node-unknown", detail));
    };
    node.target().ok_or_else(|| {
        let detail = "This node does not stand for an EC2 instance (its providerID says so). Such a node is never acted on.";
        Problem::new(StatusCode::CONFLICT, "not-an-instance", detail)
    })
}

/// One node, read by its name.
async fn look(api: &Arc<dyn ports::Cluster>, name: &str) -> Result<NodeTarget, Problem> {
    match api.node(&node_name(name)?).await {
        Ok(node) => target(Some(&node)),
        Err(ClusterError::Gone) => target(None),
        Err(error) => Err(error.into()),
    }
}

/// `POST /api/v1/k8s/{cluster_id}/nodes/cordon`.
///
/// # Errors
/// 404 for an unknown node.
pub async fn cordon(
    Desk(deps): Desk,
    caller: Caller,
    Path(id): Path<String>,
    NewId(new): NewId,
    Params(dry): Params<Dry>,
    Body(body): Body<NodeBody>,
) -> Result<Response, Problem> {
    let cluster = own(&deps, &caller, &id).await?;
    let node = look(&connect(&deps, &cluster).await?, &body.node_name).await?;
    let wish = Wish::new(&deps, &caller, &cluster, new, body.dry_run || dry.dry_run)?;
    let plan = commands::cordon(wish.asked(), &node);
    wish.record(plan, "cordon").await
}

/// `POST /api/v1/k8s/{cluster_id}/nodes/uncordon`.
///
/// # Errors
/// 404 for an unknown node.
pub async fn uncordon(
    Desk(deps): Desk,
    caller: Caller,
    Path(id): Path<String>,
    NewId(new): NewId,
    Params(dry): Params<Dry>,
    Body(body): Body<NodeBody>,
) -> Result<Response, Problem> {
    let cluster = own(&deps, &caller, &id).await?;
    let node = look(&connect(&deps, &cluster).await?, &body.node_name).await?;
    let wish = Wish::new(&deps, &caller, &cluster, new, body.dry_run || dry.dry_run)?;
    let plan = commands::uncordon(wish.asked(), &node);
    wish.record(plan, "uncordon").await
}

/// `POST /api/v1/k8s/{cluster_id}/scale`.
///
/// # Errors
/// 404 for an unknown workload, 422 for a kind that cannot be scaled.
pub async fn scale(
    Desk(deps): Desk,
    caller: Caller,
    Path(id): Path<String>,
    NewId(new): NewId,
    Params(dry): Params<Dry>,
    Body(body): Body<ScaleBody>,
) -> Result<Response, Problem> {
    let workload = workload(&body).map_err(|wrong| problem::fields(&wrong))?;
    let cluster = own(&deps, &caller, &id).await?;
    let from = connect(&deps, &cluster).await?.replicas(&workload).await?;
    let wish = Wish::new(&deps, &caller, &cluster, new, body.dry_run || dry.dry_run)?;
    let plan = commands::scale(wish.asked(), &workload, from, body.replicas);
    wish.record(plan, "scale").await
}

fn workload(body: &ScaleBody) -> Result<WorkloadRef, Vec<Wrong>> {
    let mut wrong = Vec::new();
    let kind = match body.kind.as_deref().map(str::to_ascii_lowercase).as_deref() {
        None | Some("deployment") => WorkloadKind::Deployment,
        Some("statefulset") => WorkloadKind::StatefulSet,
        Some(_) => {
            wrong.push(Wrong { field: "kind", detail: "Deployment or StatefulSet".to_owned() });
            WorkloadKind::Deployment
        }
    };
    let label = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let named = |text: &str, most: usize, dot: bool| (1..=most).contains(&text.len()) && text.bytes().all(|b| label(b) || dot && b == b'.');
    if !named(&body.namespace, 63, false) {
        wrong.push(Wrong { field: "namespace", detail: "a DNS label: 1 to 63 lower-case letters, digits and '-'".to_owned() });
    }
    if !named(&body.name, 253, true) || body.name.starts_with('.') {
        wrong.push(Wrong { field: "name", detail: "a DNS subdomain: 1 to 253 lower-case letters, digits, '-' and '.'".to_owned() });
    }
    if body.replicas > REPLICAS_MAX {
        wrong.push(Wrong { field: "replicas", detail: format!("at most {REPLICAS_MAX}") });
    }
    if wrong.is_empty() { Ok(WorkloadRef { kind, namespace: body.namespace.clone(), name: body.name.clone() }) } else { Err(wrong) }
}

/// A command on its way into the journal.
pub(super) struct Wish<'a> {
    deps: &'a Deps,
    caller: &'a Caller,
    cluster: &'a Cluster,
    id: String,
    plan: PlanId,
    now: domain::Timestamp,
    dry: bool,
}

impl<'a> Wish<'a> {
    pub(super) fn new(deps: &'a Deps, caller: &'a Caller, cluster: &'a Cluster, id: String, dry: bool) -> Result<Self, Problem> {
        let plan = PlanId::parse(format!("op-{id}")).map_err(Problem::internal)?;
        Ok(Wish { deps, caller, cluster, id, plan, now: deps.clock.now(), dry })
    }

    pub(super) fn asked(&self) -> Asked<'_> {
        Asked { cluster: self.cluster, plan: &self.plan, by: &self.caller.label, now: self.now }
    }

    /// Writes the plan down and has it begun; dry, only shows it.
    pub(super) async fn record(&self, plan: Plan, kind: &str) -> Result<Response, Problem> {
        let notes = lint(&plan);
        if !notes.is_empty() {
            return Err(blocked(&notes));
        }
        if let Some(halt) = self.deps.registry.halted(&self.caller.customer, &self.cluster.id).await? {
            let detail = format!("{} is stopped: {}. Lift the stop with POST /api/v1/admin/halt, then ask again.", halt.scope, halt.reason);
            return Err(Problem::new(StatusCode::CONFLICT, "halted", detail));
        }
        if self.dry {
            return Ok(Json(DryPlan { dry_run: true, plan }).into_response());
        }
        let operation = Operation { id: self.id.clone(), kind: kind.to_owned(), plan: plan.key.clone(), created_at: self.now };
        let mut progress = Progress::new(&plan, Urgency::Normal, None);
        progress.due_at = self.now.checked_add(DUE_AFTER).unwrap_or(self.now);
        let new = NewPlan { plan, progress, audit: Vec::new(), spot_event: None, operation: Some(operation) };
        match self.deps.journal.open(&new).await? {
            Opened::Created => {}
            Opened::Exists(before) => self.same_wish(&new.plan, &before)?,
        }
        // The plan is written: a lost message only makes it begin a minute later.
        if let Err(error) = self.deps.queue.continue_plan(&new.plan.key, SignedDuration::ZERO).await {
            tracing::warn!(%error, plan.id = %new.plan.key, "A plan was written and not announced; the sweeper begins it");
        }
        let href = format!("/api/v1/operations/{}", self.id);
        let body = Accepted {
            operation_id: self.id.clone(),
            status: "pending",
            href: href.clone(),
            cluster_id: self.cluster.id.clone(),
            plan_id: self.plan.clone(),
        };
        Ok((StatusCode::ACCEPTED, [(header::LOCATION, href)], Json(body)).into_response())
    }

    /// Ids come from idempotency keys, where there is one: an old key with another wish must not answer with the old plan.
    fn same_wish(&self, plan: &Plan, before: &PlanRecord) -> Result<(), Problem> {
        let fresh = self.now.duration_since(before.plan.created_at) < SAME_WISH;
        if fresh && before.plan.reason == plan.reason && before.plan.kind == plan.kind {
            return Ok(());
        }
        let detail = "This Idempotency-Key was used for another command. Choose a new key for each command.";
        Err(Problem::new(StatusCode::CONFLICT, "idempotency-key-used", detail))
    }
}
