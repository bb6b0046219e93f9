//! Faults at every call: a gate in front of any port, real or simulated.
//!
//! A script decides for each call whether it goes through, fails before or after its effect, hangs until its time-out, or
//! takes the whole process with it. A crash is a call that never returns: whoever drives the code watches
//! [`Gate::crashed`] and drops the future.

use domain::SignedDuration;
use domain::ports::Clock;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

mod findings;
mod nights;
mod optimize;
mod outside;
mod store;
mod usages;

pub use findings::{FaultyFindings, FaultyNotices};
pub use nights::FaultyNights;
pub use optimize::{FaultyLedger, FaultyOptimizations, FaultyRounds};
pub use outside::{FaultyCloud, FaultyClusters, FaultyQueue};
pub use store::{FaultyJournal, FaultyPools, FaultyRegistry, FaultyRoutes};
pub use usages::FaultyUsages;

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// No answer in time, a reset, a 5xx: the effect may have happened.
    Unavailable,
    /// Throttled: no effect.
    Throttled,
    /// A right or a credential is missing: no effect.
    Denied,
}

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It fails, and nothing has happened.
    Before(Kind),
    /// It happens, and its answer is lost.
    After,
    /// Nothing happens until the caller's time-out of some seconds.
    Hang,
    /// The process dies before it happens.
    CrashBefore,
    /// It happens, and the process dies before it hears of it.
    CrashAfter,
}

/// All faults, for exhaustive runs.
pub const ALL: [Fault; 7] = [
    Fault::Before(Kind::Unavailable),
    Fault::Before(Kind::Throttled),
    Fault::Before(Kind::Denied),
    Fault::After,
    Fault::Hang,
    Fault::CrashBefore,
    Fault::CrashAfter,
];

/// One call, as the script sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// How many calls went before it.
    pub index: u64,
    /// `cluster.evict` and the like.
    pub name: &'static str,
}

type Script = Box<dyn FnMut(Call) -> Option<Fault> + Send>;

/// The gate that all faulty ports of one process share.
pub struct Gate {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    crash: Notify,
    extra: SignedDuration,
}

struct State {
    script: Script,
    calls: u64,
    names: Vec<&'static str>,
    crashes: u64,
}

/// How long a hanging call takes until its time-out.
const HANG: SignedDuration = SignedDuration::from_secs(3);

impl Gate {
    /// A gate with a script. The clock makes hanging calls take time.
    pub fn new(clock: Arc<dyn Clock>, script: impl FnMut(Call) -> Option<Fault> + Send + 'static) -> Arc<Gate> {
        Gate::slow(clock, SignedDuration::ZERO, script)
    }

    /// A gate through which every call of EC2 and Kubernetes takes this long, too: the round trip of a bench.
    pub fn slow(clock: Arc<dyn Clock>, extra: SignedDuration, script: impl FnMut(Call) -> Option<Fault> + Send + 'static) -> Arc<Gate> {
        let state = State { script: Box::new(script), calls: 0, names: Vec::new(), crashes: 0 };
        Arc::new(Gate { clock, state: Mutex::new(state), crash: Notify::new(), extra })
    }

    /// Replaces the script: faults stop, or begin.
    pub fn script(&self, script: impl FnMut(Call) -> Option<Fault> + Send + 'static) {
        self.lock().script = Box::new(script);
    }

    /// Returns when a call has crashed the process.
    pub async fn crashed(&self) {
        self.crash.notified().await;
    }

    /// How many calls went through the gate.
    pub fn calls(&self) -> u64 {
        self.lock().calls
    }

    /// The names of all calls so far, in order.
    pub fn names(&self) -> Vec<&'static str> {
        self.lock().names.clone()
    }

    /// How often the process died.
    pub fn crashes(&self) -> u64 {
        self.lock().crashes
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn decide(&self, name: &'static str) -> Option<Fault> {
        let mut state = self.lock();
        let call = Call { index: state.calls, name };
        state.calls += 1;
        state.names.push(name);
        (state.script)(call)
    }

    async fn die<T>(&self) -> T {
        self.lock().crashes += 1;
        self.crash.notify_one();
        std::future::pending().await
    }

    /// Sends one call through the gate.
    async fn pass<T, E>(&self, name: &'static str, call: impl Future<Output = Result<T, E>>, fail: impl Fn(Kind) -> E) -> Result<T, E> {
        if !self.extra.is_zero() && (name.starts_with("cluster.") || name.starts_with("cloud.")) {
            self.clock.sleep(self.extra).await;
        }
        match self.decide(name) {
            None => call.await,
            Some(Fault::Before(kind)) => Err(fail(kind)),
            Some(Fault::After) => {
                let _lost = call.await;
                Err(fail(Kind::Unavailable))
            }
            Some(Fault::Hang) => {
                self.clock.sleep(HANG).await;
                Err(fail(Kind::Unavailable))
            }
            Some(Fault::CrashBefore) => self.die().await,
            Some(Fault::CrashAfter) => {
                let _lost = call.await;
                self.die().await
            }
        }
    }
}
