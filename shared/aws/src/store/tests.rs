//! What the contract suite cannot see through the ports: items that somebody has broken, answers that got lost, and what
//! stands in the table for whom. The suite itself runs in the crate `tests`.

use super::item::{BODY, Item, n, s};
use super::keys;
use super::table::{Range, Table};
use domain::ids::{ClusterId, CustomerId, PlanId};
use domain::money::MicroDollars;
use domain::optimization::Standing;
use domain::plan::{Action, OnFailure, Outcome, Plan, PlanKey, PlanKind, Progress, Step, Urgency};
use domain::ports::{Change, Journal, NewPlan, Optimizations, Registry, StoreError};
use domain::workload::WorkloadRef;
use domain::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const NOON: Timestamp = Timestamp::constant(1_795_435_200, 0);

async fn database() -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let database = dynoxide::Database::memory().unwrap();
    tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()));
    address
}

async fn table_at(address: std::net::SocketAddr) -> Table {
    let config = sdk::local_config(&format!("http://{address}"), "us-east-1");
    super::create_table(&config, "laws").await.unwrap();
    Table::new(&config, "laws".to_owned())
}

async fn table() -> Table {
    table_at(database().await).await
}

fn new_plan(plan: &str) -> NewPlan {
    let key = PlanKey {
        customer: CustomerId::parse("acme").unwrap(),
        cluster: ClusterId::parse("prod").unwrap(),
        plan: PlanId::parse(plan).unwrap(),
    };
    let workload: WorkloadRef =
        serde_json::from_value(serde_json::json!({"kind": "deployment", "namespace": "default", "name": "web"})).unwrap();
    let plan = Plan {
        key,
        kind: PlanKind::Scale,
        reason: "a law".to_owned(),
        requested_by: "a law".to_owned(),
        created_at: NOON,
        deadline: NOON + SignedDuration::from_mins(5),
        on_failure: OnFailure::Unwind,
        steps: vec![Step { action: Action::Scale { workload, replicas: 3 }, after: Vec::new(), after_unless_forced: Vec::new() }],
        expected_saving: MicroDollars(0),
        evidence: Vec::new(),
        stakes: None,
    };
    let progress = Progress::new(&plan, Urgency::Normal, None);
    NewPlan { plan, progress, audit: Vec::new(), spot_event: None, operation: None }
}

fn next(progress: &Progress) -> Change {
    let mut progress = progress.clone();
    progress.version += 1;
    Change { progress, audit: Vec::new(), spot_event: None }
}

async fn change_item(table: &Table, key: keys::Key, change: impl FnOnce(&mut Item)) {
    let mut item = table.get(key).await.unwrap().unwrap();
    change(&mut item);
    table.put(item).await.unwrap();
}

#[tokio::test]
async fn a_plan_that_cannot_be_read_is_corrupt_and_hides_no_other() {
    let table = table().await;
    let (good, bad) = (new_plan("good"), new_plan("bad"));
    for new in [&good, &bad] {
        table.open(new).await.unwrap();
    }
    let at = keys::plan(&bad.plan.key);
    change_item(&table, at.clone(), |item| drop(item.insert("progress".to_owned(), s("{\"version\":")))).await;

    let loaded = table.load(&bad.plan.key).await;
    assert!(matches!(&loaded, Err(StoreError::Corrupt(why)) if why.contains(&at.pk)), "{loaded:?}");
    assert!(matches!(table.open(&bad).await, Err(StoreError::Corrupt(_))), "it is never overwritten");
    let open = table.open_plans(&good.plan.key.customer, &good.plan.key.cluster).await.unwrap();
    assert_eq!(open.iter().map(|r| &r.plan.key).collect::<Vec<_>>(), [&good.plan.key]);

    // The list of what is due names plans only, so the bad one is still brought to somebody's attention.
    assert_eq!(table.due(NOON, 10).await.unwrap(), [bad.plan.key.clone(), good.plan.key.clone()]);
    change_item(&table, at, |item| drop(item.insert(keys::GSI1SK.to_owned(), s("0#nobody")))).await;
    assert_eq!(table.due(NOON, 1).await.unwrap(), [good.plan.key]);
}

#[tokio::test]
async fn a_version_that_left_its_progress_is_corrupt() {
    let table = table().await;
    let new = new_plan("parted");
    table.open(&new).await.unwrap();
    change_item(&table, keys::plan(&new.plan.key), |item| drop(item.insert("version".to_owned(), n(7)))).await;
    assert!(matches!(table.load(&new.plan.key).await, Err(StoreError::Corrupt(_))));
}

#[tokio::test]
async fn a_stop_that_cannot_be_read_is_an_error_and_never_a_go() {
    let table = table().await;
    let (customer, cluster) = (CustomerId::parse("acme").unwrap(), ClusterId::parse("prod").unwrap());
    table.set_halt(Some(&customer), None, Some("freeze")).await.unwrap();
    change_item(&table, keys::halt_customer(&customer), |item| drop(item.remove(BODY))).await;
    assert!(matches!(table.halted(&customer, &cluster).await, Err(StoreError::Corrupt(_))));
}

