//! Keys of the API: listed, made, taken back. A key is shown once, on the page that answers its making; what is kept is its hash.

use crate::ask::{Act, Answer, Ask};
use crate::failure::Failure;
use crate::session::hash_of;
use crate::show;
use crate::trail::changed;
use crate::view::{Cell, Column, Field, Form, Page, Part, Table, Tone, render};
use crate::words;
use domain::SignedDuration;
use domain::tenant::{ApiKey, Role};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

/// Keys of a customer, those that were taken back included: as many as the API makes.
const KEYS_MAX: usize = 200;
/// For how many days a key works.
const DAYS: [i64; 4] = [7, 30, 90, 365];

const LEAD: &str = "Who may use the API and this console. A key is shown once, when it is made; nobody can read it later.";
const ROLES: [Role; 3] = [Role::Viewer, Role::Operator, Role::Admin];

/// `GET /console/keys`.
///
/// # Errors
/// The table did not answer.
pub async fn show(ask: Ask) -> Answer {
    if !ask.may(Role::Admin) {
        let says = "Keys are an administrator's: ask whoever made yours for another.".to_owned();
        return ask.page(Page::new("keys", "Keys", LEAD).with(Part::Note(Tone::Quiet, says))).await;
    }
    let page = page(&ask).await?;
    ask.page(page).await
}

async fn page(ask: &Ask) -> Result<Page, Failure> {
    let keys = ask.deps.registry.api_keys(&ask.session.customer, None, KEYS_MAX).await?.items;
    let roles = ROLES.iter().map(|role| (words::role(*role).to_owned(), words::role(*role).to_owned())).collect();
    let days = DAYS.iter().map(|days| (days.to_string(), format!("{days} days"))).collect();
    let form = Form::new("/console/keys/create", "Make a key")
        .says("It works at once. Give everyone and everything a key of its own, with the least role that does.")
        .field(Field::text("label", "What it is for", ""))
        .field(Field::choice("role", "Role", "viewer", roles))
        .field(Field::choice("days", "Works for", "90", days));
    Ok(Page::new("keys", "Keys", LEAD).with(Part::Forms(vec![form])).with(table(&keys, ask)))
}

fn table(keys: &[ApiKey], ask: &Ask) -> Table {
    let columns = ["For", "Role", "State", "Made", "Ends", ""].map(Column::text);
    let rows = keys.iter().map(|key| {
        let works = key.works(ask.now);
        let (word, tone) = match (key.revoked, works) {
            (true, _) => ("revoked", Tone::Quiet),
            (false, true) => ("works", Tone::Good),
            (false, false) => ("over", Tone::Quiet),
        };
        let revoke = Form::new("/console/keys/revoke", "Revoke").tone(Tone::Bad).field(Field::hidden("id", key.id.as_str()));
        vec![
            Cell::text(key.label.clone()).beneath(key.id.clone()),
            Cell::text(words::role(key.role)),
            Cell::mark(word, tone),
            key.created_at.map_or_else(|| Cell::text("–"), |at| Cell::ago(ask.now, at)),
            key.expires_at.map_or_else(|| Cell::text("never"), |at| Cell::text(show::ahead(ask.now, at)).beneath(show::utc(at))),
            if works { Cell::default().button(revoke) } else { Cell::default() },
        ]
    });
    Table::new("keys", "Keys")
        .columns(columns)
        .rows(rows)
        .empty("No key has a name. The first administrator's key is set when the stack is made.")
}

/// `POST /console/keys/create`: `label`, `role`, `days`. The answer is the page, with the key on it: it is in no address and in no log.
///
/// # Errors
/// They may not, a field says nothing, or there are too many.
pub async fn create(act: Act) -> Answer {
    act.must(Role::Admin)?;
    let label = act.need("label")?.to_owned();
    if label.chars().count() > 100 || label.chars().any(char::is_control) {
        return Err(Failure::Refused("Say in 1 to 100 characters what the key is for.".to_owned()));
    }
    let role = ROLES.into_iter().find(|role| act.get("role") == Some(words::role(*role)));
    let role = role.ok_or_else(|| Failure::Refused("There is no such role.".to_owned()))?;
    let days = act.need("days")?.parse().ok().filter(|days: &i64| DAYS.contains(days));
    let days = days.ok_or_else(|| Failure::Refused("Choose for how long it works.".to_owned()))?;
    let (deps, customer) = (&act.ask.deps, &act.ask.session.customer);
    if deps.registry.api_keys(customer, None, KEYS_MAX).await?.items.len() >= KEYS_MAX {
        return Err(Failure::Refused(format!("There are {KEYS_MAX} keys already. Use one of them.")));
    }
    let secret = SecretString::from(format!("co_{:032x}{:032x}", (deps.ids)(), (deps.ids)()));
    let hash = hash_of(secret.expose_secret()).ok_or_else(|| Failure::Internal("a key of ours is none".to_owned()))?;
    let key = ApiKey {
        id: format!("k-{:032x}", (deps.ids)()),
        hash,
        customer: customer.clone(),
        role,
        label,
        expires_at: act.ask.now.checked_add(SignedDuration::from_hours(24 * days)).ok(),
        revoked: false,
        created_at: Some(act.ask.now),
    };
    deps.registry.put_api_key(&key).await?;
    tracing::info!(customer.id = %key.customer, key.id, by = act.ask.session.label, "A key was made in the console");
    let mut page = page(&act.ask).await?;
    page.parts.insert(
        0,
        Part::Secret { says: "This is the key. It is shown here once: copy it now.", secret: secret.expose_secret().to_owned() },
    );
    Ok(changed(render(&act.ask, page).await?, Value::Null, told(&key)))
}

/// A key as the trail keeps it: nothing of it opens anything.
fn told(key: &ApiKey) -> Value {
    json!({ "id": key.id, "label": key.label, "role": key.role, "expires_at": key.expires_at, "revoked": key.revoked })
}

/// `POST /console/keys/revoke`: `id`. It stops working with the next request, and stays in the list.
///
/// # Errors
/// They may not, or it is not theirs.
pub async fn revoke(act: Act) -> Answer {
    act.must(Role::Admin)?;
    let (deps, session) = (&act.ask.deps, &act.ask.session);
    let key = deps.registry.named_key(&session.customer, act.need("id")?).await?.ok_or(Failure::Absent("key"))?;
    tracing::info!(customer.id = %key.customer, key.id, by = session.label, "A key was revoked in the console");
    let revoked = ApiKey { revoked: true, ..key.clone() };
    deps.registry.put_api_key(&revoked).await?;
    Ok(changed(act.done("/console/keys", "revoked")?, told(&key), told(&revoked)))
}
