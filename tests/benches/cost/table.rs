//! An embedded DynamoDB that weighs what is asked of it, as DynamoDB does (Developer Guide, "DynamoDB read and write operations").

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::SignedDuration;
use domain::ports::Clock;
use http::{HeaderMap, StatusCode};
use runtime::clock::SystemClock;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// What was used: halves of read units, write units, and calls.
#[derive(Debug, Default)]
pub struct Used {
    pub half_reads: AtomicU64,
    pub writes: AtomicU64,
    pub calls: AtomicU64,
    /// Halves of read units and write units by operation and kind of row.
    pub kinds: Mutex<BTreeMap<String, [u64; 2]>>,
}

impl Used {
    fn add(&self, operation: &str, partition: &str, [half_reads, writes]: [u64; 2]) {
        self.half_reads.fetch_add(half_reads, Ordering::Relaxed);
        self.writes.fetch_add(writes, Ordering::Relaxed);
        let mut kinds = self.kinds.lock().unwrap();
        let [reads, written] = kinds.entry(format!("{operation} of {}", kind(partition))).or_default();
        *reads += half_reads;
        *written += writes;
    }
}

/// What kind of row a partition has: `T#<customer>#<KIND>#...`, `A#<account>#...#<KIND>`, or a list of all.
fn kind(partition: &str) -> String {
    let mut words = partition.split('#');
    let kind = match words.next() {
        Some("T") => words.nth(1),
        Some("A") => words.next_back(),
        first => first,
    };
    kind.unwrap_or_default().to_owned()
}

struct Scales {
    used: Arc<Used>,
    database: dynoxide::Database,
    behind: String,
    takes: SignedDuration,
}

/// Serves it, each answer after so long, on a thread of its own: its work is not the functions'. Answers its address and what is used.
pub fn serve(takes: SignedDuration) -> (String, Arc<Used>) {
    let used = Arc::new(Used::default());
    let (tell, hear) = std::sync::mpsc::channel();
    let counts = used.clone();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
            let behind = listener.local_addr().expect("it is bound").to_string();
            let database = dynoxide::Database::memory().expect("memory can be had");
            tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database.clone(), std::future::pending()));
            let scales = Arc::new(Scales { used: counts, database, behind, takes });
            let router = Router::new().fallback(weigh).with_state(scales);
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
            tell.send(listener.local_addr().expect("it is bound")).expect("it is waited for");
            axum::serve(listener, router).await
        })
    });
    (format!("http://{}", hear.recv().expect("it is served")), used)
}

async fn weigh(State(scales): State<Arc<Scales>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let before = scales.sizes(&operation, &asked);
    // As long as DynamoDB takes.
    SystemClock.sleep(scales.takes).await;
    let (status, answer) = forward(&scales.behind, &target, &body).await;
    let answered: Value = serde_json::from_slice(&answer).unwrap_or_default();
    scales.add(&operation, &asked, &answered, &before);
    (StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY), [("content-type", "application/x-amz-json-1.0")], answer)
        .into_response()
}

