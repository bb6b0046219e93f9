//! Watches: the log of changes from a version on, line by line, for as long as the client stays.

use super::Api;
use super::ask::Ask;
use super::list::{in_namespace, selected};
use super::render;
use super::status::Refusal;
use crate::world::World;
use crate::world::state::Kube;
use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use futures::stream;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How often a quiet watch looks for changes.
const LOOK: SignedDuration = SignedDuration::from_millis(50);
/// How long a watch lasts if its client does not say.
const LASTS: SignedDuration = SignedDuration::from_secs(300);

struct Watch {
    world: Arc<World>,
    cluster: usize,
    resource: &'static str,
    ask: Ask,
    seen: u64,
    /// Lines of the beginning: what is there already, or that the version is too old.
    first: Option<String>,
    over: bool,
    until: Timestamp,
}

pub(super) fn answer(api: &Api, ask: &Ask) -> Result<Response, Refusal> {
    let resource = match (ask.group.as_str(), ask.resource.as_str()) {
        ("", "nodes") => "nodes",
        ("", "pods") => "pods",
        _ => return Err(Refusal::no_such_page()),
    };
    let version = ask.query.get("resourceVersion").map(String::as_str).unwrap_or_default();
    let from: u64 = if version.is_empty() { 0 } else { version.parse().map_err(|_| Refusal::bad_request("invalid resource version"))? };
    let asked = ask.query.get("timeoutSeconds").and_then(|seconds| seconds.parse().ok()).map_or(LASTS, SignedDuration::from_secs);
    let watch = api.world.with(|state| {
        let kube = &state.clusters[api.cluster];
        let old = from != 0 && from < kube.log_from;
        Watch {
            world: api.world.clone(),
            cluster: api.cluster,
            resource,
            ask: Ask { body: Value::Null, query: ask.query.clone(), ..copied(ask) },
            seen: if from == 0 { kube.rv } else { from },
            first: if old { Some(expired(from, kube)) } else { (from == 0).then(|| present(kube, resource, ask)) },
            over: old,
            until: state.after(asked),
        }
    });
    let lines = stream::unfold(watch, |mut watch| async move { watch.next().await.map(|lines| (lines, watch)) });
    let lines = futures::StreamExt::map(lines, |lines| Ok::<Bytes, std::convert::Infallible>(Bytes::from(lines)));
    Ok(([("content-type", "application/json")], Body::from_stream(lines)).into_response())
}

fn copied(ask: &Ask) -> Ask {
    Ask {
        verb: ask.verb,
        group: ask.group.clone(),
        namespace: ask.namespace.clone(),
        resource: ask.resource.clone(),
        name: None,
        subresource: None,
        query: BTreeMap::new(),
        content_type: String::new(),
        body: Value::Null,
    }
}

fn line(kind: &str, object: &Value) -> String {
    format!("{}\n", json!({"type": kind, "object": object}))
}

fn expired(from: u64, kube: &Kube) -> String {
    let message = format!("too old resource version: {from} ({})", kube.log_from);
    line("ERROR", &Refusal::new(410, "Expired", message).body())
}

/// What is there, as if it had just been added.
fn present(kube: &Kube, resource: &str, ask: &Ask) -> String {
    let objects: Vec<Value> = match resource {
        "nodes" => kube.nodes.values().map(render::node).collect(),
        _ => kube.pods.values().map(|pod| render::pod(pod, kube)).collect(),
    };
    objects.iter().filter(|object| in_namespace(object, ask) && selected(object, ask)).map(|object| line("ADDED", object)).collect()
}

impl Watch {
    /// The next lines; `None` when the time is over.
    async fn next(&mut self) -> Option<String> {
        if let Some(first) = self.first.take().filter(|first| !first.is_empty()) {
            return Some(first);
        }
        while !self.over && self.world.clock().now() < self.until {
            let lines = self.changes();
            if !lines.is_empty() {
                return Some(lines);
            }
            self.world.clock().sleep(LOOK).await;
        }
        None
    }

    fn changes(&mut self) -> String {
        let (cluster, seen) = (self.cluster, self.seen);
        let (lines, now) = self.world.with(|state| {
            let kube = &state.clusters[cluster];
            let fresh = kube.log.iter().skip(kube.log.partition_point(|change| change.rv <= seen));
            let wanted =
                fresh.filter(|c| c.resource == self.resource && in_namespace(&c.object, &self.ask) && selected(&c.object, &self.ask));
            (wanted.map(|change| line(change.kind, &change.object)).collect(), kube.rv)
        });
        self.seen = now;
        lines
    }
}
