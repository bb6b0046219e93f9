//! The console on the same ports, beside the API: one address for both.

use crate::thinking::Server;
use anyhow::Context;
use axum::Router;
use console::fleet::Fleets;
use console::session::Signer;
use execution::Ports;
use runtime::advisor::Connection;
use runtime::http::Limits;
use sim::store::MemoryQueue;
use std::sync::Arc;

/// Sessions end when the process does: what they are signed with is made at its start.
pub(crate) fn router(
    ports: &Ports,
    table: &Arc<aws::Table>,
    queue: &Arc<MemoryQueue>,
    decision: &Arc<aws::DecisionTable>,
    server: &Server,
) -> anyhow::Result<Router> {
    let ids = console::random_ids();
    let secret = [ids().to_be_bytes(), ids().to_be_bytes()].concat();
    let limits = Limits { connect_s: 1, whole_s: 5, wire_bytes_max: 2_000_000, plain_bytes_max: 8_000_000 };
    let deps = console::Deps {
        registry: table.clone(),
        journal: table.clone(),
        optimizations: table.clone(),
        ledger: table.clone(),
        outbox: table.clone(),
        nights: table.clone(),
        findings: table.clone(),
        trail: table.clone(),
        routes: table.clone(),
        market: decision.clone(),
        fillings: decision.clone(),
        rounds: queue.clone(),
        scans: queue.clone(),
        queue: queue.clone(),
        ml: Some(Arc::new(
            Connection::new(&server.url, &server.key, limits, &gate::Gate::this_machine())
                .context("the decision server cannot be asked")?,
        )),
        clock: ports.clock.clone(),
        ids,
        issuer: None,
        sessions: Signer::new(&secret, false),
        fleets: Fleets::default(),
    };
    Ok(console::router(Arc::new(deps)))
}
