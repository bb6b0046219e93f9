//! The decision server, asked for pages and told what people want of it.

use crate::ask::{Act, Ask};
use crate::failure::Failure;
use domain::tenant::Role;
use http::{Method, Request, header};
use runtime::web::caller::OPERATOR;
use serde_json::Value;

/// How long something that is asked for may take: a large model is fetched, checked and kept meanwhile. What is only read has the limits of
/// the connection, for a page waits for it.
const DONE_WITHIN_S: u32 = 25;

/// What it says at a path; or, in one sentence, why it says nothing.
///
/// # Errors
/// The sentence.
pub async fn get(ask: &Ask, path: &str) -> Result<Value, String> {
    tagged(ask, path).await.map(|(document, _)| document)
}

/// The same, and what its version is called; empty where it has none.
///
/// # Errors
/// The sentence.
pub async fn tagged(ask: &Ask, path: &str) -> Result<(Value, String), String> {
    let server = ask.deps.ml.as_ref().ok_or("No decision server is set up here.")?;
    let request = Request::builder().method(Method::GET).uri(path).header(header::ACCEPT, "application/json");
    let request = request.body(Vec::new()).map_err(|error| error.to_string())?;
    let answer = server.send(request).await.map_err(|error| format!("The decision server does not answer: {error}"))?;
    let document: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if !answer.status.is_success() {
        let why = document["detail"].as_str().unwrap_or("it does not say why");
        return Err(format!("The decision server answered {}: {why}", answer.status));
    }
    let tag = answer.headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()).unwrap_or_default();
    Ok((document, tag.to_owned()))
}

/// Whether they may say what concerns every customer: models, and what the market is asked.
pub fn manages(ask: &Ask) -> bool {
    ask.may(Role::Admin) && ask.session.customer.as_str() == OPERATOR
}

/// Tells it what somebody wants.
///
/// # Errors
/// They do not run this control plane, or it does not do what they want: then in its own words.
pub async fn send(act: &Act, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
    change(act, method, path, body, None).await
}

/// The same, for a version that was read.
///
/// # Errors
/// As [`send`], or it is another version by now.
pub async fn change(act: &Act, method: Method, path: &str, body: Option<&Value>, version: Option<&str>) -> Result<Value, Failure> {
    act.must(Role::Admin)?;
    if !manages(&act.ask) {
        return Err(Failure::Refused("This concerns every customer: only whoever runs this control plane may do it.".to_owned()));
    }
    let down = |why: String| Failure::Refused(format!("The decision server does not answer: {why}. Nothing was done."));
    let server = act.ask.deps.ml.as_ref().ok_or_else(|| down("none is set up here".to_owned()))?;
    let session = &act.ask.session;
    let who: String = session.label.chars().map(|c| if c.is_ascii_graphic() { c } else { ' ' }).take(100).collect();
    let mut request = Request::builder().method(method).uri(path).header(header::ACCEPT, "application/json").header("x-asked-by", who);
    if let Some(version) = version {
        request = request.header(header::IF_MATCH, version);
    }
    let bytes = match body {
        Some(body) => {
            request = request.header(header::CONTENT_TYPE, "application/json");
            body.to_string().into_bytes()
        }
        None => Vec::new(),
    };
    let request = request.body(bytes).map_err(|error| Failure::Internal(error.to_string()))?;
    let answer = server.send_within(request, DONE_WITHIN_S).await.map_err(|error| down(error.to_string()))?;
    let document: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    if answer.status.is_success() {
        return Ok(document);
    }
    let why = document["detail"].as_str().unwrap_or("The decision server did not say why.");
    Err(Failure::Refused(why.to_owned()))
}

/// A text of a document; empty where there is none.
pub fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// A list of a document; empty where there is none.
pub fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// An instant of a document.
pub fn instant(value: &Value, name: &str) -> Option<domain::Timestamp> {
    value[name].as_str()?.parse().ok()
}
