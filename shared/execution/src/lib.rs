//! Carries plans out over the ports, step by step, and takes them back.
//!
//! [`rescue`] turns a notice into a plan, [`drive`] asks the step machine what comes next, writes the intent, performs it
//! ([`perform`]) or takes it back ([`unwind`]), and writes the result; [`sweep`] finds what nobody works on, [`refresh`] keeps
//! the index that leads from an instance to its node. [`survey`] makes the snapshots that decisions are made from, [`optimize`] turns
//! what the decision server says into plans, and [`safety`] looks at the world before each step of those. [`office_hours`] puts
//! workloads to sleep and wakes them, [`notify`] tells people, and [`wishes`] writes down what people ask for.
//!
//! What is not here and never will be: the choice of what to do (plans are complete), vendor types, and a sleep: waiting is
//! a status, and the queue brings the plan back.

pub mod drain;
pub mod drive;
pub mod held;
pub mod notify;
pub mod office_hours;
pub mod optimize;
pub mod perform;
pub mod permissions;
pub mod ports;
pub mod refresh;
pub mod rescue;
pub mod roster;
pub mod safety;
pub mod survey;
pub mod sweep;
pub mod tell;
pub mod unwind;
pub mod waste;
pub mod wishes;

/// How many clusters are visited at the same time by what visits all of them in its minute. A visit waits for three or four answers from far
/// away, about half a second: 45 s are enough for 1,800 clusters.
pub const SIDE_BY_SIDE: usize = 20;

pub use drive::{Driven, continue_plan, drive};
pub use ports::{Ports, Trouble, scope, theirs};
