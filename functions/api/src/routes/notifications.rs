//! Whom notices are sent to, what was sent to them, and sending it again.

use crate::Deps;
use crate::auth::Caller;
use crate::extract::{Body, NewId};
use crate::paging::Paging;
use crate::problem::Problem;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use data_encoding::{BASE64, HEXLOWER};
use domain::address::{Door, Place, Refused};
use domain::ids::{ClusterId, TargetId};
use domain::notify::{Channel, Delivery, TARGETS_MAX, Target, TargetState, Waiting, retry};
use domain::ports::{Moment, Notice};
use domain::tenant::Sealed;
use http::{StatusCode, header};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::sync::Arc;

type Api = State<Arc<Deps>>;

/// A target to be.
#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewTarget")]
pub struct New {
    label: String,
    channel: String,
    url: Option<String>,
    email: Option<String>,
    #[serde(default)]
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

/// As people see it: of a URL its host, of a secret nothing.
fn shown(target: &Target) -> Value {
    let to = match &target.channel {
        Channel::Slack { host, .. } | Channel::Webhook { host, .. } => host,
        Channel::Email { to } => to,
    };
    let (enabled, disabled_at, disabled_because) = match &target.state {
        TargetState::Active => (true, None, None),
        TargetState::Disabled { at, why } => (false, Some(at), Some(why)),
    };
    json!({
        "target_id": target.id,
        "label": target.label,
        "channel": target.channel.as_str(),
        "to": to,
        "kinds": target.kinds,
        "enabled": enabled,
        "disabled_at": disabled_at,
        "disabled_because": disabled_because,
        "created_at": target.created_at,
        "version": target.version,
    })
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
pub async fn list(State(deps): Api, caller: Caller) -> Result<Json<Value>, Problem> {
    let targets = deps.outbox.targets(&caller.customer).await?;
    Ok(Json(json!({ "items": targets.iter().map(shown).collect::<Vec<_>>() })))
}

/// `POST /api/v1/notifications/targets`. The signing secret of a webhook is in this answer and in no other.
///
/// # Errors
/// 422 where the body does not fit or names an address that is not called, 409 where there are too many targets.
pub async fn create(State(deps): Api, caller: Caller, NewId(new_id): NewId, Body(new): Body<New>) -> Result<Response, Problem> {
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
    deps.outbox.put_target(&target).await?;
    let mut body = shown(&target);
    if let (Some(fields), Some(secret)) = (body.as_object_mut(), secret) {
        fields.insert("secret".to_owned(), Value::from(secret.expose_secret()));
    }
    let place = format!("/api/v1/notifications/targets/{}", target.id);
    // The one answer that holds a secret is kept by nobody on its way.
    Ok((StatusCode::CREATED, [(header::LOCATION, place), (header::CACHE_CONTROL, "no-store".to_owned())], Json(body)).into_response())
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
pub async fn show(State(deps): Api, caller: Caller, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    Ok(Json(shown(&find(&deps, &caller, &id).await?)))
}

/// `PUT /api/v1/notifications/targets/{id}`: label, kinds, whether it is sent to, and a new signing secret beside the old one.
///
/// # Errors
/// 404 where it is not the caller's, 409 where somebody else changed it first, 422 where the body does not fit.
pub async fn update(State(deps): Api, caller: Caller, Path(id): Path<String>, Body(edit): Body<Edit>) -> Result<Response, Problem> {
    let mut target = find(&deps, &caller, &id).await?;
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
        let secret = new_secret(&deps);
        let sealed = seal(&deps, &target, &secret).await?;
        let Channel::Webhook { secret: now, secret_before, .. } = &mut target.channel else {
            return Err(unfit("no-secret", "Only webhooks have a signing secret."));
        };
        *secret_before = Some(std::mem::replace(now, sealed));
        fresh = Some(secret);
    }
    target.version += 1;
    deps.outbox.put_target(&target).await?;
    if edit.enabled == Some(true) {
        deps.outbox.wake(&target, deps.clock.now()).await?;
    }
    let mut body = shown(&target);
    if let (Some(fields), Some(secret)) = (body.as_object_mut(), fresh) {
        fields.insert("secret".to_owned(), Value::from(secret.expose_secret()));
    }
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response())
}

/// `DELETE /api/v1/notifications/targets/{id}`, with all that waits for it.
///
/// # Errors
/// 404 where it is not the caller's.
pub async fn remove(State(deps): Api, caller: Caller, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let target = find(&deps, &caller, &id).await?;
    deps.outbox.delete_target(&caller.customer, &target.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /api/v1/notifications/targets/{id}/test`: a notice that says that it is a test goes into the target's lane.
///
/// # Errors
/// 404 where it is not the caller's.
pub async fn test(State(deps): Api, caller: Caller, Path(id): Path<String>, NewId(new): NewId) -> Result<Response, Problem> {
    let target = find(&deps, &caller, &id).await?;
    let now = deps.clock.now();
    let cluster = ClusterId::parse("none").map_err(|_| Problem::internal("a constant is no id"))?;
    let said = vec![format!("{} asked for a test of {}. Nothing has happened.", caller.label, target.label)];
    let mut notice = Notice::new((&caller.customer, &cluster), ("test", Moment::Detected), (target.id.as_str(), now), said, now);
    notice.id = format!("test/{new}");
    deps.outbox.enter(&target, Waiting { since: now, replay: 0, notice: notice.clone() }).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "notice_id": notice.id, "target": shown(&target) }))).into_response())
}

/// `GET /api/v1/notifications/targets/{id}/deliveries`: what was sent, newest first, for thirty days.
///
/// # Errors
/// 404 where it is not the caller's.
pub async fn deliveries(State(deps): Api, caller: Caller, Path(id): Path<String>, paging: Paging) -> Result<Json<Value>, Problem> {
    let target = find(&deps, &caller, &id).await?;
    let page = deps.outbox.deliveries(&target.lane(), paging.after.as_deref(), paging.limit).await?;
    let items: Vec<Value> = page.items.iter().map(sent).collect();
    Ok(crate::paging::page(&items, page.next.as_deref()))
}

fn sent(delivery: &Delivery) -> Value {
    let notice = &delivery.waiting.notice;
    json!({
        "notice_id": notice.id,
        "kind": notice.kind,
        "cluster_id": notice.cluster,
        "subject": notice.subject,
        "sentences": notice.sentences,
        "attempt": delivery.attempt,
        "at": delivery.at,
        "result": delivery.sending,
        "said": retry::said(&delivery.sending),
    })
}

/// How many pages of the log are looked through for a notice.
const PAGES_MAX: usize = 20;

/// `POST /api/v1/notifications/targets/{id}/deliveries/replay`: what was sent is sent once more, under the id that it had.
///
/// # Errors
/// 404 where it is not the caller's, or the log does not hold the notice any more.
pub async fn replay(
    State(deps): Api,
    caller: Caller,
    Path(id): Path<String>,
    NewId(new): NewId,
    Body(again): Body<Again>,
) -> Result<Response, Problem> {
    let target = find(&deps, &caller, &id).await?;
    let mut after = None;
    for _ in 0..PAGES_MAX {
        let page = deps.outbox.deliveries(&target.lane(), after.as_deref(), 200).await?;
        if let Some(found) = page.items.iter().find(|sent| sent.waiting.notice.id == again.notice_id) {
            // The same request leads to the same mark, so that a repeated one sends nothing a third time.
            let mark = Sha256::digest(&new).iter().take(4).fold(0_u32, |mark, byte| (mark << 8) | u32::from(*byte)).max(1);
            let waiting = Waiting { since: deps.clock.now(), replay: mark, notice: found.waiting.notice.clone() };
            deps.outbox.enter(&target, waiting).await?;
            let body = json!({ "notice_id": again.notice_id, "replay": HEXLOWER.encode(&mark.to_be_bytes()) });
            return Ok((StatusCode::ACCEPTED, Json(body)).into_response());
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    Err(Problem::absent("notice"))
}
