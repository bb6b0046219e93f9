//! Warm reads of 200 clients at once, over TCP, each with its own key and connection, each a call a second as a page that refreshes does.
//!
//! The bar is 10 ms plus the table's own time, so three things are measured with the same pace: the API over a table in memory, whose
//! time is nothing: what is left is ours; the same reads asked of the embedded table directly, without the API: the table's time; and the
//! API over that table, which is what a caller sees. A call counts from the instant at which it was due, so that a call that waits
//! because others do is not left out.

use super::{CUSTOMERS, KEYS_EACH, api, cluster, customer, key, real, settle};
use axum::Router;
use gate::Gate;
use harness::contracts::store::Store;
use http::{Request, StatusCode};
use runtime::http::{Client, Limits, Server};
use sha2::{Digest, Sha256};
use sim::store::MemoryStore;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

const CLIENTS: usize = CUSTOMERS * KEYS_EACH;
const PACE: Duration = Duration::from_secs(1);
/// The first are warm-up: connections are made, leases taken.
const WARM_UP: usize = 2;
const CALLS: usize = 12;

/// What is read, in turn.
fn path(client: usize, call: usize) -> String {
    match call % 3 {
        0 => "/api/v1/admin/clusters".to_owned(),
        1 => format!("/api/v1/admin/clusters/{}", cluster(client / KEYS_EACH)),
        _ => "/api/v1/findings?limit=20".to_owned(),
    }
}

pub(crate) fn reads() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let memory = Arc::new(MemoryStore::default());
        settle(&*memory, &*real()).await;
        let mut own = called(api(&memory, real())).await;
        let table = Arc::new(embedded().await);
        settle(&*table, &*real()).await;
        let mut alone = asked(&table).await;
        let mut whole = called(api(&table, real())).await;
        let [own, alone, whole] = [&mut own, &mut alone, &mut whole].map(|took| super::quantile(took, 990));
        println!("{CLIENTS} clients at once, a call a second each, {} calls of each measured", CALLS - WARM_UP);
        println!("  p99 of the same reads asked of the table alone: {alone:.2} ms");
        println!("BENCH api_read_p99_own_time_200_clients {own:.2} ms <= 10");
        println!("BENCH api_read_p99_with_the_table_200_clients {whole:.2} ms <= {:.2}", 10.0 + alone);
    });
}

/// The table of local mode, in memory.
async fn embedded() -> aws::Table {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let database = dynoxide::Database::memory().unwrap();
    tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()));
    let config = aws::local_config(&endpoint, "us-east-1");
    aws::create_table(&config, "bench").await.unwrap();
    aws::Table::new(&config, "bench".to_owned())
}

/// Has every client do something once a second, each at a moment of its own; milliseconds from when it was due.
async fn paced<F, Fut>(doing: F) -> Vec<f64>
where
    F: Fn(usize, usize) -> Fut + Clone + Send + 'static,
    Fut: Future<Output = ()> + Send,
{
    let begin = Instant::now() + Duration::from_millis(200);
    let clients = (0..CLIENTS).map(|client| {
        let doing = doing.clone();
        let offset = PACE.mul_f64(client as f64 / CLIENTS as f64);
        tokio::spawn(async move {
            let mut took = Vec::with_capacity(CALLS);
            for call in 0..CALLS {
                let due = begin + offset + PACE * u32::try_from(call).unwrap();
                sleep_until(due).await;
                doing(client, call).await;
                took.push(due.elapsed().as_secs_f64() * 1_000.0);
            }
            took.split_off(WARM_UP)
        })
    });
    let mut all = Vec::new();
    for client in clients.collect::<Vec<_>>() {
        all.extend(client.await.unwrap());
    }
    all
}

async fn called(api: Router) -> Vec<f64> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, api).await });
    let client = |_| Arc::new(Client::new(Server::parse(&url).unwrap(), Limits::default(), &Gate::this_machine()).unwrap());
    let clients: Arc<Vec<Arc<Client>>> = Arc::new((0..CLIENTS).map(client).collect());
    paced(move |number, call| {
        let client = Arc::clone(&clients[number]);
        async move {
            let bearer = format!("Bearer {}", key(number));
            let request = Request::get(path(number, call)).header("authorization", bearer).body(Vec::new()).unwrap();
            let answer = client.send(request).await.unwrap();
            assert_eq!(answer.status, StatusCode::OK, "{}", String::from_utf8_lossy(&answer.body));
        }
    })
    .await
}

/// What the API asks the table for these reads, one after the other as it does.
async fn asked(table: &Arc<aws::Table>) -> Vec<f64> {
    let table = Arc::clone(table);
    paced(move |number, call| {
        let table = Arc::clone(&table);
        async move { read(&*table, number, call).await }
    })
    .await
}

async fn read(table: &dyn Store, number: usize, call: usize) {
    let (customer, cluster) = (customer(number / KEYS_EACH), cluster(number / KEYS_EACH));
    let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(key(number)));
    assert!(table.api_key(&hash).await.unwrap().is_some());
    match call % 3 {
        0 => assert_eq!(table.clusters(&customer, None, 50).await.unwrap().items.len(), 1),
        1 => {
            assert!(table.cluster(&customer, &cluster).await.unwrap().is_some());
            assert!(table.halted(&customer, &cluster).await.unwrap().is_none());
            assert!(table.customer(&customer).await.unwrap().is_some());
        }
        _ => assert_eq!(table.findings(&customer, None, 20).await.unwrap().items.len(), 20),
    }
}
