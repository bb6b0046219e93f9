//! The state, in two DynamoDB tables: the core's, and the decision server's. Every access pattern stands in `store/README.md`.

mod errors;
mod findings;
mod idempotency;
mod item;
mod journal;
mod keys;
mod ledger;
mod market;
mod nights;
mod optimizations;
mod outbox;
mod pools;
mod registry;
mod routes;
mod schema;
mod table;
mod trail;
mod usages;

pub use market::DecisionTable;
pub use schema::{create_decision_table, create_table};
pub use table::Table;

#[cfg(test)]
mod tests;
