//! Clusters: list, register, show, change, remove.

use super::versions::{matching, matching_if_sent, stale};
use crate::Deps;
use crate::auth::Caller;
use crate::desk::{Claims, Desk};
use crate::extract::{Body, Dry, NewId, Params};
use crate::paging::{Page, Paging};
use crate::problem::{self, Problem};
use crate::register::{self, Registration, Sought, Update, Wanted, Wrong};
use crate::trail::before;
use crate::view::{ClusterDetail, ClusterView, Registered, would};
use crate::wishes::{who, wishes};
use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use domain::address::{Door, Place, Refused};
use domain::ids::ClusterId;
use domain::ports::{DirectoryError, StoreError, Trust, Whereabouts};
use domain::tenant::{Cluster, Customer, CustomerStatus};
use http::{HeaderMap, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// A cluster of the caller. Another customer's, and an id that cannot be one, are absent.
pub(super) async fn own(deps: &Deps, caller: &Caller, id: &str) -> Result<Cluster, Problem> {
    let absent = || Problem::absent("cluster");
    let id = ClusterId::parse(id).map_err(|_| absent())?;
    deps.registry.cluster(&caller.customer, &id).await?.ok_or_else(absent)
}

/// `GET /api/v1/admin/clusters`.
///
/// # Errors
/// The table did not answer.
pub async fn list(Desk(deps): Desk, caller: Caller, paging: Paging) -> Result<Response, Problem> {
    let found = deps.registry.clusters(&caller.customer, paging.after.as_deref(), paging.limit).await?;
    let now = deps.clock.now();
    let items: Vec<ClusterView<'_>> = found.items.iter().map(|cluster| ClusterView::of(cluster, now)).collect();
    Ok(Json(Page::of(items, found.next.as_deref())).into_response())
}

/// `POST /api/v1/admin/clusters`.
///
/// # Errors
/// 409 where the cluster is registered or its role is another customer's, 422 for fields, and for a role that trusts anybody, 503 where EKS
/// does not answer.
pub async fn register(
    Desk(deps): Desk,
    claims: Claims,
    caller: Caller,
    NewId(id): NewId,
    Params(dry): Params<Dry>,
    Body(body): Body<Registration>,
) -> Result<Response, Problem> {
    let id = ClusterId::parse(id).map_err(Problem::internal)?;
    let body = if body.has_policy() { body } else { body.or_policy(super::config::default_policy(&deps, &caller.customer).await?) };
    let body = match register::sought(&body, &id, &caller.customer).map_err(|wrong| problem::fields(&wrong))? {
        Some(sought) => body.found_at(located(&deps, sought, &caller).await?),
        None => body,
    };
    let wanted = register::register(body, id, caller.customer.clone(), deps.clock.now(), deps.gate.rules())
        .map_err(|wrong| problem::fields(&wrong))?;
    reachable(&deps, &wanted.cluster).await?;
    if dry.dry_run {
        let customer = deps.registry.customer(&caller.customer).await?;
        unclaimed(&deps, &claims, &wanted.cluster).await?;
        let trust = trusting(&deps, &wanted.cluster, customer.as_ref()).await?;
        return Ok(would(registered(&deps, &wanted.cluster, customer.as_ref(), trust)));
    }
    let customer = customer(&deps, &caller).await?;
    let before = unclaimed(&deps, &claims, &wanted.cluster).await?;
    let trust = trusting(&deps, &wanted.cluster, Some(&customer)).await?;
    if let Some(before) = before {
        return Ok(created(&deps, &before, &customer, trust));
    }
    let cluster = sealed(&deps, wanted).await?;
    match deps.registry.put_cluster(&cluster, None).await {
        Ok(()) => {
            // It is registered: where this is lost, the hourly scan is the first to look what we may do.
            if let Err(error) = wishes(&deps).ask_scans(&who(&caller), std::slice::from_ref(&cluster.id)).await {
                tracing::warn!(?error, cluster.id = %cluster.id, "A cluster was registered, and its first scan not asked for");
            }
            Ok(created(&deps, &cluster, &customer, trust))
        }
        // Ids are random: one that is taken was taken by this same request, whose first answer was lost.
        Err(StoreError::Conflict) => Ok(created(&deps, &own(&deps, &caller, cluster.id.as_str()).await?, &customer, trust)),
        Err(error) => Err(error.into()),
    }
}

/// Asks EKS where the cluster is.
async fn located(deps: &Deps, mut sought: Sought, caller: &Caller) -> Result<Whereabouts, Problem> {
    let wrong = |field, detail| problem::fields(&[Wrong { field, detail }]);
    let Some(directory) = &deps.directory else {
        return Err(wrong("k8s_api_endpoint", "the address of the API server: there is no EKS to be asked here".to_owned()));
    };
    // A dry run, too, asks in the name of the customer, who must be there: so the first one makes them.
    sought.scope.external_id = customer(deps, caller).await?.external_id;
    directory.whereabouts(&sought.scope, &sought.name).await.map_err(|error| match error {
        DirectoryError::Unknown(_) => wrong("eks_cluster_name", error.to_string()),
        DirectoryError::Refused(_) => wrong("aws_role_arn", error.to_string()),
        DirectoryError::Unreachable(_) => {
            let detail = format!("{error}. Send the same request again, or name k8s_api_endpoint and k8s_ca.");
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "eks-unreachable", detail)
        }
    })
}

