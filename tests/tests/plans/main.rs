//! The plans of the real planner, carried out: in random clusters, whose scheduler shares no code with it, and through a day in which
//! load and prices move.
//!
//! `PLAN_SEEDS` says how many clusters, `PLAN_FIRST` with which seed they begin, `PLAN_SEED` replays one.

mod blind;
mod carried;
mod cluster;
mod coverage;
mod day;
mod lineage;
mod market;
mod seeds;
