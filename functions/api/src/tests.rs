//! The REST API as callers meet it: requests in, answers out, over the in-memory twins of all adapters.

mod access;
mod actions;
mod attacks;
mod billing;
mod clusters;
mod contract;
mod customers;
mod desk;
mod dry;
mod errors;
mod events;
mod held;
mod idempotency;
mod isolation;
mod keys;
mod lists;
mod ml;
mod notifications;
mod office_hours;
mod optimization;
mod permissions;
mod scanner;
mod sizes;
mod support;
mod tokens;
mod town;
