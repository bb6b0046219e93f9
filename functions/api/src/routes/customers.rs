//! Customers: registered by whoever runs this control plane; each sees and changes itself.

use super::versions::{matching, stale};
use crate::Deps;
use crate::auth::{Caller, operator_only};
use crate::desk::Office;
use crate::extract::{Body, Dry, NewId, Params};
use crate::paging::{Page, Paging};
use crate::problem::Problem;
use crate::trail::before;
use crate::view::would;
use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use domain::Timestamp;
use domain::ids::CustomerId;
use domain::ports::StoreError;
use domain::tenant::{Customer, CustomerStatus};
use http::{HeaderMap, StatusCode, header};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// A customer to be. There is no place for an external id: it is made by us.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewCustomer")]
pub struct New {
    /// Name of the company, 1 to 255 characters.
    #[schemars(length(min = 1, max = 255))]
    company_name: String,
    /// Whom to write to.
    #[schemars(email)]
    email: String,
}

/// What of a customer is to change.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CustomerChange")]
pub struct Edit {
    /// Name of the company, 1 to 255 characters.
    company_name: Option<String>,
    /// Whom to write to.
    email: Option<String>,
    /// `active` or `suspended`: for whoever runs this control plane.
    status: Option<CustomerStatus>,
}

/// The customer that a request is about: the caller's own, or for whoever runs this control plane any.
///
/// # Errors
/// 404 for another customer's.
pub(super) async fn whose(deps: &Deps, caller: &Caller, id: Option<&str>) -> Result<CustomerId, Problem> {
    match id {
        None => Ok(caller.customer.clone()),
        Some(id) if id == caller.customer.as_str() => Ok(caller.customer.clone()),
        Some(id) => Ok(find(deps, caller, id).await?.id),
    }
}

/// A customer that the caller may see.
///
/// # Errors
/// 404 for another customer's.
pub(super) async fn find(deps: &Deps, caller: &Caller, id: &str) -> Result<Customer, Problem> {
    let absent = || Problem::absent("customer");
    let id = CustomerId::parse(id).map_err(|_| absent())?;
    if id != caller.customer && !caller.is_operator() {
        return Err(absent());
    }
    deps.registry.customer(&id).await?.ok_or_else(absent)
}

/// A customer, as it is shown.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Customer")]
pub struct CustomerView {
    customer_id: CustomerId,
    company_name: String,
    email: String,
    /// What roles that are made for us must ask for.
    external_id: String,
    status: CustomerStatus,
    version: u64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

fn shown(customer: &Customer) -> CustomerView {
    CustomerView {
        customer_id: customer.id.clone(),
        company_name: customer.company_name.clone(),
        email: customer.email.clone(),
        external_id: customer.external_id.clone(),
        status: customer.status,
        version: customer.version,
        created_at: customer.created_at,
        updated_at: customer.updated_at,
    }
}

fn with_tag(customer: &Customer) -> Response {
    ([(header::ETAG, format!("\"{}\"", customer.version))], Json(shown(customer))).into_response()
}

fn unfit(code: &'static str, detail: &str) -> Result<(), Problem> {
    Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail))
}

fn a_name(company_name: &str) -> Result<(), Problem> {
    if !(1..=255).contains(&company_name.chars().count()) || company_name.chars().any(char::is_control) {
        return unfit("invalid-company-name", "`company_name` has 1 to 255 characters.");
    }
    Ok(())
}

fn an_address(email: &str) -> Result<(), Problem> {
    let one = email.len() <= 255 && email.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'));
    if !one || !email.bytes().all(|b| b.is_ascii_graphic()) || email.contains([',', ';', '<', '>']) {
        return unfit("invalid-email", "`email` is one address of mail.");
    }
    Ok(())
}

/// `GET /api/v1/admin/customers`: all for whoever runs this control plane, and itself for a customer.
///
/// # Errors
/// The table did not answer.
pub async fn list(Office(deps): Office, caller: Caller, paging: Paging) -> Result<Json<Page<CustomerView>>, Problem> {
    if !caller.is_operator() {
        let own = deps.registry.customer(&caller.customer).await?;
        return Ok(Json(Page::of(own.iter().map(shown).collect(), None)));
    }
    let found = deps.registry.customers(paging.after.as_deref(), paging.limit).await?;
    Ok(Json(Page::of(found.items.iter().map(shown).collect(), found.next.as_deref())))
}

/// `POST /api/v1/admin/customers`: the answer names the external id for the trust policies of their roles.
///
/// # Errors
/// 403 for all but whoever runs this control plane, 422 for fields.
pub async fn create(
    Office(deps): Office,
    caller: Caller,
    NewId(new_id): NewId,
    Params(dry): Params<Dry>,
    Body(new): Body<New>,
) -> Result<Response, Problem> {
    operator_only(&caller)?;
    a_name(&new.company_name)?;
    an_address(&new.email)?;
    let id = CustomerId::parse(format!("cust-{new_id}")).map_err(Problem::internal)?;
    // The same request came before and its answer was lost: an external id is never made twice.
    let customer = match deps.registry.customer(&id).await? {
        Some(made) => made,
        None => {
            let now = deps.clock.now();
            let made = Customer {
                id,
                company_name: new.company_name,
                email: new.email,
                external_id: format!("{:032x}", (deps.ids)()),
                status: CustomerStatus::Active,
                version: 1,
                created_at: now,
                updated_at: now,
            };
            if dry.dry_run {
                return Ok(would(shown(&made)));
            }
            deps.registry.put_customer(&made).await?;
            made
        }
    };
    let place = format!("/api/v1/admin/customers/{}", customer.id);
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], with_tag(&customer)).into_response())
}

/// `GET /api/v1/admin/customers/{id}`.
///
/// # Errors
/// 404 for another customer's.
pub async fn show(Office(deps): Office, caller: Caller, Path(id): Path<String>) -> Result<Response, Problem> {
    Ok(with_tag(&find(&deps, &caller, &id).await?))
}

/// `PUT /api/v1/admin/customers/{id}`: changes what the body names. A customer that is suspended is also halted.
///
/// # Errors
/// 403 for a status that is not the caller's to set, 404, 412, 428, 422 for fields.
pub async fn update(
    Office(deps): Office,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Params(dry): Params<Dry>,
    Body(edit): Body<Edit>,
) -> Result<Response, Problem> {
    let was = find(&deps, &caller, &id).await?;
    matching(&headers, &format!("\"{}\"", was.version))?;
    let mut to = was.clone();
    if let Some(name) = edit.company_name {
        a_name(&name)?;
        to.company_name = name;
    }
    if let Some(email) = edit.email {
        an_address(&email)?;
        to.email = email;
    }
    if let Some(status) = edit.status.filter(|status| *status != was.status) {
        operator_only(&caller)?;
        to.status = status;
    }
    to.version = was.version.saturating_add(1);
    to.updated_at = deps.clock.now();
    if dry.dry_run {
        return Ok(would(shown(&to)));
    }
    match deps.registry.change_customer(&to, was.version).await {
        Ok(()) => {}
        Err(StoreError::Conflict) => return Err(stale()),
        Err(error) => return Err(error.into()),
    }
    if to.status != was.status {
        // The stop is what plans in mid-flight look at; it outlives a suspension only if somebody else has pulled it too.
        let words = (to.status == CustomerStatus::Suspended).then(|| format!("the customer is suspended ({})", caller.label));
        deps.registry.set_halt(Some(&to.id), None, words.as_deref()).await?;
    }
    Ok(before(with_tag(&to), json!(shown(&was))))
}
