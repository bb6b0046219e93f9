//! What a flood of one customer costs another, in virtual time: it is the API that is judged, and not the machine that it runs on.
//!
//! The requests are real ones, through the whole router: keys, rates, leases and handlers decide who is turned away. Only the time that a
//! request takes is reckoned: there is one worker, because the function's share of a processor is below one, and it is busy with each request
//! for as long as such a request was measured to keep a core busy here, turned away or answered. So what is judged is a ratio of two such
//! figures and the order in which the API does things, not how fast either is; and the table's own time, which would hide a wait behind it, is
//! left out.
//!
//! Timers of the runtime count milliseconds, and answers take less: everything goes a thousand times slower, the clock that the API is
//! given included.
//!
//! The customer asks nine times a second, close to what a key may; the flood comes a hundred times as often, from one key of another one.

#![expect(clippy::disallowed_methods, reason = "time is virtual here: the sleeps are the model")]

use super::{KEYS_EACH, api, key, quantile, settle};
use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use domain::ports::Clock;
use domain::{SignedDuration, Timestamp};
use http::{Request, StatusCode};
use sim::clock::EPOCH;
use sim::store::MemoryStore;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};

const PATH: &str = "/api/v1/admin/clusters";
/// Calls of the customer in a second.
const CALLS: f64 = 9.0;
/// How often the flood comes for each of them.
const TIMES: f64 = 100.0;
const LASTS: Duration = Duration::from_secs(60);
/// How much slower everything goes.
const SLOWER: u32 = 1_000;
/// Answers whose cost is measured.
const MEASURED: u32 = 400;
const ROUNDS: u32 = 5;

/// How long each kind of answer keeps a core busy.
#[derive(Clone, Copy)]
struct Costs {
    read: Duration,
    shut: Duration,
}

/// The slowed clock.
struct Slow(Instant);

#[async_trait]
impl Clock for Slow {
    fn now(&self) -> Timestamp {
        let passed = self.0.elapsed() / SLOWER;
        EPOCH + SignedDuration::try_from(passed).unwrap()
    }
    async fn sleep(&self, time: SignedDuration) {
        sleep(Duration::try_from(time).unwrap() * SLOWER).await;
    }
}

pub(crate) fn flood() {
    let costs = costs();
    let alone = served(costs, 0.0);
    let flooded = served(costs, TIMES);
    println!("an answer keeps a core busy for {:.0} us, one that is turned away for {:.0} us", micros(costs.read), micros(costs.shut));
    println!("  p99 of a customer alone {alone:.3} ms, beside the flood {flooded:.3} ms, in virtual time");
    // Were nobody turned away, each call of the flood would cost what an answer does.
    let open = served(Costs { shut: costs.read, ..costs }, TIMES);
    println!("  were the flood answered instead of turned away: {open:.3} ms");
    println!("BENCH api_p99_beside_a_flood_of_100x {:.3} x <= 1.2", flooded / alone);
}

fn micros(took: Duration) -> f64 {
    took.as_secs_f64() * 1e6
}

fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

async fn fresh() -> Router {
    let (clock, store) = (Arc::new(Slow(Instant::now())), Arc::new(MemoryStore::default()));
    settle(&*store, &*clock).await;
    api(&store, clock)
}

async fn ask(api: Router, client: usize) -> StatusCode {
    let request = Request::get(PATH).header("authorization", format!("Bearer {}", key(client))).body(Body::empty()).unwrap();
    let answer = tower::ServiceExt::oneshot(api, request).await.unwrap();
    let status = answer.status();
    to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    status
}

/// What this thread has spent on a core: on a shared machine the clock on the wall counts the others' work, too.
fn spent() -> Duration {
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(spent.split_whitespace().next().unwrap().parse().unwrap())
}

/// What an answer takes on average. All of a round at once: the system may count in ticks that a single answer is too short for.
fn costs() -> Costs {
    paused().block_on(async {
        let mut spent_on = [Duration::ZERO; 2];
        for _round in 0..ROUNDS {
            let api = fresh().await;
            // Warm, then measured. The key has no calls left after six hundred.
            for (kind, status) in [StatusCode::OK, StatusCode::TOO_MANY_REQUESTS].into_iter().enumerate() {
                while ask(api.clone(), 0).await != status {}
                let before = spent();
                for _ in 0..MEASURED {
                    assert_eq!(ask(api.clone(), 0).await, status);
                }
                spent_on[kind] += spent() - before;
            }
        }
        let [read, shut] = spent_on.map(|all| all / (ROUNDS * MEASURED));
        assert!(shut > Duration::ZERO, "the system does not tell what a thread spends");
        Costs { read, shut }
    })
}

/// The p99 of the customer's calls, milliseconds of virtual time, with so many calls of the flood for each of them.
fn served(costs: Costs, times: f64) -> f64 {
    let runtime = paused();
    runtime.block_on(async {
        let (api, worker) = (fresh().await, Arc::new(Semaphore::new(1)));
        let took: Arc<Mutex<Vec<f64>>> = Arc::default();
        let flood = (times > 0.0).then(|| tokio::spawn(arrivals(1, CALLS * times, call(api.clone(), worker.clone(), costs, 0, None))));
        let quiet = tokio::spawn(arrivals(2, CALLS, call(api, worker, costs, KEYS_EACH, Some(took.clone()))));
        quiet.await.unwrap();
        if let Some(flood) = flood {
            flood.await.unwrap();
        }
        let mut took = took.lock().unwrap().clone();
        assert!(took.len() > 400, "{} calls were made", took.len());
        quantile(&mut took, 990)
    })
}

/// Starts calls at random moments, so many a second.
async fn arrivals(seed: u64, per_second: f64, call: impl Fn() -> tokio::task::JoinHandle<()>) {
    let mut random = fastrand::Rng::with_seed(seed);
    let end = Instant::now() + LASTS * SLOWER;
    let mut calls = Vec::new();
    loop {
        sleep(Duration::from_secs_f64(-(1.0 - random.f64()).ln() / per_second) * SLOWER).await;
        if Instant::now() >= end {
            break;
        }
        calls.push(call());
    }
    for call in calls {
        call.await.unwrap();
    }
}

/// One call of a client: it waits for the worker, and keeps it busy for as long as its answer costs.
fn call(
    api: Router,
    worker: Arc<Semaphore>,
    costs: Costs,
    client: usize,
    took: Option<Arc<Mutex<Vec<f64>>>>,
) -> impl Fn() -> tokio::task::JoinHandle<()> {
    move || {
        let (api, worker, took) = (api.clone(), worker.clone(), took.clone());
        tokio::spawn(async move {
            let began = Instant::now();
            let busy = worker.acquire().await.unwrap();
            let status = ask(api, client).await;
            sleep((if status == StatusCode::OK { costs.read } else { costs.shut }) * SLOWER).await;
            drop(busy);
            if let Some(took) = took {
                assert_eq!(status, StatusCode::OK, "the customer is not turned away for what another does");
                took.lock().unwrap().push((began.elapsed() / SLOWER).as_secs_f64() * 1_000.0);
            }
        })
    }
}
