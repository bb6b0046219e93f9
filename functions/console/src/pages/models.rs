//! Models of the decision server: uploaded, run in the shadow, activated, rolled back; and who answers.

use crate::ask::{Act, Answer, Ask};
use crate::failure::Failure;
use crate::routes::Connects;
use crate::server::{get, instant, list, manages, send, text};
use crate::view::{Card, Cell, Column, Field, Form, Page, Part, Table, Tone, aged};
use axum::Json;
use axum::response::IntoResponse;
use domain::tenant::Role;
use http::{Method, StatusCode};
use serde_json::{Value, json};

const MODELS: &str = "/api/v1/ml/models";
/// Where the script of the page asks for an address.
const UPLOADS: &str = "/console/models/uploads";

/// `GET /console/models`; `model` shows how one would have done.
///
/// # Errors
/// The page cannot be made; a decision server that is down is said on it.
pub async fn show(ask: Ask) -> Answer {
    let lead = "A model says how likely spot is taken back, in the place of the decision server's own engine. It is checked when it is \
                uploaded, runs in the shadow before it speaks, and is rolled back with one click. Nothing is trained here.";
    let mut page = Page::new("models", "Models", lead);
    let listed = match get(&ask, MODELS).await {
        Ok(listed) => listed,
        Err(why) => return ask.page(page.with(Part::Note(Tone::Warn, why))).await,
    };
    let contract = get(&ask, &format!("{MODELS}/contract")).await.unwrap_or_default();
    let deployment = &listed["deployment"];
    let models = list(&listed, "models");
    page = page.with(cards(&listed, &ask));
    if manages(&ask) {
        page = page.with(Part::Forms(forms(deployment, &contract["uploads"])));
    } else {
        page = page.with(Part::Note(Tone::Quiet, "Models serve every customer: whoever runs this control plane manages them.".to_owned()));
    }
    page = page.with(table(models, &ask));
    if let Some(id) = ask.get("model").filter(|id| models.iter().any(|model| text(model, "id") == *id)) {
        page = match get(&ask, &format!("{MODELS}/{id}/comparison?days=31")).await {
            Ok(trial) => page.with(trial_table(&trial)),
            Err(why) => page.with(Part::Note(Tone::Warn, why)),
        };
    }
    page = page.with(changes(deployment, models, &ask));
    if contract.is_object() {
        page = page.with(columns(&contract));
    }
    let mut answer = ask.page(page).await?;
    // The script of this page puts files there: nowhere else, and from no other page.
    if let Some(connects) = Connects::to(text(&contract["uploads"], "origin")).filter(|_| manages(&ask)) {
        answer.extensions_mut().insert(connects);
    }
    Ok(answer)
}

fn name_of<'a>(models: &'a [Value], id: &'a str) -> &'a str {
    models.iter().find(|model| text(model, "id") == id).map_or(id, |model| text(model, "name"))
}

fn cards(listed: &Value, ask: &Ask) -> Vec<Card> {
    let (models, deployment) = (list(listed, "models"), &listed["deployment"]);
    let speaks = text(deployment, "engine") == "model" && deployment["active"].is_string();
    let last = list(deployment, "changes").first();
    let age = last.map_or_else(|| "never changed".to_owned(), |change| format!("changed {}", aged(ask.now, instant(change, "at"))));
    let (who, tone) = if speaks { (name_of(models, text(deployment, "active")), Tone::Good) } else { ("built-in engine", Tone::Plain) };
    let shadow = deployment["shadow"].as_str().map_or("none", |id| name_of(models, id));
    vec![
        Card::new("Who answers", who, age).tone(tone),
        Card::new("In the shadow", shadow, "logged, told to nobody"),
        Card::new("Models kept", models.len().to_string(), "50 at most"),
        Card::new("Steps back", list(deployment, "before").len().to_string(), "how often it can be rolled back"),
    ]
}

