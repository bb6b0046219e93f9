//! The world: EC2, Auto Scaling and some Kubernetes clusters, grown from one seed.
//!
//! It does nothing by itself: every access first lets happen what is due by the clock, in order, and then looks or acts. Under
//! paused time a whole outage passes in microseconds, and the same calls at the same times lead to the same history.

pub mod catalog;
pub mod happened;
pub mod spec;

mod account;
mod agenda;
mod beginnings;
mod budgets;
mod claims;
mod cloud_port;
mod cluster_port;
mod daily;
mod estate;
pub(crate) mod evictions;
mod filling;
mod join;
mod judged;
mod look;
mod machines;
mod market;
mod market_source;
mod nodes;
mod notices;
mod pod_table;
mod pods;
mod populate;
pub mod random;
mod scalers;
pub(crate) mod scheduler;
pub(crate) mod services;
pub(crate) mod sizes;
pub(crate) mod state;
mod workloads;

pub use catalog::TypeSpec;
pub use daily::Daily;
pub use filling::Filling;
pub use happened::{By, Cause, Happened, What};
pub use judged::{Pending, newly_pending};
pub use market::{MarketSpec, Warning};
pub use services::ServiceSpec;
pub use spec::{Allows, ClusterSpec, DeploymentSpec, NodeSpec, PdbSpec, PodShape, Timing, Volume, WorkloadSpec, tolerates_all};

use domain::ids::InvalidId;
use domain::ports::Clock;
use state::State;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// One world. Implements [`domain::ports::Cloud`] and [`domain::ports::Clusters`] itself.
pub struct World {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    me: Weak<World>,
}

impl World {
    /// An empty world. Everything random in it comes from the seed.
    pub fn new(clock: Arc<dyn Clock>, seed: u64) -> Arc<World> {
        let state = Mutex::new(State::new(clock.now(), seed));
        Arc::new_cyclic(|me| World { clock, state, me: me.clone() })
    }

    /// The clock it lives by.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Brings the world up to now, then looks at it or changes it.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.advance(self.clock.now());
        act(&mut state)
    }

    /// The same, and counts the call.
    pub(crate) fn call<T>(&self, name: &'static str, act: impl FnOnce(&mut State) -> T) -> T {
        self.with(|state| {
            *state.calls.entry(name).or_default() += 1;
            act(state)
        })
    }
}

/// An identifier out of a text that the simulator made.
pub(crate) fn minted<T: TryFrom<String, Error = InvalidId>>(text: impl Into<String>) -> T {
    T::try_from(text.into()).unwrap_or_else(|error| panic!("a simulated world is made of valid names: {error}"))
}

#[cfg(test)]
mod tests;
