//! The store of files: in memory, in a folder, and in a bucket of any AWS-like endpoint that `CONTRACT_AWS_ENDPOINT` names (moto, for one).

use domain::ports::{Clock, Objects};
use domain::{SignedDuration, Timestamp};
use harness::contracts::objects::{addresses_are_walled, objects, permit, put};
use runtime::clock::SystemClock;
use runtime::web::ids::random_ids;
use sim::store::{MemoryObjects, door};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// A clock that is set by hand.
struct Hand(Mutex<Timestamp>);

#[async_trait::async_trait]
impl Clock for Hand {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    async fn sleep(&self, duration: SignedDuration) {
        *self.0.lock().unwrap() += duration;
    }
}

/// The store with its door open.
async fn served(folder: Option<PathBuf>) -> (Arc<MemoryObjects>, Arc<Hand>) {
    let clock = Arc::new(Hand(Mutex::new("2026-11-23T12:00:00Z".parse().unwrap())));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let store = MemoryObjects::new(&format!("http://{}", listener.local_addr().unwrap()), clock.clone(), random_ids());
    let store = Arc::new(match folder {
        Some(folder) => store.kept_in(folder),
        None => store,
    });
    let router = door(store.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (store, clock)
}

/// A folder of its own, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        Folder(std::env::temp_dir().join(format!("cloudoptim-objects-{:016x}", fastrand::u64(..))))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

#[tokio::test]
async fn memory_keeps_the_contract_of_the_store_of_files() {
    let (store, clock) = served(None).await;
    objects(&*store).await;
    addresses_are_walled(&*store, async || clock.sleep(SignedDuration::from_secs(901)).await).await;
}

#[tokio::test]
async fn a_folder_keeps_the_contract_of_the_store_of_files_and_files_outlive_the_process() {
    let folder = Folder::new();
    let (store, clock) = served(Some(folder.0.clone())).await;
    objects(&*store).await;
    addresses_are_walled(&*store, async || clock.sleep(SignedDuration::from_secs(901)).await).await;
    store.put("models/kept", b"model".to_vec()).await.unwrap();
    let place = store.place(&permit("uploads/left")).await.unwrap();
    assert!(put(&place, b"never registered").await.is_success());
    let (next, _) = served(Some(folder.0.clone())).await;
    assert_eq!(next.read("models/kept", 10).await.unwrap().as_deref(), Some(b"model".as_slice()));
    assert_eq!(next.read("uploads/left", 100).await.unwrap(), None, "what was never registered is not kept for ever");
}

#[tokio::test]
async fn the_named_endpoint_keeps_the_contract_of_the_store_of_files() {
    #[expect(clippy::disallowed_methods, reason = "the contracts' own switch")]
    let Ok(endpoint) = std::env::var("CONTRACT_AWS_ENDPOINT") else { return };
    let config = aws::local_config(&endpoint, "us-east-1");
    // A name that no earlier run on the same endpoint has used.
    let name = format!("models-{:08x}", fastrand::u32(..));
    let clock = Arc::new(SystemClock);
    aws::create_bucket(&config, &name, clock.clone()).await.unwrap();
    objects(&aws::BucketObjects::new(&config, &name, clock.clone())).await;
    // A bucket that is not there takes nothing, and says so.
    let absent = aws::BucketObjects::new(&config, "nobody-made-this-one", clock);
    assert!(absent.put("models/a", b"x".to_vec()).await.is_err());
}
