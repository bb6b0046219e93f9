//! Rows of the table and messages of the queues.

use crate::golden::{PRESENT, all, lost, with_a_later_field, write_if_asked};
use domain::audit::{AuditRow, Request};
use domain::finding::Finding;
use domain::node::NodeRecord;
use domain::notify::{Delivery, Lane, Target, Waiting};
use domain::office_hours::Asleep;
use domain::operation::Operation;
use domain::optimization::{Proposal, Round, Run, Standing};
use domain::plan::{Plan, PlanKey, Progress};
use domain::ports::Notice;
use domain::savings::{Baseline, Books, Hour};
use domain::spot_event::SpotEvent;
use domain::tenant::{ApiKey, Cluster, Customer};
use domain::watch::{ScanOrder, Watchbook};
use harness::contracts::store::store;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// How many rows of a kind are kept.
const KEPT: usize = 3;

/// Every row that the contract of the table writes, by kind: its attributes, with texts of JSON read.
async fn rows() -> BTreeMap<String, Vec<Value>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let database = dynoxide::Database::memory().unwrap();
    let server = tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database.clone(), std::future::pending()));
    let config = aws::local_config(&endpoint, "us-east-1");
    aws::create_table(&config, "golden").await.unwrap();
    store(&aws::Table::new(&config, "golden".to_owned())).await;
    server.abort();
    let mut found: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let scan = serde_json::from_value(json!({ "TableName": "golden" })).unwrap();
    let scanned = serde_json::to_value(database.scan(scan).unwrap()).unwrap();
    for item in scanned["Items"].as_array().unwrap() {
        let Some(kind) = item["kind"]["S"].as_str() else { continue };
        let rows = found.entry(kind.to_owned()).or_default();
        if rows.len() < KEPT {
            let text = |name: &str| item[name]["S"].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
            let mut row = json!({ "pk": item["pk"]["S"], "body": unpacked(item).or_else(|| text("body")) });
            if let Some(progress) = text("progress") {
                row["progress"] = progress;
            }
            rows.push(row);
        }
    }
    found
}

/// The body of a row that is packed, with the words that it was packed with or without.
fn unpacked(item: &Value) -> Option<Value> {
    let bytes = |name: &str| Some(data_encoding::BASE64.decode(item[name]["B"].as_str()?.as_bytes()).unwrap());
    if let Some(packed) = bytes("packed") {
        return Some(serde_json::from_reader(flate2::read::ZlibDecoder::new(packed.as_slice())).unwrap());
    }
    let packed = bytes("primed_1")?;
    let mut primed = flate2::Decompress::new(false);
    primed.set_dictionary(include_bytes!("../../../shared/aws/src/store/item/words-1.txt")).unwrap();
    Some(serde_json::from_reader(flate2::read::ZlibDecoder::new_with_decompress(packed.as_slice(), primed)).unwrap())
}

/// Messages as they stand in queues.
fn messages() -> BTreeMap<String, Vec<Value>> {
    let key = json!({ "customer": "acme", "cluster": "c-1", "plan": "p-1" });
    let round = json!({ "customer": "acme", "cluster": "c-1", "round": "2026-01-05T00:10:00Z", "asked_by": "schedule", "types": ["spot_optimize"], "dry_run": false });
    let read = |kind: &str, value: Value| reread(kind, &value).unwrap_or_else(|error| panic!("{kind}: {error}"));
    BTreeMap::from([
        ("message-plan".to_owned(), vec![read("message-plan", key)]),
        ("message-round".to_owned(), vec![read("message-round", round)]),
    ])
}