/// The same request to the database behind, over a connection of its own.
async fn forward(host: &str, target: &str, body: &[u8]) -> (u16, Vec<u8>) {
    let signer = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0";
    let head = format!(
        "POST / HTTP/1.1\r\nHost: {host}\r\nX-Amz-Date: 20260101T000000Z\r\nX-Amz-Target: {target}\r\nAuthorization: {signer}\r\nConnection: close\r\n\
        Content-Type: application/x-amz-json-1.0\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = tokio::net::TcpStream::connect(host).await.expect("the database is there");
    stream.write_all(head.as_bytes()).await.expect("it reads");
    stream.write_all(body).await.expect("it reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("it answers");
    let at = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("an answer has a head");
    let head = String::from_utf8_lossy(&answer[..at]).to_ascii_lowercase();
    assert!(!head.contains("transfer-encoding"), "the database answers in chunks: read them");
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(502);
    (status, answer[at + 4..].to_vec())
}

/// The items that a request writes: table and key, or the item itself.
fn written<'a>(operation: &str, asked: &'a Value) -> Vec<(&'a str, &'a Value)> {
    let table = asked["TableName"].as_str().unwrap_or_default();
    match operation {
        "PutItem" => vec![(table, &asked["Item"])],
        "UpdateItem" | "DeleteItem" => vec![(table, &asked["Key"])],
        "TransactWriteItems" => {
            let all = asked["TransactItems"].as_array().into_iter().flatten();
            all.filter_map(|one| one.as_object()?.values().next())
                .map(|one| {
                    (one["TableName"].as_str().unwrap_or_default(), if one["Item"].is_object() { &one["Item"] } else { &one["Key"] })
                })
                .collect()
        }
        "BatchWriteItem" => {
            let tables = asked["RequestItems"].as_object().into_iter().flatten();
            tables
                .flat_map(|(table, requests)| {
                    requests.as_array().into_iter().flatten().map(move |one| {
                        let item = &one["PutRequest"]["Item"];
                        (table.as_str(), if item.is_object() { item } else { &one["DeleteRequest"]["Key"] })
                    })
                })
                .collect()
        }
        _ => Vec::new(),
    }
}

impl Scales {
    /// How large the item of a key is in the table, and whether it stands in the index. Asked past the scales.
    fn look(&self, table: &str, of: &Value) -> (u64, bool) {
        let key = json!({ "pk": of["pk"], "sk": of["sk"] });
        let Ok(request) = serde_json::from_value(json!({ "TableName": table, "Key": key })) else { return (0, false) };
        let found = self.database.get_item(request).ok().and_then(|answer| serde_json::to_value(answer).ok()).unwrap_or_default();
        (size(&found["Item"]), found["Item"]["gsi1pk"].is_object())
    }

    fn sizes(&self, operation: &str, asked: &Value) -> Vec<(u64, bool)> {
        written(operation, asked).into_iter().map(|(table, of)| self.look(table, of)).collect()
    }

    fn add(&self, operation: &str, asked: &Value, answered: &Value, before: &[(u64, bool)]) {
        self.used.calls.fetch_add(1, Ordering::Relaxed);
        let halves = |bytes: u64, consistent: bool| bytes.div_ceil(4_096).max(1) * if consistent { 2 } else { 1 };
        match operation {
            "GetItem" => self.used.add(operation, text(&asked["Key"]["pk"]), [halves(size(&answered["Item"]), true), 0]),
            // A query is weighed as a whole; from the index it is eventually consistent.
            "Query" => self.used.add(operation, queried(asked), [halves(size(&answered["Items"]), asked["ConsistentRead"] == true), 0]),
            "BatchGetItem" => {
                let found = answered["Responses"].as_object().into_iter().flatten();
                let found: Vec<&Value> = found.flat_map(|(_, items)| items.as_array().into_iter().flatten()).collect();
                for (_, one) in asked["RequestItems"].as_object().into_iter().flatten() {
                    for key in one["Keys"].as_array().into_iter().flatten() {
                        let item = found.iter().find(|item| item["pk"] == key["pk"] && item["sk"] == key["sk"]);
                        let size = item.map_or(0, |item| size(item));
                        self.used.add(operation, text(&key["pk"]), [halves(size, one["ConsistentRead"] == true), 0]);
                    }
                }
            }
            _ => {}
        }
        let dear = if operation == "TransactWriteItems" { 2 } else { 1 };
        let after = self.sizes(operation, asked);
        for (((was, stood), (is, stands)), (_, of)) in before.iter().zip(after).zip(written(operation, asked)) {
            let units = (*was).max(is).div_ceil(1_024).max(1);
            // The index holds whole items: what stands in it is written there, too.
            let index = u64::from(*stood || stands) * units;
            self.used.add(operation, text(&of["pk"]), [0, units * dear + index]);
        }
    }
}

fn text(attribute: &Value) -> &str {
    attribute["S"].as_str().unwrap_or_default()
}

/// The partition that a query reads: the value of its first condition.
fn queried(asked: &Value) -> &str {
    let values = asked["ExpressionAttributeValues"].as_object().into_iter().flatten();
    let named = asked["KeyConditionExpression"].as_str().unwrap_or_default();
    let first = named.split(|c: char| !c.is_alphanumeric() && c != ':' && c != '_').find(|word| word.starts_with(':'));
    values.filter(|(name, _)| Some(name.as_str()) == first).map(|(_, value)| text(value)).next().unwrap_or_default()
}

/// The size of attributes: names and values (Developer Guide, "DynamoDB item sizes and formats"), near enough by their JSON without its marks.
fn size(value: &Value) -> u64 {
    match value {
        Value::Null => 0,
        Value::String(text) => text.len() as u64,
        Value::Bool(_) | Value::Number(_) => 1,
        Value::Array(items) => items.iter().map(size).sum(),
        Value::Object(fields) => {
            let marks = ["S", "N", "B", "M", "L", "BOOL", "NULL", "SS", "NS"];
            // Bytes are weighed as such, and written as base64.
            let bytes = |name: &String, field: &Value| if name == "B" { size(field) / 4 * 3 } else { size(field) };
            let named = |name: &String| if marks.contains(&name.as_str()) { 0 } else { name.len() as u64 };
            fields.iter().map(|(name, field)| named(name) + bytes(name, field)).sum()
        }
    }
}
