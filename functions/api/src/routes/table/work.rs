//! Routes about clusters and what is done in them.

use crate::paging::Page;
use crate::routes::{ACT, IfMatch, MANAGE, READ, Route};
use crate::routes::{actions, events, findings, k8s, ml, office_hours, operations, optimization, proposals, scanner, sizes};
use crate::view::Would;
use crate::view::findings::{FindingView, GhostsPage, QueuedScan, SizesPage};
use crate::view::hours::{ApprovedHours, Awake, OfficeHours};
use crate::view::nodes::{ClusterMetrics, ClusterNode};
use crate::view::plans::{Accepted, DryPlan, OperationDetail, OperationShort, PlanDetail, PlanShort, ProposalView, Word};
use crate::view::runs::{QueuedRuns, RunDetail, RunShort};
use axum::routing::{get, post, put};
use domain::office_hours::Rules;
use domain::pod::PodView;
use domain::spot_event::SpotEvent;
use http::Method;
use serde_json::{Map, Value};

/// What another server answers, whose contract says more.
type Foreign = Value;
/// An object, whatever stands in it.
type Document = Map<String, Value>;

/// The routes.
pub(super) static ROUTES: &[Route] = &[
    Route::new(Method::POST, "/api/v1/optimization/trigger", ACT, || post(optimization::trigger), "Asks for a round of the optimizer now.")
        .takes::<optimization::Trigger>()
        .accepts::<QueuedRuns>()
        .dry_run(),
    Route::new(
        Method::GET,
        "/api/v1/optimization/history",
        READ,
        || get(optimization::history),
        "Runs, newest first, each with why not more was done.",
    )
    .asks(&["cluster_id", "limit", "cursor"])
    .gives::<Page<RunShort>>(),
    Route::new(
        Method::GET,
        "/api/v1/optimization/sizes",
        READ,
        || get(sizes::list),
        "Containers that request far more or less than they use, or were killed for lack of memory, with what they should request.",
    )
    .asks(&["cluster_id!", "limit", "cursor"])
    .gives::<SizesPage>(),
    Route::new(
        Method::GET,
        "/api/v1/optimization/status/{id}",
        READ,
        || get(optimization::status),
        "One run: its plans, and each node that was left as it is.",
    )
    .gives::<RunDetail>(),
    Route::new(
        Method::GET,
        "/api/v1/optimization/plans/{id}",
        READ,
        || get(proposals::show),
        "Why a plan is, node by node, and what stopped it.",
    )
    .gives::<ProposalView>(),
    Route::new(Method::POST, "/api/v1/optimization/plans/{id}/approve", ACT, || post(proposals::approve), "Approves a proposed plan.")
        .accepts::<Word>()
        .dry::<Word>(),
    Route::new(Method::POST, "/api/v1/optimization/plans/{id}/reject", ACT, || post(proposals::reject), "Rejects a proposed plan.")
        .dry::<Word>(),
    Route::new(
        Method::POST,
        "/api/v1/optimization/plans/{id}/cancel",
        ACT,
        || post(proposals::cancel),
        "Cancels a plan before its point of no return.",
    )
    .accepts::<Word>()
    .dry::<Word>(),
    Route::new(Method::GET, "/api/v1/office-hours", READ, || get(office_hours::rules), "The rules of office hours for all clusters.")
        .gives::<Rules>()
        .tagged(),
    Route::new(Method::PUT, "/api/v1/office-hours", MANAGE, || put(office_hours::set_rules), "Sets them.")
        .takes::<Rules>()
        .gives::<Rules>()
        .dry::<Would<Rules>>()
        .tagged()
        .if_match(IfMatch::Must),
    Route::new(
        Method::GET,
        "/api/v1/office-hours/{cluster_id}",
        READ,
        || get(office_hours::show),
        "What sleeps, what is next, and what it is worth.",
    )
    .gives::<OfficeHours>()
    .calls_cluster(),
    Route::new(
        Method::POST,
        "/api/v1/office-hours/{cluster_id}/approve",
        ACT,
        || post(office_hours::approve),
        "Approves the rules with a fingerprint.",
    )
    .takes::<office_hours::Approval>()
    .gives::<ApprovedHours>()
    .dry::<Would<ApprovedHours>>(),
    Route::new(
        Method::POST,
        "/api/v1/office-hours/{cluster_id}/wake",
        ACT,
        || post(office_hours::wake),
        "Everything is up for so many minutes.",
    )
    .takes::<office_hours::Wake>()
    .gives::<Awake>()
    .dry::<Would<Awake>>(),
    Route::new(
        Method::GET,
        "/api/v1/events/spot-warnings",
        READ,
        || get(events::spot_warnings),
        "Notices of capacity that goes, newest first.",
    )
    .asks(&["cluster_id", "limit", "cursor"])
    .gives::<Page<SpotEvent>>(),
    Route::new(Method::GET, "/api/v1/events/history", READ, || get(events::history), "All events, newest first.")
        .asks(&["cluster_id", "limit", "cursor"])
        .gives::<Page<SpotEvent>>(),
    Route::new(Method::POST, "/api/v1/events/process", ACT, || post(events::process), "Hands in an event, or the id of an instance.")
        .takes::<Document>()
        .accepts::<events::QueuedEvent>()
        .dry::<events::QueuedEvent>(),
    Route::new(Method::GET, "/api/v1/k8s/{cluster_id}/nodes", READ, || get(k8s::nodes), "Nodes, as they are now.")
        .asks(&["limit", "cursor"])
        .gives::<Page<ClusterNode>>()
        .calls_cluster(),
    Route::new(Method::GET, "/api/v1/k8s/{cluster_id}/pods", READ, || get(k8s::pods), "Pods, as they are now.")
        .asks(&["node", "namespace", "limit", "cursor"])
        .gives::<Page<PodView>>()
        .calls_cluster(),
    Route::new(Method::GET, "/api/v1/k8s/{cluster_id}/metrics", READ, || get(k8s::metrics), "Use of the cluster, as it is now.")
        .gives::<ClusterMetrics>()
        .calls_cluster(),
    Route::new(Method::POST, "/api/v1/k8s/{cluster_id}/nodes/drain", ACT, || post(actions::drain), "Writes a plan that drains a node.")
        .takes::<actions::DrainBody>()
        .accepts::<Accepted>()
        .dry::<DryPlan>()
        .calls_cluster(),
    Route::new(Method::POST, "/api/v1/k8s/{cluster_id}/nodes/cordon", ACT, || post(actions::cordon), "Writes a plan that cordons a node.")
        .takes::<actions::NodeBody>()
        .accepts::<Accepted>()
        .dry::<DryPlan>()
        .calls_cluster(),
    Route::new(
        Method::POST,
        "/api/v1/k8s/{cluster_id}/nodes/uncordon",
        ACT,
        || post(actions::uncordon),
        "Writes a plan that uncordons a node.",
    )
    .takes::<actions::NodeBody>()
    .accepts::<Accepted>()
    .dry::<DryPlan>()
    .calls_cluster(),
    Route::new(Method::POST, "/api/v1/k8s/{cluster_id}/scale", ACT, || post(actions::scale), "Writes a plan that scales a workload.")
        .takes::<actions::ScaleBody>()
        .accepts::<Accepted>()
        .dry::<DryPlan>()
        .calls_cluster(),
    Route::new(Method::POST, "/api/v1/ml/decision/{kind}", ACT, || post(ml::forward), "Asks the decision server for a decision.")
        .takes::<Document>()
        .gives::<Foreign>()
        .passed_on(),
    Route::new(Method::POST, "/api/v1/ml/predict/{what}", READ, || post(ml::forward), "Asks the decision server for a prediction.")
        .takes::<Value>()
        .gives::<Foreign>()
        .accepts::<Foreign>()
        .passed_on(),
    Route::new(Method::GET, "/api/v1/ml/predict/{what}", READ, || get(ml::forward), "Asks the decision server for a prediction.")
        .gives::<Foreign>()
        .passed_on(),
    Route::new(Method::GET, "/api/v1/ml/health", READ, || get(ml::forward), "Whether the decision server runs.")
        .gives::<Foreign>()
        .passed_on(),
    Route::new(Method::GET, "/api/v1/ml/openapi.json", READ, || get(ml::forward), "The contract of the decision server.")
        .gives::<Document>()
        .passed_on(),
    Route::new(Method::GET, "/api/v1/findings", READ, || get(findings::list), "What was found, in all clusters, last seen first.")
        .asks(&["cluster_id", "kind", "state", "limit", "cursor"])
        .gives::<Page<FindingView>>(),
    Route::new(Method::POST, "/api/v1/scanner/scan", ACT, || post(scanner::scan), "Asks for a scan of one cluster or all, now.")
        .takes::<scanner::ScanBody>()
        .accepts::<QueuedScan>()
        .dry::<QueuedScan>(),
    Route::new(Method::GET, "/api/v1/scanner/ghosts", READ, || get(scanner::ghosts), "What scans found, priced per month.")
        .asks(&["cluster_id!", "kind", "state", "limit", "cursor"])
        .gives::<GhostsPage>(),
    Route::new(
        Method::POST,
        "/api/v1/scanner/terminate/{id}",
        ACT,
        || post(scanner::terminate),
        "Ends a ghost, or deletes a volume after a snapshot.",
    )
    .takes::<scanner::TerminateBody>()
    .accepts::<Accepted>()
    .dry::<DryPlan>(),
    Route::new(
        Method::POST,
        "/api/v1/scanner/findings/{id}/dismiss",
        ACT,
        || post(scanner::dismiss),
        "Puts a finding aside until it rests on other grounds.",
    )
    .takes::<scanner::DismissBody>()
    .gives::<FindingView>()
    .dry::<Would<FindingView>>(),
    Route::new(Method::GET, "/api/v1/operations", READ, || get(operations::operations), "Commands and what became of them, newest first.")
        .asks(&["cluster_id", "kind", "state", "limit", "cursor"])
        .gives::<Page<OperationShort>>(),
    Route::new(Method::GET, "/api/v1/operations/{id}", READ, || get(operations::operation), "What became of a command.")
        .gives::<OperationDetail>(),
    Route::new(Method::GET, "/api/v1/plans", READ, || get(operations::plans), "Plans, whoever asked for them, newest first.")
        .asks(&["cluster_id", "kind", "state", "limit", "cursor"])
        .gives::<Page<PlanShort>>(),
    Route::new(
        Method::GET,
        "/api/v1/plans/{cluster_id}/{plan_id}",
        READ,
        || get(operations::plan),
        "A plan, its progress and its audit rows.",
    )
    .gives::<PlanDetail>(),
];