/// Reads a body as its kind and writes it again.
fn reread(kind: &str, body: &Value) -> Result<Value, String> {
    fn through<T: Serialize + DeserializeOwned>(body: &Value) -> Result<Value, String> {
        // As text, because that is how it lies in the table.
        let read: T = serde_json::from_str(&body.to_string()).map_err(|error| error.to_string())?;
        serde_json::to_value(read).map_err(|error| error.to_string())
    }
    match kind {
        "plan" => through::<Plan>(body),
        "progress" => through::<Progress>(body),
        "audit" => through::<AuditRow>(body),
        "operation" => through::<Operation>(body),
        "spot-event" => through::<SpotEvent>(body),
        "customer" => through::<Customer>(body),
        "cluster" => through::<Cluster>(body),
        "config" => through::<Value>(body),
        "api-key" | "named-key" => through::<ApiKey>(body),
        "node" => through::<NodeRecord>(body),
        "finding" => through::<Finding>(body),
        "watchbook" => through::<Watchbook>(body),
        "baseline" => through::<Baseline>(body),
        "books" => through::<Books>(body),
        "hour" => through::<Hour>(body),
        "run" => through::<Run>(body),
        "runs" => through::<Vec<Run>>(body),
        "proposal" => through::<Proposal>(body),
        "standing" => through::<Standing>(body),
        "target" => through::<Target>(body),
        "lane" => through::<Lane>(body),
        "notice" => through::<Waiting>(body),
        "sending" => through::<Delivery>(body),
        "asleep" => through::<Asleep>(body),
        "request" => through::<Request>(body),
        "halt" => through::<domain::tenant::Halt>(body),
        "usage" => through::<domain::usage::ContainerRef>(body),
        "round" => through::<domain::usage::SampledRound>(body),
        "judged" => through::<domain::Timestamp>(body),
        "message-plan" => through::<PlanKey>(body),
        "message-round" => through::<Round>(body),
        "message-scan" => through::<ScanOrder>(body),
        "message-notice" => through::<Notice>(body),
        other => Err(format!("say in upgrade/rows.rs what a row of the kind {other} holds")),
    }
}

/// Kind, where it stands, and the value, for every row of a version.
fn parts(golden: &Value) -> Vec<(String, String, Value)> {
    let kinds = golden.as_object().expect("rows stand by kind").iter();
    kinds
        .flat_map(|(kind, rows)| {
            let rows = rows.as_array().expect("a kind has rows").iter();
            rows.flat_map(move |row| {
                let of = |part: &str, kind: &str| (kind.to_owned(), format!("{kind} {}", row["pk"]), row[part].clone());
                let both = [of("body", kind), of("progress", "progress")];
                both.into_iter().filter(|(_, _, value)| !value.is_null())
            })
        })
        .collect()
}

#[tokio::test]
async fn every_kind_of_row_of_this_version_is_checked_in() {
    let rows = rows().await;
    let bare = |rows: Vec<Value>| rows.into_iter().map(|body| json!({ "pk": "", "body": body })).collect::<Vec<_>>();
    let messages: BTreeMap<String, Vec<Value>> = messages().into_iter().map(|(kind, found)| (kind, bare(found))).collect();
    write_if_asked("rows.json", || {
        let all: BTreeMap<&String, &Vec<Value>> = rows.iter().chain(&messages).collect();
        serde_json::to_value(all).unwrap()
    });
    let written: BTreeSet<String> = rows.into_keys().chain(messages.into_keys()).collect();
    let golden = all("rows.json").into_iter().find(|(version, _)| version == PRESENT).expect("there is a folder").1;
    let checked: BTreeSet<String> = golden.as_object().expect("rows stand by kind").keys().cloned().collect();
    assert_eq!(checked, written, "UPDATE=1 cargo test --workspace --test upgrade");
}

/// Upgrade: what an older version wrote is read whole. A field that went, was renamed or is read as something else loses something.
#[test]
fn every_row_of_every_version_is_read_and_nothing_of_it_is_lost() {
    let mut wrong = Vec::new();
    for (version, golden) in all("rows.json") {
        for (kind, place, body) in parts(&golden) {
            match reread(&kind, &body) {
                Ok(now) => wrong.extend(lost(&body, &now).into_iter().map(|what| format!("{version}: {place}{what}"))),
                Err(error) => wrong.push(format!("{version}: {place}: {error}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Rollback: what a later version wrote is read, with whatever it has more. Nobody may be stricter with the table than with strangers.
#[test]
fn a_row_with_a_field_of_a_later_version_is_read() {
    let mut wrong = BTreeSet::new();
    for (_, golden) in all("rows.json") {
        for (kind, _, body) in parts(&golden) {
            for (at, later) in with_a_later_field(&body) {
                match reread(&kind, &later) {
                    Ok(now) => wrong.extend(lost(&body, &now).into_iter().map(|what| format!("{kind}{at}: {what}"))),
                    Err(error) => drop(wrong.insert(format!("{kind}{at}: {error}"))),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
