//! The state, in one DynamoDB table. Every access pattern stands in `store/README.md`.

mod errors;
mod idempotency;
mod item;
mod journal;
mod keys;
mod ledger;
mod optimizations;
mod pools;
mod registry;
mod routes;
mod schema;
mod table;

pub use schema::create_table;
pub use table::Table;

#[cfg(test)]
mod tests;
