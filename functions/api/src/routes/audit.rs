//! The trail, to be read and taken along: what was asked, and what plans did.

use crate::auth::Caller;
use crate::desk::Desk;
use crate::extract::Params;
use crate::paging::{Page, Paging};
use crate::problem::Problem;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// In which form.
#[derive(Debug, Deserialize)]
pub struct Form {
    format: Option<String>,
}

/// `GET /api/v1/audit`: requests that may have changed something, newest first: who asked, for what, before and after.
///
/// # Errors
/// 400 for an unknown format.
pub async fn requests(Desk(deps): Desk, caller: Caller, Params(form): Params<Form>, paging: Paging) -> Result<Response, Problem> {
    let found = deps.trail.requests(&caller.customer, paging.after.as_deref(), paging.limit).await?;
    sent(&form, paging.limit, found.items, found.next.as_deref())
}

/// `GET /api/v1/audit/actions`: what plans did to clusters and instances, newest first.
///
/// # Errors
/// 400 for an unknown format.
pub async fn actions(Desk(deps): Desk, caller: Caller, Params(form): Params<Form>, paging: Paging) -> Result<Response, Problem> {
    let found = deps.trail.actions(&caller.customer, paging.after.as_deref(), paging.limit).await?;
    sent(&form, paging.limit, found.items, found.next.as_deref())
}

/// The forms for taking along have the next page, in the same form, in a header: `Link` with `rel="next"`.
fn sent<T: Serialize>(form: &Form, limit: usize, items: Vec<T>, next: Option<&str>) -> Result<Response, Problem> {
    let values = || items.iter().map(serde_json::to_value).collect::<Result<Vec<Value>, _>>().map_err(Problem::internal);
    let lines = |media: &'static str, text: String| {
        let mut response = ([(header::CONTENT_TYPE, media)], text).into_response();
        if let Some(cursor) = next.map(crate::paging::encode)
            && let Some(form) = &form.format
            && let Ok(link) = header::HeaderValue::try_from(format!("<?format={form}&limit={limit}&cursor={cursor}>; rel=\"next\""))
        {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    };
    match form.format.as_deref() {
        None | Some("json") => Ok(Json(Page::of(items, next)).into_response()),
        Some("ndjson") => Ok(lines("application/x-ndjson", values()?.iter().map(|item| format!("{item}\n")).collect())),
        Some("csv") => Ok(lines("text/csv; charset=utf-8", csv(&values()?))),
        Some(_) => {
            let detail = "`format` is json, ndjson or csv.";
            Err(Problem::new(StatusCode::BAD_REQUEST, "invalid-format", detail))
        }
    }
}

/// A line of names, and a line for each item (RFC 4180).
pub(super) fn csv(items: &[Value]) -> String {
    let Some(Value::Object(first)) = items.first() else {
        return String::new();
    };
    let names: Vec<&String> = first.keys().collect();
    let head = names.iter().map(|name| cell(&Value::from(name.as_str()))).collect::<Vec<_>>().join(",");
    let line = |item: &Value| names.iter().map(|name| cell(item.get(name.as_str()).unwrap_or(&Value::Null))).collect::<Vec<_>>().join(",");
    std::iter::once(head).chain(items.iter().map(line)).map(|line| line + "\r\n").collect()
}

/// What a table program would take for a formula is marked as text.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => other.to_string(),
    };
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    format!("\"{}{}\"", if formula { "'" } else { "" }, text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_cell_is_text_whatever_stands_in_it() {
        assert_eq!(cell(&json!("=cmd|'/c calc'!A1")), "\"'=cmd|'/c calc'!A1\"");
        assert_eq!(cell(&json!("a\"b,c\nd")), "\"a\"\"b,c\nd\"");
        assert_eq!((cell(&json!(null)), cell(&json!(7))), ("\"\"".to_owned(), "\"7\"".to_owned()));
        assert_eq!(csv(&[json!({ "a": 1, "b": { "c": "x" } })]), "\"a\",\"b\"\r\n\"1\",\"{\"\"c\"\":\"\"x\"\"}\"\r\n");
    }
}
