//! The figures of the API, one `BENCH` line each: warm reads of 200 clients at once, and what a flood of one customer costs another.

use api::{Deps, rates, router};
use axum::Router;
use data_encoding::HEXLOWER;
use domain::finding::{Finding, FindingKind};
use domain::ids::{ClusterId, CustomerId};
use domain::ports::Clock;
use domain::tenant::{ApiKey, Customer, CustomerStatus, Role};
use gate::Gate;
use harness::contracts::store::Store;
use harness::system::a_cluster;
use runtime::clock::SystemClock;
use sha2::{Digest, Sha256};
use sim::store::{MemoryQueue, MemoryTrust, MemoryVault};
use sim::world::World;
use std::sync::Arc;

#[path = "api/flood.rs"]
mod flood;
#[path = "api/reads.rs"]
mod reads;

const CUSTOMERS: usize = 20;
const KEYS_EACH: usize = 10;
const FINDINGS_EACH: usize = 20;

fn main() {
    reads::reads();
    flood::flood();
}

fn customer(number: usize) -> CustomerId {
    CustomerId::parse(format!("customer-{number}")).unwrap()
}

fn cluster(number: usize) -> ClusterId {
    ClusterId::parse(format!("c-{number}")).unwrap()
}

fn key(number: usize) -> String {
    format!("co_key-of-client-{number}")
}

/// Twenty customers with ten keys, a cluster and twenty findings each.
async fn settle(store: &dyn Store, clock: &dyn Clock) {
    let now = clock.now();
    for number in 0..CUSTOMERS {
        let (customer, cluster) = (customer(number), cluster(number));
        let whom = Customer {
            id: customer.clone(),
            company_name: customer.to_string(),
            email: "ops@example.com".to_owned(),
            external_id: format!("external-{number}"),
            status: CustomerStatus::Active,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        store.put_customer(&whom).await.unwrap();
        let account = format!("{:012}", 111_100_000_000_u64 + number as u64);
        store.put_cluster(&a_cluster(&customer, &cluster, &account, "us-east-1", now), None).await.unwrap();
        for finding in 0..FINDINGS_EACH {
            let subject = format!("i-{finding:08x}");
            store.put_finding(&Finding::new(customer.clone(), cluster.clone(), FindingKind::Ghost, &subject, now)).await.unwrap();
        }
        for own in 0..KEYS_EACH {
            let client = number * KEYS_EACH + own;
            let made = ApiKey {
                id: format!("k-{client}"),
                hash: HEXLOWER.encode(&Sha256::digest(key(client))),
                customer: customer.clone(),
                role: Role::Viewer,
                label: "bench".to_owned(),
                expires_at: None,
                revoked: false,
                created_at: Some(now),
            };
            store.put_api_key(&made).await.unwrap();
        }
    }
}

/// The API over this table, with the calls of a minute that every key has.
fn api<S: Store + 'static>(store: &Arc<S>, clock: Arc<dyn Clock>) -> Router {
    let queue = MemoryQueue::new(clock.clone());
    router(Arc::new(Deps {
        registry: store.clone(),
        journal: store.clone(),
        optimizations: store.clone(),
        ledger: store.clone(),
        outbox: store.clone(),
        nights: store.clone(),
        rounds: queue.clone(),
        findings: store.clone(),
        scans: queue.clone(),
        routes: store.clone(),
        idempotency: store.clone(),
        queue,
        trust: Arc::new(MemoryTrust::default()),
        vault: Arc::new(MemoryVault::default()),
        ml: None,
        clusters: World::new(clock.clone(), 1),
        trail: store.clone(),
        rates: api::rates_of(store.clone(), rates::PER_MINUTE),
        issuer: None,
        gate: Gate::this_machine(),
        directory: None,
        clock,
        bootstrap_admin_hash: None,
        ids: api::random_ids(),
    }))
}

fn real() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// The value below which so many thousandths lie.
fn quantile(values: &mut [f64], thousandths: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    let at = (values.len() * thousandths / 1_000).min(values.len().saturating_sub(1));
    values.get(at).copied().unwrap_or(f64::NAN)
}