fn forms(deployment: &Value, uploads: &Value) -> Vec<Form> {
    // Where the decision server takes no file by itself, the file goes with the form.
    let (field, megabytes) = match uploads["bytes_max"].as_u64() {
        Some(bytes) => (Field::upload("onnx", "File", UPLOADS), bytes / 1_000_000),
        None => (Field::file("onnx", "File"), 3),
    };
    let mut forms = vec![
        Form::new("/console/models/upload", "Upload")
            .says(format!("ONNX, {megabytes} MB at most. It is checked and run on a probe before it is kept."))
            .field(Field::text("name", "Name", ""))
            .field(field),
    ];
    if !list(deployment, "before").is_empty() {
        forms.push(Form::new("/console/models/rollback", "Roll back").tone(Tone::Bad).says("What answered before answers again."));
    }
    if deployment["active"].is_string() {
        let model = text(deployment, "engine") == "model";
        let (to, button, says) = if model {
            ("built-in", "Use the built-in engine", "The active model is kept, and can be chosen again.")
        } else {
            ("model", "Use the active model", "It answers from the next question on.")
        };
        forms.push(Form::new("/console/models/engine", button).field(Field::hidden("engine", to)).says(says));
    }
    forms
}

fn table(models: &[Value], ask: &Ask) -> Table {
    let columns = [
        Column::text("Model"),
        Column::text("State"),
        Column::number("Size", "KB"),
        Column::text("Made of"),
        Column::text("On the probe"),
        Column::text("Uploaded"),
        Column::text(""),
        Column::text(""),
    ];
    let rows = models.iter().map(|model| {
        let (id, state, check) = (text(model, "id"), text(model, "state"), &model["check"]);
        let tone = match state {
            "active" => Tone::Good,
            "shadow" => Tone::Busy,
            "retired" => Tone::Quiet,
            _ => Tone::Plain,
        };
        let operators: Vec<&str> = list(check, "operators").iter().filter_map(Value::as_str).collect();
        let share = |name: &str| check[name].as_f64().unwrap_or_default() * 100.0;
        let may = manages(ask);
        let form = |path: &str, button: &str| Form::new(format!("/console/models/{path}"), button).field(Field::hidden("model", id));
        let (first, second) = match state {
            "shadow" => (Some(form("activate", "Activate")), Some(form("shadow-end", "End the shadow run").tone(Tone::Quiet))),
            "active" => (None, None),
            "retired" => (Some(form("activate", "Activate")), Some(form("remove", "Remove").tone(Tone::Bad))),
            _ => (Some(form("shadow", "Run in the shadow")), Some(form("remove", "Remove").tone(Tone::Bad))),
        };
        let button = |form: Option<Form>| form.filter(|_| may).map_or_else(Cell::default, |form| Cell::default().button(form));
        vec![
            Cell::link(text(model, "name"), format!("/console/models?model={id}"))
                .beneath(format!("{id}, SHA-256 {}…", &text(model, "sha256").get(..12).unwrap_or_default())),
            Cell::mark(state, tone),
            Cell::text(format!("{:.1}", model["bytes"].as_f64().unwrap_or_default() / 1_000.0)).figure(),
            Cell::text(operators.join(", ")).beneath(format!("opset {}, {} multiplications a pool", check["opset"], check["cost"])),
            Cell::text(format!("{:.1} % to {:.1} %", share("lowest"), share("highest"))),
            instant(model, "at").map_or_else(Cell::default, |at| Cell::ago(ask.now, at)).beneath(format!("by {}", text(model, "by"))),
            button(first),
            button(second),
        ]
    });
    Table::new("models", "Versions, newest first")
        .columns(columns)
        .rows(rows)
        .age("a name leads to how the model would have done")
        .empty("No model was uploaded: the decision server's own engine answers. What a model is given stands below.")
}

fn trial_table(trial: &Value) -> Table {
    let tried = list(trial, "tried").iter().map(|score| (score, "this model, tried on the log"));
    let spoke = list(trial, "spoke").iter().map(|score| (score, "spoke then"));
    let rows = tried.chain(spoke).map(|(score, how)| super::predictions::score_row(score, how));
    Table::new("trial", "On logged predictions whose outcome is known")
        .columns(super::predictions::score_columns())
        .rows(rows)
        .age(format!("{} outcomes of 31 days", trial["pairs"]))
        .empty("No logged prediction has an outcome yet: the first come an hour after the first round with spot nodes.")
}

fn changes(deployment: &Value, models: &[Value], ask: &Ask) -> Table {
    let rows = list(deployment, "changes").iter().take(50).map(|change| {
        let model = change["model"].as_str().map_or("built-in engine", |id| name_of(models, id));
        vec![
            instant(change, "at").map_or_else(Cell::default, |at| Cell::ago(ask.now, at)),
            Cell::text(text(change, "what").replace('-', " ")),
            Cell::text(model),
            Cell::text(text(change, "by")),
        ]
    });
    Table::new("changes", "Who, when and what")
        .columns(["When", "What", "Model", "By"].map(Column::text))
        .rows(rows)
        .empty("Nothing was changed yet.")
}

