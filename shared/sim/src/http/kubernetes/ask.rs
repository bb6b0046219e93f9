//! A request in the words of the API server: verb, resource, name.

use super::status::Refusal;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, Uri};
use serde_json::Value;
use std::collections::BTreeMap;

/// A request.
#[derive(Debug)]
pub(super) struct Ask {
    /// `get`, `list`, `watch`, `create`, `patch` or `delete`.
    pub(super) verb: &'static str,
    /// API group; empty for core.
    pub(super) group: String,
    pub(super) namespace: Option<String>,
    pub(super) resource: String,
    pub(super) name: Option<String>,
    pub(super) subresource: Option<String>,
    pub(super) query: BTreeMap<String, String>,
    pub(super) content_type: String,
    /// The body; null where there is none.
    pub(super) body: Value,
}

/// Undoes percent-encoding; `+` is a space in queries.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let hex = tail.get(..2).filter(|_| *first == b'%').and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(if *first == b'+' { b' ' } else { *first });
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Ask {
    pub(super) fn read(method: &Method, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Result<Ask, Refusal> {
        let segments: Vec<String> = uri.path().split('/').filter(|s| !s.is_empty()).map(decoded).collect();
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (group, rest) = match segments.as_slice() {
            ["api", "v1", rest @ ..] => ("", rest),
            ["apis", group, _version, rest @ ..] => (*group, rest),
            _ => return Err(Refusal::no_such_page()),
        };
        let (namespace, rest) = match rest {
            ["namespaces", namespace, resource, rest @ ..] => (Some(*namespace), [&[*resource], rest].concat()),
            other => (None, other.to_vec()),
        };
        let mut rest = rest.into_iter();
        let Some(resource) = rest.next() else { return Err(Refusal::no_such_page()) };
        let (name, subresource) = (rest.next(), rest.next());
        let pairs = uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
        let query: BTreeMap<String, String> = pairs.map(|(key, value)| (decoded(key), decoded(value))).collect();
        let watches = matches!(query.get("watch").map(String::as_str), Some("true" | "1"));
        let verb = match (method.as_str(), name) {
            ("GET", None) if watches => "watch",
            ("GET", None) => "list",
            ("GET", Some(_)) => "get",
            ("POST", _) => "create",
            ("PATCH", Some(_)) => "patch",
            ("DELETE", Some(_)) => "delete",
            _ => return Err(Refusal::new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")),
        };
        let header = headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let content_type = header.split(';').next().unwrap_or_default().trim().to_owned();
        let body = if body.is_empty() { Ok(Value::Null) } else { serde_json::from_slice(body) };
        Ok(Ask {
            verb,
            group: group.to_owned(),
            namespace: namespace.map(str::to_owned),
            resource: resource.to_owned(),
            name: name.map(str::to_owned),
            subresource: subresource.map(str::to_owned),
            query,
            content_type,
            body: body.map_err(|error| Refusal::bad_request(format!("the body cannot be read: {error}")))?,
        })
    }

    /// The resource with its subresource, as roles name it.
    pub(super) fn right(&self) -> String {
        match &self.subresource {
            Some(sub) => format!("{}/{sub}", self.resource),
            None => self.resource.clone(),
        }
    }

    pub(super) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    pub(super) fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or_default()
    }

    /// Whether nothing is to be written.
    pub(super) fn dry(&self) -> bool {
        self.query.get("dryRun").is_some_and(|value| value == "All")
            || ["/dryRun/0", "/deleteOptions/dryRun/0"].iter().any(|path| self.body.pointer(path).is_some_and(|v| v == "All"))
    }

    /// 403 in the words of RBAC.
    pub(super) fn forbidden(&self) -> Refusal {
        let scope = match &self.namespace {
            Some(namespace) => format!("in the namespace {namespace:?}"),
            None => "at the cluster scope".to_owned(),
        };
        let user = "system:serviceaccount:cloudoptim:cloudoptim";
        let (resource, right) = (&self.resource, self.right());
        let subject = self.name.as_ref().map_or_else(|| resource.clone(), |name| format!("{resource} {name:?}"));
        let message =
            format!("{subject} is forbidden: User {user:?} cannot {} resource {right:?} in API group {:?} {scope}", self.verb, self.group);
        Refusal::new(403, "Forbidden", message)
    }
}
