//! The contract of the decision server: on ours, served on this machine, or on the one that `CONTRACT_ADVISOR_URL` names.

use decision::planner::Planner;
use decision::{Deps, Key, Library, Limits, Records};
use harness::contracts::advisor::{Target, keeps_the_contract, size};
use std::sync::Arc;

const KEY: &str = "the-key-of-this-test";

/// The server that is named, or our own.
#[expect(clippy::disallowed_methods, reason = "a test asks its environment which server it is to look at")]
async fn target() -> Target {
    if let Ok(url) = std::env::var("CONTRACT_ADVISOR_URL") {
        return Target { url, key: std::env::var("CONTRACT_ADVISOR_KEY").unwrap_or_default().into() };
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (library, clock) = (Arc::new(Library::embedded()), sim::clock::SimClock::new());
    let records = Some(Records { store: Arc::new(sim::store::MemoryMarket::default()), clock });
    let keys = vec![Key::of(KEY)];
    let deps = Deps { engine: Arc::new(Planner::default()), library, records, bench: None, desk: None, keys, limits: Limits::default() };
    tokio::spawn(async move { axum::serve(listener, decision::router(Arc::new(deps))).await });
    Target { url, key: KEY.to_owned().into() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decision_server_keeps_its_contract() {
    keeps_the_contract(&target().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_nodes_fit_both_ways() {
    size::five_thousand_nodes_fit_both_ways(&target().await).await;
}
