//! Routes of whoever runs clusters: who they are, whom we tell, and what was asked.

use crate::paging::Page;
use crate::register::{Registration, Update};
use crate::routes::{ACT, Access, IfMatch, MANAGE, READ, Route};
use crate::routes::{audit, billing, clusters, config, contract, customers, halt, health, keys, notifications, permissions, savings};
use crate::view::targets::{DeliveryView, QueuedReplay, QueuedTest, TargetView, Targets};
use crate::view::{ClusterDetail, ClusterView, Registered, Would};
use axum::routing::{delete, get, post, put};
use domain::audit::{AuditRow, Request};
use http::Method;
use serde_json::{Map, Value};

/// An object, whatever stands in it.
type Document = Map<String, Value>;

/// The routes.
pub(super) static ROUTES: &[Route] = &[
    Route::new(Method::GET, "/health", Access::Everyone, || get(health::show), "Says that the server runs.").gives::<health::Health>(),
    Route::new(Method::GET, "/api/v1/admin/clusters", READ, || get(clusters::list), "Clusters, by id.")
        .asks(&["limit", "cursor"])
        .gives::<Page<ClusterView<'static>>>(),
    Route::new(
        Method::POST,
        "/api/v1/admin/clusters",
        MANAGE,
        || post(clusters::register),
        "Registers a cluster. The answer names the external id for its role.",
    )
    .takes::<Registration>()
    .makes::<Registered<'static>>()
    .dry::<Would<Registered<'static>>>()
    .tagged(),
    Route::new(Method::GET, "/api/v1/admin/clusters/{id}", READ, || get(clusters::show), "One cluster, with its stop if there is one.")
        .gives::<ClusterDetail<'static>>()
        .tagged(),
    Route::new(
        Method::PUT,
        "/api/v1/admin/clusters/{id}",
        MANAGE,
        || put(clusters::update),
        "Changes what the body names. Another endpoint or authority drops the stored token.",
    )
    .takes::<Update>()
    .gives::<ClusterView<'static>>()
    .dry::<Would<ClusterView<'static>>>()
    .tagged()
    .if_match(IfMatch::Must),
    Route::new(Method::DELETE, "/api/v1/admin/clusters/{id}", MANAGE, || delete(clusters::remove), "Removes a cluster; its history stays.")
        .asks(&["force"])
        .ends()
        .dry::<Would<ClusterView<'static>>>()
        .if_match(IfMatch::May),
    Route::new(
        Method::GET,
        "/api/v1/admin/clusters/{id}/permissions",
        READ,
        || get(permissions::show),
        "What we may do in a cluster and in its account, capability by capability, as it was when it was last looked at.",
    )
    .gives::<permissions::Permissions>(),
    Route::new(Method::POST, "/api/v1/admin/clusters/{id}/permissions", ACT, || post(permissions::look), "Asks for a look now.")
        .accepts::<permissions::LookAsked>()
        .dry::<Would<permissions::LookAsked>>(),
    Route::new(Method::POST, "/api/v1/admin/halt", MANAGE, || post(halt::set), "The kill switch, on and off.")
        .takes::<halt::Stop>()
        .gives::<halt::Stopped>()
        .dry::<Would<halt::Stopped>>(),
    Route::new(Method::GET, "/api/v1/admin/savings", READ, || get(savings::show), "Estimated, freed and realised savings, kept apart.")
        .asks(&["cluster_id", "hours", "limit", "cursor"])
        .gives::<Page<savings::SavingsView>>(),
    Route::new(Method::GET, "/api/v1/notifications/targets", READ, || get(notifications::list), "Targets of notices.").gives::<Targets>(),
    Route::new(
        Method::POST,
        "/api/v1/notifications/targets",
        MANAGE,
        || post(notifications::create),
        "Adds a target. The signing secret of a webhook is in this answer only.",
    )
    .takes::<notifications::New>()
    .makes::<TargetView>()
    .dry::<Would<TargetView>>()
    .tagged(),
    Route::new(Method::GET, "/api/v1/notifications/targets/{id}", READ, || get(notifications::show), "One target.")
        .gives::<TargetView>()
        .tagged(),
    Route::new(Method::PUT, "/api/v1/notifications/targets/{id}", MANAGE, || put(notifications::update), "Changes a target.")
        .takes::<notifications::Edit>()
        .gives::<TargetView>()
        .dry::<Would<TargetView>>()
        .tagged()
        .if_match(IfMatch::Must),
    Route::new(
        Method::DELETE,
        "/api/v1/notifications/targets/{id}",
        MANAGE,
        || delete(notifications::remove),
        "Removes a target, with all that waits for it.",
    )
    .ends()
    .dry::<Would<TargetView>>()
    .if_match(IfMatch::May),
    Route::new(Method::POST, "/api/v1/notifications/targets/{id}/test", ACT, || post(notifications::test), "Sends a test notice.")
        .accepts::<QueuedTest>()
        .dry::<Would<QueuedTest>>(),
    Route::new(
        Method::GET,
        "/api/v1/notifications/targets/{id}/deliveries",
        READ,
        || get(notifications::deliveries),
        "What was sent, newest first, for thirty days.",
    )
    .asks(&["limit", "cursor"])
    .gives::<Page<DeliveryView>>(),
    Route::new(
        Method::POST,
        "/api/v1/notifications/targets/{id}/deliveries/replay",
        ACT,
        || post(notifications::replay),
        "Sends a notice again.",
    )
    .takes::<notifications::Again>()
    .accepts::<QueuedReplay>()
    .dry::<Would<QueuedReplay>>(),
    Route::new(
        Method::GET,
        "/api/v1/admin/billing",
        MANAGE,
        || get(billing::show),
        "What a month comes to: managed vCPU-hours and savings, cluster by cluster.",
    )
    .asks(&["month", "customer_id", "format"])
    .gives::<billing::Billing>()
    .prints("text/csv"),
    Route::new(
        Method::GET,
        "/api/v1/admin/customers",
        READ,
        || get(customers::list),
        "Customers: all for whoever runs this control plane, itself for a customer.",
    )
    .asks(&["limit", "cursor"])
    .gives::<Page<customers::CustomerView>>(),
    Route::new(
        Method::POST,
        "/api/v1/admin/customers",
        MANAGE,
        || post(customers::create),
        "Registers a customer. The external id is made by us.",
    )
    .takes::<customers::New>()
    .makes::<customers::CustomerView>()
    .dry::<Would<customers::CustomerView>>()
    .tagged(),
    Route::new(Method::GET, "/api/v1/admin/customers/{id}", READ, || get(customers::show), "One customer.")
        .gives::<customers::CustomerView>()
        .tagged(),
    Route::new(
        Method::PUT,
        "/api/v1/admin/customers/{id}",
        MANAGE,
        || put(customers::update),
        "Changes a customer; who is suspended is halted too.",
    )
    .takes::<customers::Edit>()
    .gives::<customers::CustomerView>()
    .dry::<Would<customers::CustomerView>>()
    .tagged()
    .if_match(IfMatch::Must),
    Route::new(Method::GET, "/api/v1/admin/customers/{id}/config", READ, || get(config::show), "The configuration of a customer.")
        .gives::<config::Settings>()
        .tagged(),
    Route::new(Method::PUT, "/api/v1/admin/customers/{id}/config", MANAGE, || put(config::replace), "Replaces it.")
        .takes::<config::Settings>()
        .gives::<config::Settings>()
        .dry::<Would<config::Settings>>()
        .tagged()
        .if_match(IfMatch::Must),
    Route::new(Method::GET, "/api/v1/admin/keys", MANAGE, || get(keys::list), "API keys, without the keys themselves.")
        .asks(&["customer_id", "limit", "cursor"])
        .gives::<Page<keys::KeyView>>(),
    Route::new(
        Method::POST,
        "/api/v1/admin/keys",
        MANAGE,
        || post(keys::create),
        "Makes an API key. It is in this answer, as `secret`, and in no other.",
    )
    .takes::<keys::New>()
    .makes::<keys::KeyView>()
    .dry::<Would<keys::KeyView>>(),
    Route::new(Method::GET, "/api/v1/admin/keys/{id}", MANAGE, || get(keys::show), "One API key, without the key itself.")
        .asks(&["customer_id"])
        .gives::<keys::KeyView>(),
    Route::new(
        Method::DELETE,
        "/api/v1/admin/keys/{id}",
        MANAGE,
        || delete(keys::revoke),
        "Takes a key back: it stops working with the next request.",
    )
    .asks(&["customer_id"])
    .ends()
    .dry::<Would<keys::KeyView>>(),
    Route::new(Method::GET, "/api/v1/audit", MANAGE, || get(audit::requests), "Who asked for what, before and after, newest first.")
        .asks(&["format", "limit", "cursor"])
        .gives::<Page<Request>>()
        .prints("application/x-ndjson")
        .prints("text/csv"),
    Route::new(
        Method::GET,
        "/api/v1/audit/actions",
        MANAGE,
        || get(audit::actions),
        "What plans did to clusters and instances, newest first.",
    )
    .asks(&["format", "limit", "cursor"])
    .gives::<Page<AuditRow>>()
    .prints("application/x-ndjson")
    .prints("text/csv"),
    Route::new(Method::GET, "/api/v1/openapi.json", Access::Everyone, || get(contract::document), "This document.").gives::<Document>(),
    Route::new(Method::GET, "/api/v1/docs", Access::Everyone, || get(contract::page), "This document, to be read.").prints("text/html"),
];