fn created(deps: &Deps, cluster: &Cluster, customer: &Customer, trust: Trust) -> Response {
    let location = format!("/api/v1/admin/clusters/{}", cluster.id);
    (StatusCode::CREATED, [(header::LOCATION, location)], tagged(cluster, registered(deps, cluster, Some(customer), trust))).into_response()
}

fn registered<'a>(deps: &Deps, cluster: &'a Cluster, customer: Option<&Customer>, role_trust: Trust) -> Registered<'a> {
    let external_id = customer.map(|customer| customer.external_id.clone());
    Registered { cluster: ClusterView::of(cluster, deps.clock.now()), external_id, role_trust }
}

/// What is told of a cluster, with its ETag.
fn tagged<T: Serialize>(cluster: &Cluster, told: T) -> Response {
    ([(header::ETAG, etag(cluster))], Json(told)).into_response()
}

fn etag(cluster: &Cluster) -> String {
    format!("\"{}\"", cluster.version)
}

/// The caller's customer. The first call of whoever runs this control plane makes their own.
async fn customer(deps: &Deps, caller: &Caller) -> Result<Customer, Problem> {
    let known = match deps.registry.customer(&caller.customer).await? {
        None if caller.is_operator() => {
            let now = deps.clock.now();
            deps.registry
                .put_customer(&Customer {
                    id: caller.customer.clone(),
                    company_name: caller.customer.to_string(),
                    email: String::new(),
                    external_id: format!("{:032x}", (deps.ids)()),
                    status: CustomerStatus::Active,
                    version: 1,
                    created_at: now,
                    updated_at: now,
                })
                .await?;
            // Read back: where two first calls meet, both must tell the external id that stayed.
            deps.registry.customer(&caller.customer).await?
        }
        other => other,
    };
    match known {
        Some(customer) if customer.status == CustomerStatus::Active => Ok(customer),
        Some(_) => {
            let detail = "This customer is suspended: nothing new can be registered. Ask whoever runs this control plane.";
            Err(Problem::new(StatusCode::FORBIDDEN, "customer-suspended", detail))
        }
        None => Err(Problem::internal("the customer of a key is not in the table")),
    }
}

/// A role belongs to one customer, and a name in an account and Region to one cluster. Answers the cluster itself where this
/// same request has made it before.
async fn unclaimed(deps: &Deps, claims: &Claims, wanted: &Cluster) -> Result<Option<Cluster>, Problem> {
    if claims.another_has_the_role(wanted).await? {
        let detail = "This role is registered by another customer. Make a role of its own, with your external id in its trust policy.";
        return Err(Problem::new(StatusCode::CONFLICT, "role-claimed", detail));
    }
    let there = deps.routes.clusters_of(&wanted.account).await?;
    let same = |c: &&Cluster| c.name == wanted.name && c.region == wanted.region && c.id != wanted.id;
    if let Some(twin) = there.iter().find(same) {
        let detail = format!("A cluster of this name is registered in this account and Region as {}. Change that one with PUT.", twin.id);
        return Err(Problem::new(StatusCode::CONFLICT, "already-registered", detail).with("cluster_id", json!(twin.id)));
    }
    Ok(there.into_iter().find(|c| c.id == wanted.id))
}

/// Whom the role of a cluster trusts. A role that is given to whoever names its ARN is refused: another customer could have us act in
/// this one's account. One that does not trust us yet may be made after the registration, which is where its external id is told.
async fn trusting(deps: &Deps, wanted: &Cluster, customer: Option<&Customer>) -> Result<Trust, Problem> {
    let Some(customer) = customer else {
        return Ok(Trust::NotUs);
    };
    match deps.trust.trust(wanted, &customer.external_id).await {
        Trust::Anybody => {
            let detail = "The role is given to us without its external id, so it trusts anybody. Have its trust policy ask for sts:ExternalId \
                          (infra/customer/cloudformation.yaml does), then register again.";
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "role-trusts-anybody", detail))
        }
        sure @ (Trust::Us | Trust::NotUs | Trust::Unknown { .. }) => Ok(sure),
    }
}

