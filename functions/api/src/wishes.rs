//! Wishes over the API: who asks, and what a refusal means for a caller.

use crate::Deps;
use crate::auth::Caller;
use crate::problem::Problem;
use execution::wishes::{Refused, Who, Wishes};
use http::StatusCode;
use serde_json::json;

/// The caller as somebody who wishes.
pub fn who(caller: &Caller) -> Who {
    Who { customer: caller.customer.clone(), label: caller.label.clone() }
}

/// Where wishes are written to.
pub fn wishes(deps: &Deps) -> Wishes {
    Wishes {
        registry: deps.registry.clone(),
        journal: deps.journal.clone(),
        optimizations: deps.optimizations.clone(),
        findings: deps.findings.clone(),
        rounds: deps.rounds.clone(),
        scans: deps.scans.clone(),
        queue: deps.queue.clone(),
        clock: deps.clock.clone(),
    }
}

/// A refusal as a problem document.
pub fn problem(refused: Refused) -> Problem {
    let conflict = |code, text: String| Problem::new(StatusCode::CONFLICT, code, text);
    let text = refused.to_string();
    match refused {
        Refused::Absent(what) => Problem::absent(what),
        Refused::Decided(state) => conflict("nothing-to-decide", text).with("state", json!(state)),
        Refused::Halted(halt) => {
            let detail = format!("{} is stopped: {}. Lift the stop with POST /api/v1/admin/halt, then ask again.", halt.scope, halt.reason);
            conflict("halted", detail)
        }
        Refused::NotOpen(state) => conflict("nothing-to-dismiss", text).with("state", json!(state)),
        Refused::NoReason => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-reason", text),
        Refused::NotBegun => conflict("not-begun", text).retry_after(60),
        Refused::PastReturn => conflict("past-return", text),
        Refused::Busy => conflict("changed-meanwhile", text).retry_after(1),
        Refused::Store(error) => error.into(),
        Refused::Queue(error) => error.into(),
    }
}