#[tokio::test]
async fn a_finished_plan_expires_and_an_unfinished_one_never_does() {
    let table = table().await;
    let new = new_plan("ends");
    let at = keys::plan(&new.plan.key);
    table.open(&new).await.unwrap();
    assert!(!table.get(at.clone()).await.unwrap().unwrap().contains_key(keys::EXPIRES_AT));
    let middle = next(&new.progress);
    table.record(&new.plan.key, &middle).await.unwrap();
    assert!(!table.get(at.clone()).await.unwrap().unwrap().contains_key(keys::EXPIRES_AT));
    let mut end = next(&middle.progress);
    end.progress.outcome = Some(Outcome::Succeeded);
    table.record(&new.plan.key, &end).await.unwrap();
    let item = table.get(at).await.unwrap().unwrap();
    assert_eq!(item.get(keys::EXPIRES_AT), Some(&n(NOON.as_second() + 90 * 86_400)));
    assert!(!item.contains_key(keys::GSI1PK) && !item.contains_key(keys::GSI1SK), "the due list stays as short as the work");
}

#[tokio::test]
async fn a_plan_costs_one_conditional_write_per_step_taken() {
    let table = table().await;
    let new = new_plan("counted");
    table.open(&new).await.unwrap();
    let first = next(&new.progress);
    table.record(&new.plan.key, &first).await.unwrap();
    assert!(table.record(&new.plan.key, &first).await.is_err());
    assert_eq!(table.clone().conditional_writes(), 3, "a refused write costs as much, and clones count together");
}

#[tokio::test]
async fn a_table_that_is_not_there_refuses_for_good() {
    let mut table = table().await;
    table.name = "elsewhere".to_owned();
    let new = new_plan("nowhere");
    assert!(matches!(table.load(&new.plan.key).await, Err(StoreError::Refused(_))));
    assert!(matches!(table.open(&new).await, Err(StoreError::Refused(_))));
    assert!(matches!(table.record(&new.plan.key, &next(&new.progress)).await, Err(StoreError::Refused(_))));
}

#[tokio::test]
async fn silence_is_ambiguous() {
    // Nobody listens at port 1.
    let config = sdk::local_config("http://127.0.0.1:1", "us-east-1");
    let table = Table::new(&config, "laws".to_owned());
    assert!(matches!(table.load(&new_plan("lost").plan.key).await, Err(StoreError::Ambiguous(_))));
}

#[tokio::test]
async fn no_list_of_one_customer_reads_a_key_of_another() {
    let table = table().await;
    table.open(&new_plan("mine")).await.unwrap();
    let wall = Range::table("T#acm#OPEN#prod".to_owned());
    assert_eq!(table.range(wall, 10, |_| Ok(())).await.unwrap().len(), 0);
}

/// A line to the database on which answers can be lost: what was asked has happened then, and the connection breaks.
async fn bad_line(behind: std::net::SocketAddr) -> (std::net::SocketAddr, Arc<AtomicBool>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, loses) = (listener.local_addr().unwrap(), Arc::new(AtomicBool::new(false)));
    let armed = loses.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let armed = armed.clone();
            tokio::spawn(async move {
                let (mut asks, mut hears) = client.into_split();
                let (mut answers, mut tells) = tokio::net::TcpStream::connect(behind).await.unwrap().into_split();
                tokio::spawn(async move { tokio::io::copy(&mut asks, &mut tells).await });
                let mut bytes = vec![0; 65_536];
                while let Ok(read @ 1..) = answers.read(&mut bytes).await {
                    if armed.swap(false, Ordering::SeqCst) || hears.write_all(&bytes[..read]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    (address, loses)
}

#[tokio::test]
async fn a_put_whose_answer_was_lost_is_ours_and_another_ones_is_not() {
    let (line, loses) = bad_line(database().await).await;
    let table = table_at(line).await;
    let (customer, cluster) = (CustomerId::parse("acme").unwrap(), ClusterId::parse("prod").unwrap());
    let first = Standing { version: 1, ..Standing::default() };
    loses.store(true, Ordering::SeqCst);
    table.put_standing(&customer, &cluster, &first).await.unwrap();
    assert!(!loses.load(Ordering::SeqCst), "an answer was lost");
    // The same words, written by somebody else: theirs.
    assert!(matches!(table.put_standing(&customer, &cluster, &first).await, Err(StoreError::Conflict)));
}

#[tokio::test]
async fn what_says_the_same_of_many_is_packed_and_what_is_packed_has_an_end() {
    let table = table().await;
    let (customer, cluster) = (CustomerId::parse("acme").unwrap(), ClusterId::parse("prod").unwrap());
    let cursor = |n: i32| (format!("type-{n}"), domain::ids::NodeName::parse(format!("node-{n}.example.com")).unwrap());
    let many = Standing { version: 1, cursors: (0..200).map(cursor).collect(), ..Standing::default() };
    table.put_standing(&customer, &cluster, &many).await.unwrap();
    let item = table.get(keys::standing(&customer, &cluster)).await.unwrap().unwrap();
    let packed = item["primed_1"].as_b().unwrap().as_ref().len();
    assert!(!item.contains_key(BODY) && packed * 4 < serde_json::to_string(&many).unwrap().len(), "{packed} bytes");
    assert_eq!(table.standing(&customer, &cluster).await.unwrap(), many);
    for (name, zlib) in [("primed_1", false), ("packed", true)] {
        let deflate = flate2::Compress::new(flate2::Compression::best(), zlib);
        let mut bomb = flate2::write::ZlibEncoder::new_with_compress(Vec::new(), deflate);
        std::io::Write::write_all(&mut bomb, &vec![b' '; 64_000_000]).unwrap();
        let bomb = aws_sdk_dynamodb::primitives::Blob::new(bomb.finish().unwrap());
        change_item(&table, keys::standing(&customer, &cluster), |item| {
            item.remove("primed_1");
            item.insert(name.to_owned(), aws_sdk_dynamodb::types::AttributeValue::B(bomb));
        })
        .await;
        assert!(matches!(table.standing(&customer, &cluster).await, Err(StoreError::Corrupt(_))), "{name}");
    }
}
