//! Whom notices are sent to, what was sent to them, and sending it again.

use super::versions::{matching, matching_if_sent, stale};
use crate::Deps;
use crate::auth::Caller;
use crate::desk::Desk;
use crate::extract::{Body, Dry, NewId, Params};
use crate::paging::{Page, Paging};
use crate::problem::Problem;
use crate::trail::before;
use crate::view::targets::{DeliveryView, QueuedReplay, QueuedTest, TargetView, Targets};
use crate::view::would;
use axum::Json;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use data_encoding::{BASE64, HEXLOWER};
use domain::address::{Door, Place, Refused};
use domain::ids::{ClusterId, TargetId};
use domain::notify::{Channel, TARGETS_MAX, Target, TargetState, Waiting};
use domain::ports::{Moment, Notice, StoreError};
use domain::tenant::Sealed;
use http::{HeaderMap, StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};

/// A target to be.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewTarget")]
pub struct New {
    #[schemars(length(min = 1, max = 100))]
    label: String,
    #[schemars(extend("enum" = ["slack", "webhook", "email"]))]
    channel: String,
    url: Option<String>,
    email: Option<String>,
    #[serde(default)]
    #[schemars(length(max = 50))]
    kinds: Vec<String>,
}

/// What of a target is to change.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "TargetChange")]
pub struct Edit {
    label: Option<String>,
    kinds: Option<Vec<String>>,
    enabled: Option<bool>,
    #[serde(default)]
    rotate_secret: bool,
}

/// What is to be sent again.
#[derive(Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Replay")]
pub struct Again {
    notice_id: String,
}

fn unfit(code: &'static str, detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail.into())
}

fn labelled(label: &str) -> Result<String, Problem> {
    let label = label.trim();
    match label.chars().count() {
        1..=100 if !label.chars().any(char::is_control) => Ok(label.to_owned()),
        _ => Err(unfit("invalid-label", "`label` says in 1 to 100 characters what the target is for.")),
    }
}

fn narrowed(kinds: Vec<String>) -> Result<Vec<String>, Problem> {
    let plain = |kind: &String| (1..=64).contains(&kind.len()) && kind.bytes().all(|b| b.is_ascii_lowercase() || b"-.".contains(&b));
    if kinds.len() <= 50 && kinds.iter().all(plain) {
        return Ok(kinds);
    }
    Err(unfit("invalid-kinds", "`kinds` lists up to 50 kinds of notices, such as `ghost.detected`, or `ghost.` for all that begin so."))
}

async fn find(deps: &Deps, caller: &Caller, id: &str) -> Result<Target, Problem> {
    let absent = || Problem::absent("target");
    let id = TargetId::parse(id).map_err(|_| absent())?;
    deps.outbox.target(&caller.customer, &id).await?.ok_or_else(absent)
}

/// A new signing secret: 32 bytes of two ids, which come from the system's randomness.
fn new_secret(deps: &Deps) -> SecretString {
    let mut bytes = [(deps.ids)().to_be_bytes(), (deps.ids)().to_be_bytes()].concat();
    let secret = SecretString::from(format!("whsec_{}", BASE64.encode(&bytes)));
    bytes.fill(0);
    secret
}

async fn seal(deps: &Deps, target: &Target, secret: &SecretString) -> Result<Sealed, Problem> {
    Ok(deps.vault.seal(&target.seal_context(), secret).await?)
}

/// `GET /api/v1/notifications/targets`.
///
/// # Errors
/// 503 where the table does not answer.
pub async fn list(Desk(deps): Desk, caller: Caller) -> Result<Json<Targets>, Problem> {
    let targets = deps.outbox.targets(&caller.customer).await?;
    Ok(Json(Targets { items: targets.iter().map(TargetView::of).collect() }))
}

/// `POST /api/v1/notifications/targets`. The signing secret of a webhook is in this answer and in no other.
///
/// # Errors
/// 422 where the body does not fit or names an address that is not called, 409 where there are too many targets.
pub async fn create(
    Desk(deps): Desk,
    caller: Caller,
    NewId(new_id): NewId,
    Params(dry): Params<Dry>,
    Body(new): Body<New>,
) -> Result<Response, Problem> {
    if deps.outbox.targets(&caller.customer).await?.len() >= TARGETS_MAX {
        let detail = format!("There are {TARGETS_MAX} targets already. Remove one first.");
        return Err(Problem::new(StatusCode::CONFLICT, "too-many-targets", detail));
    }
    let id = TargetId::parse(format!("target-{new_id}")).map_err(|_| Problem::internal("a new id is no id"))?;
    let mut target = Target {
        id,
        customer: caller.customer.clone(),
        label: labelled(&new.label)?,
        channel: Channel::Email { to: String::new() },
        kinds: narrowed(new.kinds)?,
        state: TargetState::Active,
        created_at: deps.clock.now(),
        version: 1,
    };
    let (channel, secret) = channel(&deps, &target, &new.channel, new.url.map(SecretString::from), new.email).await?;
    target.channel = channel;
    if dry.dry_run {
        return Ok(would(TargetView::of(&target)));
    }
    deps.outbox.put_target(&target).await?;
    let place = format!("/api/v1/notifications/targets/{}", target.id);
    // The one answer that holds a secret is kept by nobody on its way.
    Ok((StatusCode::CREATED, [(header::LOCATION, place)], once(&target, secret.as_ref())).into_response())
}

