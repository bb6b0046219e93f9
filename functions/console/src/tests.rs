//! The console over a store in memory: who may see and do what, and what a page may never hold.

mod door;
mod fleet;
mod laws;
mod models;
mod pricing;
mod rightsizing;
mod support;
mod waste;
mod words;
