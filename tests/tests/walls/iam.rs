//! DynamoDB behind IAM: an endpoint that looks at who signs and at every partition key of every call, and passes on what a policy with
//! `"ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["T#<customer>#*", ...] }` would let pass. Scans it lets nobody make.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response, StatusCode};
use runtime::http::{Client, Limits, Server};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// What every customer's session may reach beside its own: API keys by their hash, the stop of everything, and which clusters an account
/// has. `shared/aws/src/store/README.md` lists all partitions that do not begin with a customer.
const SHARED: [&str; 3] = ["G#KEY#", "G#HALT", "A#"];

/// The wall.
pub struct Wall {
    emulator: Client,
    /// Whether it stands: a test that takes it away sees what it holds back.
    pub stands: AtomicBool,
    /// What a principal that is no customer may reach: partitions of the table, and those of its index.
    pub roles: Mutex<BTreeMap<String, (Vec<String>, Vec<String>)>>,
    /// The first calls that it refused, for who wonders why.
    pub told: Mutex<Vec<String>>,
    /// How many calls it refused.
    pub refused: AtomicU64,
    /// How many it let pass.
    pub passed: AtomicU64,
}

impl Wall {
    /// Serves in front of an emulator; answers the wall and its address.
    pub async fn before(emulator: &str) -> (Arc<Wall>, String) {
        let limits = Limits { plain_bytes_max: 64 << 20, wire_bytes_max: 64 << 20, ..Limits::default() };
        let emulator = Client::new(Server::parse(emulator).unwrap(), limits, &gate::Gate::this_machine()).unwrap();
        let wall = Arc::new(Wall {
            emulator,
            stands: AtomicBool::new(true),
            roles: Mutex::default(),
            told: Mutex::default(),
            refused: AtomicU64::new(0),
            passed: AtomicU64::new(0),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(pass).with_state(wall.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (wall, url)
    }

    /// Whether IAM lets this principal make this call.
    fn lets(&self, principal: &str, operation: &str, body: &Value) -> bool {
        if principal == "base" || !self.stands.load(Ordering::Relaxed) {
            return true;
        }
        let own = format!("T#{principal}#");
        let leading = leading_keys(operation, body);
        if let Some((table, index)) = self.roles.lock().unwrap().get(principal) {
            let patterns = if body["IndexName"].is_string() { index } else { table };
            return !leading.is_empty() && leading.iter().all(|key| patterns.iter().any(|pattern| like(pattern, key)));
        }
        !leading.is_empty() && leading.iter().all(|key| key.starts_with(&own) || SHARED.iter().any(|shared| key.starts_with(shared)))
    }
}

/// As `StringLike` does with a pattern whose only star is its last character.
fn like(pattern: &str, key: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == key, |prefix| key.starts_with(prefix))
}

/// The partition keys of a call; none for one that has none (a scan), or that is not known here.
pub fn leading_keys(operation: &str, body: &Value) -> Vec<String> {
    let text = |value: &Value| value["pk"]["S"].as_str().map(str::to_owned);
    let items = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let keys: Vec<Option<String>> = match operation {
        "GetItem" | "DeleteItem" | "UpdateItem" => vec![text(&body["Key"])],
        "PutItem" => vec![text(&body["Item"])],
        // The condition begins with the partition, of the table or of its index.
        "Query" => {
            let condition = body["KeyConditionExpression"].as_str().unwrap_or_default();
            let value = condition.split(" AND ").next().and_then(|part| part.split_once(" = ")).map(|(_, value)| value.trim());
            vec![value.and_then(|value| body["ExpressionAttributeValues"][value]["S"].as_str()).map(str::to_owned)]
        }
        "BatchGetItem" => {
            let tables = body["RequestItems"].as_object().into_iter().flatten();
            tables.flat_map(|(_, table)| items(&table["Keys"])).map(|key| text(&key)).collect()
        }
        "BatchWriteItem" => {
            let tables = body["RequestItems"].as_object().into_iter().flatten();
            tables
                .flat_map(|(_, writes)| items(writes))
                .map(|write| text(&write["PutRequest"]["Item"]).or(text(&write["DeleteRequest"]["Key"])))
                .collect()
        }
        "TransactWriteItems" | "TransactGetItems" => items(&body["TransactItems"])
            .iter()
            .map(|item| {
                let operation = item.as_object().and_then(|item| item.values().next()).cloned().unwrap_or_default();
                text(&operation["Key"]).or(text(&operation["Item"]))
            })
            .collect(),
        _ => Vec::new(),
    };
    // A key that cannot be read is one that is not allowed.
    keys.into_iter().map(Option::unwrap_or_default).collect()
}

/// Who signs: the access key names the customer.
fn principal(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("authorization")?.to_str().ok()?;
    Some(text.split_once("Credential=")?.1.split('/').next()?.to_owned())
}

async fn pass(State(wall): State<Arc<Wall>>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default();
    let read: Value = serde_json::from_slice(&body).unwrap_or_default();
    if !principal(&headers).is_some_and(|principal| wall.lets(&principal, operation, &read)) {
        wall.refused.fetch_add(1, Ordering::Relaxed);
        wall.told.lock().unwrap().push(format!("{operation} of {:?}", leading_keys(operation, &read)));
        let denied = r#"{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"no identity-based policy allows it"}"#;
        return answer(StatusCode::BAD_REQUEST, denied.as_bytes().to_vec());
    }
    wall.passed.fetch_add(1, Ordering::Relaxed);
    let mut request = axum::http::Request::post("/").body(body.to_vec()).unwrap();
    for name in ["x-amz-target", "content-type", "authorization", "x-amz-date"] {
        if let Some(value) = headers.get(name) {
            request.headers_mut().insert(name, value.clone());
        }
    }
    let got = wall.emulator.send(request).await.unwrap();
    answer(got.status, got.body)
}

fn answer(status: StatusCode, body: Vec<u8>) -> Response<Body> {
    Response::builder().status(status).header("content-type", "application/x-amz-json-1.0").body(Body::from(body)).unwrap()
}

#[test]
fn every_partition_of_a_call_is_looked_at() {
    use serde_json::json;
    let key = |pk: &str| json!({ "pk": { "S": pk }, "sk": { "S": "x" } });
    let query = |condition: &str| json!({ "KeyConditionExpression": condition, "ExpressionAttributeValues": { ":pk": { "S": "T#a#X" }, ":sk": { "S": "T#b#X" } } });
    for (operation, body, expected) in [
        ("GetItem", json!({ "Key": key("T#a#X") }), vec!["T#a#X"]),
        ("PutItem", json!({ "Item": key("T#a#X") }), vec!["T#a#X"]),
        ("Query", query("#pk = :pk AND #sk > :sk"), vec!["T#a#X"]),
        ("Query", json!({}), vec![""]),
        ("BatchGetItem", json!({ "RequestItems": { "t": { "Keys": [key("T#a#X"), key("T#b#X")] } } }), vec!["T#a#X", "T#b#X"]),
        (
            "BatchWriteItem",
            json!({ "RequestItems": { "t": [{ "PutRequest": { "Item": key("T#a#X") } }, { "DeleteRequest": { "Key": key("T#b#X") } }] } }),
            vec!["T#a#X", "T#b#X"],
        ),
        (
            "TransactWriteItems",
            json!({ "TransactItems": [{ "Update": { "Key": key("T#a#X") } }, { "Put": { "Item": key("T#b#X") } }] }),
            vec!["T#a#X", "T#b#X"],
        ),
        ("Scan", json!({ "TableName": "t" }), vec![]),
    ] {
        assert_eq!(leading_keys(operation, &body), expected, "{operation}");
    }
}
