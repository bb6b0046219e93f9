//! The table, the queues and the key service: in memory, on an embedded DynamoDB, and on any AWS-like endpoint that
//! `CONTRACT_AWS_ENDPOINT` names (moto, for one).

use domain::ports::Clock;
use harness::contracts::store::{Taken, queue, rounds, store, vault};
use sim::clock::SimClock;
use sim::store::{MemoryQueue, MemoryStore, MemoryVault, Which};

#[tokio::test]
async fn memory_keeps_the_contract_of_the_table() {
    store(&MemoryStore::default()).await;
}

#[tokio::test]
async fn memory_keeps_the_contract_of_the_queues() {
    let clock = SimClock::new();
    let memory = MemoryQueue::new(clock.clone());
    queue(&*memory, async || {
        let mut taken = Taken::default();
        for message in memory.take_due(clock.now()) {
            match message.queue {
                Which::Interruptions => taken.interruptions.push(message.body),
                Which::Plans => taken.plans.push(message.body),
                Which::Rounds => taken.rounds.push(message.body),
                Which::Scans | Which::Notices | Which::DeadLetters => panic!("nobody asks for them here, and nobody works on dead letters"),
            }
        }
        taken.dead_letters = memory.dead_letters();
        taken
    })
    .await;
}

#[tokio::test]
async fn memory_keeps_the_contract_of_the_optimizers_queue() {
    let clock = SimClock::new();
    let memory = MemoryQueue::new(clock.clone());
    rounds(&*memory, async || memory.take_due(clock.now()).into_iter().map(|message| message.body).collect()).await;
}

#[tokio::test]
async fn the_named_endpoint_keeps_the_contract_of_the_optimizers_queue() {
    let Some(config) = outside().await else { return };
    let url = aws::create_queue(&config, &fresh("rounds")).await.unwrap();
    let queue = aws::RoundQueue::new(&config, url.clone());
    rounds(&queue, async || aws::take_messages(&config, &url).await.unwrap()).await;
}

#[tokio::test]
async fn memory_keeps_the_contract_of_the_vault() {
    let memory = MemoryVault::default();
    vault(&memory).await;
    memory.disable(true);
    let context = domain::tenant::SealContext::Token {
        customer: domain::ids::CustomerId::parse("acme").unwrap(),
        cluster: domain::ids::ClusterId::parse("prod").unwrap(),
        endpoint: "https://example.com".to_owned(),
    };
    let secret = secrecy::SecretString::from("token".to_owned());
    assert!(domain::ports::Vault::seal(&memory, &context, &secret).await.is_err(), "a disabled key seals nothing");
}

#[tokio::test]
async fn dynamodb_keeps_the_contract_of_the_table() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let database = dynoxide::Database::memory().unwrap();
    let server = tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()));
    let config = aws::local_config(&endpoint, "us-east-1");
    aws::create_table(&config, "contract").await.unwrap();
    aws::create_table(&config, "contract").await.unwrap();
    store(&aws::Table::new(&config, "contract".to_owned())).await;
    server.abort();
}

/// An endpoint beside, where one is named.
async fn outside() -> Option<aws::SdkConfig> {
    #[expect(clippy::disallowed_methods, reason = "the contracts' own switch")]
    let endpoint = std::env::var("CONTRACT_AWS_ENDPOINT").ok()?;
    Some(aws::local_config(&endpoint, "us-east-1"))
}

/// A name that no earlier run on the same endpoint has used.
fn fresh(what: &str) -> String {
    format!("{what}-{:08x}", fastrand::u32(..))
}

#[tokio::test]
async fn the_named_endpoint_keeps_the_contract_of_the_table() {
    let Some(config) = outside().await else { return };
    let name = fresh("contract");
    aws::create_table(&config, &name).await.unwrap();
    store(&aws::Table::new(&config, name)).await;
}

#[tokio::test]
async fn the_named_endpoint_keeps_the_contract_of_the_queues() {
    let Some(config) = outside().await else { return };
    let make = async |what: &str| aws::create_queue(&config, &fresh(what)).await.unwrap();
    let urls =
        aws::QueueUrls { interruptions: make("interruptions").await, plans: make("plans").await, dead_letters: make("dead-letters").await };
    queue(&aws::Queues::new(&config, urls.clone()), async || Taken {
        interruptions: aws::take_messages(&config, &urls.interruptions).await.unwrap(),
        plans: aws::take_messages(&config, &urls.plans).await.unwrap(),
        dead_letters: aws::take_messages(&config, &urls.dead_letters).await.unwrap(),
        rounds: Vec::new(),
    })
    .await;
}

#[tokio::test]
async fn the_named_endpoint_keeps_the_contract_of_the_vault() {
    let Some(config) = outside().await else { return };
    let key = aws::create_key(&config).await.unwrap();
    vault(&aws::KeyVault::new(&config, key)).await;
}
