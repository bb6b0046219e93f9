//! Every route. One that is not in here is closed: the router and the published contract are both made from this.

use super::{ACT, Access, MANAGE, READ, Route};
use super::{actions, audit, clusters, config, contract, customers, events, halt, health, k8s, keys, ml, notifications, office_hours};
use super::{operations, optimization, proposals, savings, scanner, sizes};
use crate::register::{Registration, Update};
use axum::routing::{delete, get, post, put};
use http::Method;
use serde_json::Value;

/// Every route.
pub static TABLE: &[Route] = &[
    Route::new(Method::GET, "/health", Access::Everyone, || get(health::show), "Says that the server runs."),
    Route::new(Method::GET, "/api/v1/admin/clusters", READ, || get(clusters::list), "Clusters, by id.").asks(&["limit", "cursor"]),
    Route::new(
        Method::POST,
        "/api/v1/admin/clusters",
        MANAGE,
        || post(clusters::register),
        "Registers a cluster. The answer names the external id for its role.",
    )
    .takes::<Registration>(),
    Route::new(Method::GET, "/api/v1/admin/clusters/{id}", READ, || get(clusters::show), "One cluster, with its stop if there is one."),
    Route::new(
        Method::PUT,
        "/api/v1/admin/clusters/{id}",
        MANAGE,
        || put(clusters::update),
        "Changes what the body names. Another endpoint or authority drops the stored token.",
    )
    .takes::<Update>(),
    Route::new(Method::DELETE, "/api/v1/admin/clusters/{id}", MANAGE, || delete(clusters::remove), "Removes a cluster; its history stays.")
        .asks(&["force"]),
    Route::new(Method::POST, "/api/v1/admin/halt", MANAGE, || post(halt::set), "The kill switch, on and off.").takes::<halt::Stop>(),
    Route::new(Method::GET, "/api/v1/admin/savings", READ, || get(savings::show), "Estimated, freed and realised savings, kept apart.")
        .asks(&["cluster_id", "hours", "limit", "cursor"]),
    Route::new(Method::POST, "/api/v1/optimization/trigger", ACT, || post(optimization::trigger), "Asks for a round of the optimizer now.")
        .takes::<optimization::Trigger>()
        .asks(&["dryRun"]),
    Route::new(
        Method::GET,
        "/api/v1/optimization/history",
        READ,
        || get(optimization::history),
        "Runs, newest first, each with why not more was done.",
    )
    .asks(&["cluster_id", "limit", "cursor"]),
    Route::new(
        Method::GET,
        "/api/v1/optimization/sizes",
        READ,
        || get(sizes::list),
        "Containers that request far more or less than they use, or were killed for lack of memory, with what they should request.",
    )
    .asks(&["cluster_id", "limit", "cursor"]),
    Route::new(
        Method::GET,
        "/api/v1/optimization/status/{id}",
        READ,
        || get(optimization::status),
        "One run: its plans, and each node that was left as it is.",
    ),
    Route::new(
        Method::GET,
        "/api/v1/optimization/plans/{id}",
        READ,
        || get(proposals::show),
        "Why a plan is, node by node, and what stopped it.",
    ),
    Route::new(Method::POST, "/api/v1/optimization/plans/{id}/approve", ACT, || post(proposals::approve), "Approves a proposed plan.")
        .asks(&["dryRun"]),
    Route::new(Method::POST, "/api/v1/optimization/plans/{id}/reject", ACT, || post(proposals::reject), "Rejects a proposed plan.")
        .asks(&["dryRun"]),
    Route::new(
        Method::POST,
        "/api/v1/optimization/plans/{id}/cancel",
        ACT,
        || post(proposals::cancel),
        "Cancels a plan before its point of no return.",
    )
    .asks(&["dryRun"]),
    Route::new(Method::GET, "/api/v1/office-hours", READ, || get(office_hours::rules), "The rules of office hours for all clusters."),
    Route::new(Method::PUT, "/api/v1/office-hours", MANAGE, || put(office_hours::set_rules), "Sets them.").takes::<Value>(),
    Route::new(
        Method::GET,
        "/api/v1/office-hours/{cluster_id}",
        READ,
        || get(office_hours::show),
        "What sleeps, what is next, and what it is worth.",
    ),
    Route::new(
        Method::POST,
        "/api/v1/office-hours/{cluster_id}/approve",
        ACT,
        || post(office_hours::approve),
        "Approves the rules with a fingerprint.",
    )
    .takes::<office_hours::Approval>(),
    Route::new(
        Method::POST,
        "/api/v1/office-hours/{cluster_id}/wake",
        ACT,
        || post(office_hours::wake),
        "Everything is up for so many minutes.",
    )
    .takes::<office_hours::Wake>(),
    Route::new(
        Method::GET,
        "/api/v1/events/spot-warnings",
        READ,
        || get(events::spot_warnings),
        "Notices of capacity that goes, newest first.",
    )
    .asks(&["cluster_id", "limit", "cursor"]),
    Route::new(Method::GET, "/api/v1/events/history", READ, || get(events::history), "All events, newest first.").asks(&[
        "cluster_id",
        "limit",
        "cursor",
    ]),
    Route::new(Method::POST, "/api/v1/events/process", ACT, || post(events::process), "Hands in an event, or the id of an instance.")
        .takes::<Value>(),
    Route::new(Method::GET, "/api/v1/k8s/{cluster_id}/nodes", READ, || get(k8s::nodes), "Nodes, as they are now.")
        .asks(&["limit", "cursor"]),
    Route::new(Method::GET, "/api/v1/k8s/{cluster_id}/pods", READ, || get(k8s::pods), "Pods, as they are now.").asks(&[
        "node",
        "namespace",
        "limit",
        "cursor",
    ]),
    Route::new(Method::GET, "/api/v1/k8s/{cluster_id}/metrics", READ, || get(k8s::metrics), "Use of the cluster, as it is now."),
    Route::new(Method::POST, "/api/v1/k8s/{cluster_id}/nodes/drain", ACT, || post(actions::drain), "Writes a plan that drains a node.")
        .takes::<actions::DrainBody>()
        .asks(&["dryRun"]),
    Route::new(Method::POST, "/api/v1/k8s/{cluster_id}/nodes/cordon", ACT, || post(actions::cordon), "Writes a plan that cordons a node.")
        .takes::<actions::NodeBody>()
        .asks(&["dryRun"]),
    Route::new(
        Method::POST,
        "/api/v1/k8s/{cluster_id}/nodes/uncordon",
        ACT,
        || post(actions::uncordon),
        "Writes a plan that uncordons a node.",
    )
    .takes::<actions::NodeBody>()
    .asks(&["dryRun"]),
    Route::new(Method::POST, "/api/v1/k8s/{cluster_id}/scale", ACT, || post(actions::scale), "Writes a plan that scales a workload.")
        .takes::<actions::ScaleBody>()
        .asks(&["dryRun"]),
    Route::new(Method::GET, "/api/v1/notifications/targets", READ, || get(notifications::list), "Targets of notices."),
    Route::new(
        Method::POST,
        "/api/v1/notifications/targets",
        MANAGE,
        || post(notifications::create),
        "Adds a target. The signing secret of a webhook is in this answer only.",
    )
    .takes::<notifications::New>(),
    Route::new(Method::GET, "/api/v1/notifications/targets/{id}", READ, || get(notifications::show), "One target."),
    Route::new(Method::PUT, "/api/v1/notifications/targets/{id}", MANAGE, || put(notifications::update), "Changes a target.")
        .takes::<notifications::Edit>(),
    Route::new(
        Method::DELETE,
        "/api/v1/notifications/targets/{id}",
        MANAGE,
        || delete(notifications::remove),
        "Removes a target, with all that waits for it.",
    ),
    Route::new(Method::POST, "/api/v1/notifications/targets/{id}/test", ACT, || post(notifications::test), "Sends a test notice."),
    Route::new(
        Method::GET,
        "/api/v1/notifications/targets/{id}/deliveries",
        READ,
        || get(notifications::deliveries),
        "What was sent, newest first, for thirty days.",
    )
    .asks(&["limit", "cursor"]),
    Route::new(
        Method::POST,
        "/api/v1/notifications/targets/{id}/deliveries/replay",
        ACT,
        || post(notifications::replay),
        "Sends a notice again.",
    )
    .takes::<notifications::Again>(),
    Route::new(Method::POST, "/api/v1/ml/decision/{kind}", ACT, || post(ml::forward), "Asks the decision server for a decision.")
        .takes::<Value>()
        .passed_on(),
    Route::new(Method::POST, "/api/v1/ml/predict/{what}", READ, || post(ml::forward), "Asks the decision server for a prediction.")
        .takes::<Value>()
        .passed_on(),
    Route::new(Method::GET, "/api/v1/ml/predict/{what}", READ, || get(ml::forward), "Asks the decision server for a prediction.")
        .passed_on(),
    ml::read("/api/v1/ml/models", &[], "Models of the decision server, and what each is used for."),
    ml::read("/api/v1/ml/models/contract", &[], "What a model is given and must answer: the tensor contract."),
    ml::read("/api/v1/ml/models/{id}", &[], "One model."),
    ml::read("/api/v1/ml/models/{id}/comparison", &["days"], "A model tried on logged predictions whose outcome is known."),
    ml::manage(Method::POST, "/api/v1/ml/models", || post(ml::forward_for_operator), "Checks a model (ONNX, as base64) and keeps it.")
        .takes::<Value>(),
    ml::manage(Method::POST, "/api/v1/ml/models/rollback", || post(ml::forward_for_operator), "What answered before answers again."),
    ml::manage(Method::DELETE, "/api/v1/ml/models/{id}", || delete(ml::forward_for_operator), "Removes a model that nothing uses."),
    ml::manage(Method::POST, "/api/v1/ml/models/{id}/activate", || post(ml::forward_for_operator), "The model answers from now on.")
        .takes::<Value>(),
    ml::manage(Method::POST, "/api/v1/ml/models/{id}/shadow", || post(ml::forward_for_operator), "The model runs beside who answers."),
    ml::manage(Method::DELETE, "/api/v1/ml/models/{id}/shadow", || delete(ml::forward_for_operator), "It no longer does."),
    ml::read("/api/v1/ml/engine", &[], "Who answers: the decision server's own engine or a model, and every change of it."),
    ml::manage(Method::PUT, "/api/v1/ml/engine", || put(ml::forward_for_operator), "Chooses who answers.").takes::<Value>(),
    ml::inspect("/api/v1/ml/predictions", &["days", "limit"], "What was predicted, for whom it may be, with what models said."),
    ml::read("/api/v1/ml/predictions/comparison", &["days"], "Predictions against what happened, for each horizon and each voice."),
    ml::read("/api/v1/ml/gaps", &["region", "family", "zones", "limit"], "Where the price history of a Region has holes, and why."),
    ml::read("/api/v1/ml/gaps/fills", &["limit"], "Fillings of holes, newest first."),
    ml::read("/api/v1/ml/gaps/fills/{id}", &[], "How far a filling is, in percent and time."),
    ml::read("/api/v1/ml/gaps/fills/{id}/rows", &["limit"], "The points that a filling added, by pool."),
    ml::manage(Method::POST, "/api/v1/ml/gaps/fills", || post(ml::forward_for_operator), "Fills holes from EC2's spot price history.")
        .takes::<Value>(),
    ml::manage(Method::POST, "/api/v1/ml/gaps/fills/{id}/undo", || post(ml::forward_for_operator), "Takes out what a filling added."),
    ml::manage(Method::POST, "/api/v1/ml/refresh", || post(ml::forward_for_operator), "Reads parts of a Region's market anew.")
        .takes::<Value>(),
    ml::read("/api/v1/ml/refresh/status", &["region"], "When the parts of a Region's market were read, and when they will be."),
    ml::read("/api/v1/ml/refresh/history", &["days", "limit"], "Runs over the market, newest first."),
    ml::read("/api/v1/ml/refresh/schedule", &[], "How often each part of the market is read."),
    ml::read("/api/v1/ml/pricing/spot", &["region", "instance_type", "zones"], "Spot prices of a type, with every change that is kept."),
    ml::read("/api/v1/ml/pricing/on-demand", &["region", "family"], "On-demand prices, and how each is known."),
    ml::read("/api/v1/ml/pricing/spot-advisor", &["region", "family"], "What the Spot Advisor says of each type."),
    ml::read("/api/v1/ml/pricing/stats", &["region"], "How much is known of a Region's prices, and how old it is."),
    Route::new(Method::GET, "/api/v1/ml/health", READ, || get(ml::forward), "Whether the decision server runs.").passed_on(),
    Route::new(Method::GET, "/api/v1/ml/openapi.json", READ, || get(ml::forward), "The contract of the decision server.").passed_on(),
    Route::new(Method::POST, "/api/v1/scanner/scan", ACT, || post(scanner::scan), "Asks for a scan of one cluster or all, now.")
        .takes::<scanner::ScanBody>(),
    Route::new(Method::GET, "/api/v1/scanner/ghosts", READ, || get(scanner::ghosts), "What scans found, priced per month.").asks(&[
        "cluster_id",
        "kind",
        "state",
        "limit",
        "cursor",
    ]),
    Route::new(
        Method::POST,
        "/api/v1/scanner/terminate/{id}",
        ACT,
        || post(scanner::terminate),
        "Ends a ghost, or deletes a volume after a snapshot.",
    )
    .takes::<scanner::TerminateBody>()
    .asks(&["dryRun"]),
    Route::new(Method::GET, "/api/v1/operations/{id}", READ, || get(operations::operation), "What became of a command."),
    Route::new(
        Method::GET,
        "/api/v1/plans/{cluster_id}/{plan_id}",
        READ,
        || get(operations::plan),
        "A plan, its progress and its audit rows.",
    ),
    Route::new(
        Method::GET,
        "/api/v1/admin/customers",
        READ,
        || get(customers::list),
        "Customers: all for whoever runs this control plane, itself for a customer.",
    )
    .asks(&["limit", "cursor"]),
    Route::new(
        Method::POST,
        "/api/v1/admin/customers",
        MANAGE,
        || post(customers::create),
        "Registers a customer. The external id is made by us.",
    )
    .takes::<customers::New>(),
    Route::new(Method::GET, "/api/v1/admin/customers/{id}", READ, || get(customers::show), "One customer."),
    Route::new(
        Method::PUT,
        "/api/v1/admin/customers/{id}",
        MANAGE,
        || put(customers::update),
        "Changes a customer; who is suspended is halted too.",
    )
    .takes::<customers::Edit>(),
    Route::new(Method::GET, "/api/v1/admin/customers/{id}/config", READ, || get(config::show), "The configuration of a customer."),
    Route::new(Method::PUT, "/api/v1/admin/customers/{id}/config", MANAGE, || put(config::replace), "Replaces it.")
        .takes::<config::Settings>(),
    Route::new(Method::GET, "/api/v1/admin/keys", MANAGE, || get(keys::list), "API keys, without the keys themselves.").asks(&[
        "customer_id",
        "limit",
        "cursor",
    ]),
    Route::new(
        Method::POST,
        "/api/v1/admin/keys",
        MANAGE,
        || post(keys::create),
        "Makes an API key. It is in this answer, as `secret`, and in no other.",
    )
    .takes::<keys::New>(),
    Route::new(Method::GET, "/api/v1/admin/keys/{id}", MANAGE, || get(keys::show), "One API key, without the key itself.")
        .asks(&["customer_id"]),
    Route::new(
        Method::DELETE,
        "/api/v1/admin/keys/{id}",
        MANAGE,
        || delete(keys::revoke),
        "Takes a key back: it stops working with the next request.",
    )
    .asks(&["customer_id"]),
    Route::new(Method::GET, "/api/v1/audit", MANAGE, || get(audit::requests), "Who asked for what, before and after, newest first.")
        .asks(&["format", "limit", "cursor"]),
    Route::new(
        Method::GET,
        "/api/v1/audit/actions",
        MANAGE,
        || get(audit::actions),
        "What plans did to clusters and instances, newest first.",
    )
    .asks(&["format", "limit", "cursor"]),
    Route::new(Method::GET, "/api/v1/openapi.json", Access::Everyone, || get(contract::document), "This document."),
    Route::new(Method::GET, "/api/v1/docs", Access::Everyone, || get(contract::page), "This document, to be read."),
];