/// Judges where the name of an endpoint leads now. What it leads to later is judged at each connection.
async fn reachable(deps: &Deps, wanted: &Cluster) -> Result<(), Problem> {
    let refuse = |refused: Refused| {
        let wrong = Wrong { field: "k8s_api_endpoint", detail: register::fields::endpoint_refused(&refused) };
        problem::fields(&[wrong]).with("rule", json!(refused.rule()))
    };
    let place = Place::read(&wanted.k8s_api_endpoint, Door::ApiServer).map_err(refuse)?;
    deps.gate.admit(&place).await.map_err(refuse)
}

/// Seals the new token, if there is one, for exactly this cluster and endpoint.
async fn sealed(deps: &Deps, wanted: Wanted) -> Result<Cluster, Problem> {
    let Wanted { mut cluster, token } = wanted;
    if let Some(token) = token {
        cluster.k8s_token = Some(deps.vault.seal(&cluster.seal_context(), &token).await?);
    }
    Ok(cluster)
}

/// `GET /api/v1/admin/clusters/{id}`.
///
/// # Errors
/// 404 where it is not the caller's.
pub async fn show(Desk(deps): Desk, caller: Caller, Path(id): Path<String>) -> Result<Response, Problem> {
    let cluster = own(&deps, &caller, &id).await?;
    let halted = deps.registry.halted(&caller.customer, &cluster.id).await?;
    let customer = deps.registry.customer(&caller.customer).await?;
    let external_id = customer.map(|customer| customer.external_id);
    Ok(tagged(&cluster, ClusterDetail { cluster: ClusterView::of(&cluster, deps.clock.now()), halted, external_id }))
}

/// `PUT /api/v1/admin/clusters/{id}`: changes what the body names.
///
/// # Errors
/// 428 without If-Match, 412 where the cluster is another version by now, 422 for fields.
pub async fn update(
    Desk(deps): Desk,
    claims: Claims,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Params(dry): Params<Dry>,
    Body(body): Body<Update>,
) -> Result<Response, Problem> {
    let cluster = own(&deps, &caller, &id).await?;
    matching(&headers, &etag(&cluster))?;
    let wanted = register::update(&cluster, body, deps.clock.now(), deps.gate.rules()).map_err(|wrong| problem::fields(&wrong))?;
    if wanted.cluster.k8s_api_endpoint != cluster.k8s_api_endpoint {
        reachable(&deps, &wanted.cluster).await?;
    }
    if wanted.cluster.aws_role_arn != cluster.aws_role_arn || wanted.cluster.name != cluster.name || wanted.cluster.region != cluster.region
    {
        unclaimed(&deps, &claims, &wanted.cluster).await?;
    }
    if wanted.cluster.aws_role_arn != cluster.aws_role_arn {
        trusting(&deps, &wanted.cluster, deps.registry.customer(&caller.customer).await?.as_ref()).await?;
    }
    if dry.dry_run {
        return Ok(would(ClusterView::of(&wanted.cluster, deps.clock.now())));
    }
    let changed = sealed(&deps, wanted).await?;
    match deps.registry.put_cluster(&changed, Some(cluster.version)).await {
        Ok(()) => {
            Ok(before(tagged(&changed, ClusterView::of(&changed, deps.clock.now())), json!(ClusterView::of(&cluster, deps.clock.now()))))
        }
        Err(StoreError::Conflict) => Err(stale()),
        Err(error) => Err(error.into()),
    }
}

/// How a cluster is removed.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Removal {
    /// Also while plans are under way: what they have begun then stays as it is.
    #[serde(default)]
    force: bool,
}

/// `DELETE /api/v1/admin/clusters/{id}`. History stays.
///
/// # Errors
/// 409 while plans are under way: they would be left without a cluster, and what they launched without an owner.
pub async fn remove(
    Desk(deps): Desk,
    caller: Caller,
    Path(id): Path<String>,
    Params(removal): Params<Removal>,
    Params(dry): Params<Dry>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let cluster = own(&deps, &caller, &id).await?;
    matching_if_sent(&headers, &etag(&cluster))?;
    let open = deps.journal.open_plans(&caller.customer, &cluster.id).await?;
    if !open.is_empty() && !removal.force {
        let plans: Vec<&str> = open.iter().map(|record| record.plan.key.plan.as_str()).collect();
        let detail =
            "Plans are under way in this cluster. Wait until they are over, or add ?force=true and look after their instances yourself.";
        return Err(Problem::new(StatusCode::CONFLICT, "plans-under-way", detail).with("plans", json!(plans)));
    }
    if dry.dry_run {
        return Ok(would(ClusterView::of(&cluster, deps.clock.now())));
    }
    deps.registry.delete_cluster(&caller.customer, &cluster.id).await?;
    Ok(before(StatusCode::NO_CONTENT.into_response(), json!(ClusterView::of(&cluster, deps.clock.now()))))
}
