//! The decision server's table: in memory, on an embedded DynamoDB, and on any AWS-like endpoint that `CONTRACT_AWS_ENDPOINT`
//! names (moto, for one).

use harness::contracts::market::{market, outcomes};
use harness::contracts::models::{models, work};
use sim::store::MemoryMarket;

#[tokio::test]
async fn memory_keeps_the_contract_of_the_market() {
    market(&MemoryMarket::default()).await;
    outcomes(&MemoryMarket::default()).await;
    models(&MemoryMarket::default()).await;
    work(&MemoryMarket::default()).await;
}

#[tokio::test]
async fn dynamodb_keeps_the_contract_of_the_market() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let database = dynoxide::Database::memory().unwrap();
    let server = tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()));
    let config = aws::local_config(&endpoint, "us-east-1");
    aws::create_decision_table(&config, "market").await.unwrap();
    aws::create_decision_table(&config, "market").await.unwrap();
    let table = aws::DecisionTable::new(&config, "market".to_owned());
    market(&table).await;
    outcomes(&table).await;
    models(&table).await;
    work(&table).await;
    server.abort();
}

#[tokio::test]
async fn the_named_endpoint_keeps_the_contract_of_the_market() {
    #[expect(clippy::disallowed_methods, reason = "the contracts' own switch")]
    let Ok(endpoint) = std::env::var("CONTRACT_AWS_ENDPOINT") else { return };
    let config = aws::local_config(&endpoint, "us-east-1");
    // A name that no earlier run on the same endpoint has used.
    let name = format!("market-{:08x}", fastrand::u32(..));
    aws::create_decision_table(&config, &name).await.unwrap();
    let table = aws::DecisionTable::new(&config, name);
    market(&table).await;
    outcomes(&table).await;
    models(&table).await;
    work(&table).await;
}