fn columns(contract: &Value) -> Table {
    let rows = list(contract, "input").iter().enumerate().map(|(place, column)| {
        vec![
            Cell::count(place),
            Cell::text(text(column, "name")),
            Cell::text(text(column, "says")),
            Cell::text(format!("{} to {}", column["low"], column["high"])),
        ]
    });
    let names = [Column::number("Column", ""), Column::text("Name"), Column::text("What it is"), Column::text("Range")];
    Table::new("contract", format!("What a model is given: {}, float32 [N, 12]", text(contract, "contract")))
        .columns(names)
        .rows(rows)
        .age(format!("it answers {}", text(contract, "output")))
}

/// What the field holds, if it can be the id of a model: it stands in a path.
fn model(act: &Act) -> Result<String, Failure> {
    let id = act.need("model")?;
    let sound = id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if sound { Ok(id.to_owned()) } else { Err(Failure::Absent("model")) }
}

/// `POST /console/models/uploads`: `bytes` and `sha256` of a file; the address that it is put at, for the script of the page.
///
/// # Errors
/// They may not. What the decision server says no to is told to the script.
pub async fn begin(act: Act) -> Answer {
    act.must(Role::Admin)?;
    let bytes = act.need("bytes")?.parse::<u32>().map_err(|_| Failure::Refused("The file has no size, or is too large.".to_owned()))?;
    let body = json!({ "bytes": bytes, "sha256": act.get("sha256") });
    match send(&act, Method::POST, &format!("{MODELS}/uploads"), Some(&body)).await {
        Ok(begun) => Ok(Json(begun).into_response()),
        Err(Failure::Refused(why)) => Ok((StatusCode::CONFLICT, Json(json!({ "why": why }))).into_response()),
        Err(other) => Err(other),
    }
}

/// `POST /console/models/upload`: `name`, and `upload_id` of a file that was put by itself; or `onnx`, the file in base64 for addresses, as
/// the page's script makes it.
///
/// # Errors
/// They may not, or the model does not fit: then why.
pub async fn upload(act: Act) -> Answer {
    act.must(Role::Admin)?;
    let name = act.need("name")?;
    let body = match act.get("upload_id") {
        Some(id) => json!({ "name": name, "upload_id": id }),
        None => {
            let onnx = act.need("onnx")?.replace('-', "+").replace('_', "/");
            let padding = "=".repeat((4 - onnx.len() % 4) % 4);
            json!({ "name": name, "onnx_base64": format!("{onnx}{padding}") })
        }
    };
    send(&act, Method::POST, MODELS, Some(&body)).await?;
    act.done("/console/models", "uploaded")
}

async fn tell(act: &Act, method: Method, what: &str, said: &str) -> Answer {
    act.must(Role::Admin)?;
    send(act, method, &format!("{MODELS}/{}{what}", model(act)?), None).await?;
    act.done("/console/models", said)
}

/// `POST /console/models/activate`.
///
/// # Errors
/// They may not, or it was never run in the shadow.
pub async fn activate(act: Act) -> Answer {
    tell(&act, Method::POST, "/activate", "activated").await
}

/// `POST /console/models/shadow`.
///
/// # Errors
/// They may not, or it is not there.
pub async fn shadow(act: Act) -> Answer {
    tell(&act, Method::POST, "/shadow", "shadow").await
}

/// `POST /console/models/shadow-end`.
///
/// # Errors
/// As [`shadow`].
pub async fn shadow_end(act: Act) -> Answer {
    tell(&act, Method::DELETE, "/shadow", "shadow-end").await
}

/// `POST /console/models/remove`.
///
/// # Errors
/// They may not, or something uses it.
pub async fn remove(act: Act) -> Answer {
    tell(&act, Method::DELETE, "", "removed").await
}

/// `POST /console/models/rollback`.
///
/// # Errors
/// They may not, or there is nothing to go back to.
pub async fn rollback(act: Act) -> Answer {
    send(&act, Method::POST, &format!("{MODELS}/rollback"), None).await?;
    act.done("/console/models", "rolled-back")
}

/// `POST /console/models/engine`.
///
/// # Errors
/// They may not, or no model is active.
pub async fn engine(act: Act) -> Answer {
    act.must(Role::Admin)?;
    let body = json!({ "engine": act.need("engine")? });
    send(&act, Method::PUT, "/api/v1/ml/engine", Some(&body)).await?;
    act.done("/console/models", "engine")
}