fn etag(target: &Target) -> String {
    format!("\"{}\"", target.version)
}

/// A target with its ETag, and with a secret that is shown once.
fn once(target: &Target, secret: Option<&SecretString>) -> Response {
    let headers = [(header::ETAG, etag(target)), (header::CACHE_CONTROL, "no-store".to_owned())];
    (headers, Json(TargetView::of(target).with_secret(secret))).into_response()
}

/// Where a receiver is, if it is called at all: as its address is spelled, and as its name leads now.
async fn callable(deps: &Deps, url: &SecretString) -> Result<Place, Problem> {
    let refuse = |refused: Refused| {
        let detail = format!("`url` is the address of a receiver, https://HOST/PATH: {refused}.");
        unfit("address-refused", detail).with("rule", json!(refused.rule()))
    };
    let place = Place::parse(url.expose_secret(), Door::Webhook, deps.gate.rules()).map_err(refuse)?;
    deps.gate.admit(&place).await.map_err(refuse)?;
    Ok(place)
}

async fn channel(
    deps: &Deps,
    target: &Target,
    kind: &str,
    url: Option<SecretString>,
    email: Option<String>,
) -> Result<(Channel, Option<SecretString>), Problem> {
    match (kind, url, email) {
        ("email", None, Some(to)) => {
            let address = to.len() <= 320 && to.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'));
            if !address || !to.bytes().all(|b| b.is_ascii_graphic()) || to.contains([',', ';', '<', '>']) {
                return Err(unfit("invalid-email", "`email` is one address of mail."));
            }
            Ok((Channel::Email { to }, None))
        }
        ("slack" | "webhook", Some(url), None) => {
            let place = callable(deps, &url).await?;
            let sealed = seal(deps, target, &url).await?;
            if kind == "slack" {
                return Ok((Channel::Slack { host: place.host, url: sealed }, None));
            }
            let secret = new_secret(deps);
            let signing = seal(deps, target, &secret).await?;
            Ok((Channel::Webhook { host: place.host, url: sealed, secret: signing, secret_before: None }, Some(secret)))
        }
        _ => Err(unfit("invalid-channel", "`channel` is `slack` or `webhook` with a `url`, or `email` with an `email`.")),
    }
}

/// `GET /api/v1/notifications/targets/{id}`.
///
/// # Errors
/// 404 where it is not the caller's.
pub async fn show(Desk(deps): Desk, caller: Caller, Path(id): Path<String>) -> Result<Response, Problem> {
    let target = find(&deps, &caller, &id).await?;
    Ok(([(header::ETAG, etag(&target))], Json(TargetView::of(&target))).into_response())
}

/// `PUT /api/v1/notifications/targets/{id}`: label, kinds, whether it is sent to, and a new signing secret beside the old one.
///
/// # Errors
/// 404 where it is not the caller's, 412 where somebody else changed it first, 428 without If-Match, 422 where the body does not fit.
pub async fn update(
    Desk(deps): Desk,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Params(dry): Params<Dry>,
    Body(edit): Body<Edit>,
) -> Result<Response, Problem> {
    let was = find(&deps, &caller, &id).await?;
    matching(&headers, &etag(&was))?;
    let enabled = edit.enabled;
    let (target, fresh) = edited(&deps, &caller, &was, edit).await?;
    if dry.dry_run {
        return Ok(would(TargetView::of(&target)));
    }
    match deps.outbox.put_target(&target).await {
        Ok(()) => {}
        Err(StoreError::Conflict) => return Err(stale()),
        Err(error) => return Err(error.into()),
    }
    if enabled == Some(true) {
        deps.outbox.wake(&target, deps.clock.now()).await?;
    }
    Ok(before(once(&target, fresh.as_ref()), json!(TargetView::of(&was))))
}

/// A target as it is wanted, with its new signing secret if one is.
async fn edited(deps: &Deps, caller: &Caller, was: &Target, edit: Edit) -> Result<(Target, Option<SecretString>), Problem> {
    let mut target = was.clone();
    if let Some(label) = &edit.label {
        target.label = labelled(label)?;
    }
    if let Some(kinds) = edit.kinds {
        target.kinds = narrowed(kinds)?;
    }
    match edit.enabled {
        Some(true) => target.state = TargetState::Active,
        Some(false) if target.state == TargetState::Active => {
            target.state = TargetState::Disabled { at: deps.clock.now(), why: format!("{} switched it off", caller.label) };
        }
        Some(false) | None => {}
    }
    let mut fresh = None;
    if edit.rotate_secret {
        let secret = new_secret(deps);
        let sealed = seal(deps, &target, &secret).await?;
        let Channel::Webhook { secret: now, secret_before, .. } = &mut target.channel else {
            return Err(unfit("no-secret", "Only webhooks have a signing secret."));
        };
        *secret_before = Some(std::mem::replace(now, sealed));
        fresh = Some(secret);
    }
    target.version += 1;
    Ok((target, fresh))
}

/// `DELETE /api/v1/notifications/targets/{id}`, with all that waits for it.
///
/// # Errors
/// 404 where it is not the caller's, 412 where If-Match is sent and names another version.
pub async fn remove(
    Desk(deps): Desk,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    Params(dry): Params<Dry>,
) -> Result<Response, Problem> {
    let target = find(&deps, &caller, &id).await?;
    matching_if_sent(&headers, &etag(&target))?;
    if dry.dry_run {
        return Ok(would(TargetView::of(&target)));
    }
    deps.outbox.delete_target(&caller.customer, &target.id).await?;
    Ok(before(StatusCode::NO_CONTENT.into_response(), json!(TargetView::of(&target))))
}

/// `POST /api/v1/notifications/targets/{id}/test`: a notice that says that it is a test goes into the target's lane.
///
/// # Errors
/// 404 where it is not the caller's.
pub async fn test(
    Desk(deps): Desk,
    caller: Caller,
    Path(id): Path<String>,
    NewId(new): NewId,
    Params(dry): Params<Dry>,
) -> Result<Response, Problem> {
    let target = find(&deps, &caller, &id).await?;
    let now = deps.clock.now();
    let cluster = ClusterId::parse("none").map_err(|_| Problem::internal("a constant is no id"))?;
    let said = vec![format!("{} asked for a test of {}. Nothing has happened.", caller.label, target.label)];
    let mut notice = Notice::new((&caller.customer, &cluster), ("test", Moment::Detected), (target.id.as_str(), now), said, now);
    notice.id = format!("test/{new}");
    let queued = QueuedTest { notice_id: notice.id.clone(), target: TargetView::of(&target) };
    if dry.dry_run {
        return Ok(would(queued));
    }
    deps.outbox.enter(&target, Waiting { since: now, replay: 0, notice }).await?;
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, log_of(&target))], Json(queued)).into_response())
}

/// Where what was sent to a target is listed.
fn log_of(target: &Target) -> String {
    format!("/api/v1/notifications/targets/{}/deliveries", target.id)
}

/// `GET /api/v1/notifications/targets/{id}/deliveries`: what was sent, newest first, for thirty days.
///
/// # Errors
/// 404 where it is not the caller's.
pub async fn deliveries(
    Desk(deps): Desk,
    caller: Caller,
    Path(id): Path<String>,
    paging: Paging,
) -> Result<Json<Page<DeliveryView>>, Problem> {
    let target = find(&deps, &caller, &id).await?;
    let page = deps.outbox.deliveries(&target.lane(), paging.after.as_deref(), paging.limit).await?;
    Ok(Json(Page::of(page.items.iter().map(DeliveryView::of).collect(), page.next.as_deref())))
}

/// How many pages of the log are looked through for a notice.
const PAGES_MAX: usize = 20;

/// `POST /api/v1/notifications/targets/{id}/deliveries/replay`: what was sent is sent once more, under the id that it had.
///
/// # Errors
/// 404 where it is not the caller's, or the log does not hold the notice any more.
pub async fn replay(
    Desk(deps): Desk,
    caller: Caller,
    Path(id): Path<String>,
    NewId(new): NewId,
    Params(dry): Params<Dry>,
    Body(again): Body<Again>,
) -> Result<Response, Problem> {
    let target = find(&deps, &caller, &id).await?;
    let mut after = None;
    for _ in 0..PAGES_MAX {
        let page = deps.outbox.deliveries(&target.lane(), after.as_deref(), 200).await?;
        if let Some(found) = page.items.iter().find(|sent| sent.waiting.notice.id == again.notice_id) {
            // The same request leads to the same mark, so that a repeated one sends nothing a third time.
            let mark = Sha256::digest(&new).iter().take(4).fold(0_u32, |mark, byte| (mark << 8) | u32::from(*byte)).max(1);
            let body = QueuedReplay { notice_id: again.notice_id, replay: HEXLOWER.encode(&mark.to_be_bytes()) };
            if dry.dry_run {
                return Ok(would(body));
            }
            let waiting = Waiting { since: deps.clock.now(), replay: mark, notice: found.waiting.notice.clone() };
            deps.outbox.enter(&target, waiting).await?;
            return Ok((StatusCode::ACCEPTED, [(header::LOCATION, log_of(&target))], Json(body)).into_response());
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Err(Problem::absent("notice"))
}
