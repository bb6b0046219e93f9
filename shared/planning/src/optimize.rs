//! A decision: which nodes go, which come for them, and why all others stay.
//!
//! A request and a market go in, an answer comes out. The same input gives the same answer on every machine: no clock is read, and
//! effort is counted in work.
//!
//! Guarantees:
//! - after the moves the cluster costs no more than before, and each move is worth its disruption by the policy's measures;
//! - each move can be carried out by itself, and all of them in any order: their pods are sure of a place wherever the scheduler puts
//!   the others ([`crate::placement::State::sure`]);
//! - every node is in a move, or among the untouched with its reason;
//! - the lower bound is proven: constraints left aside, no placement of these pods costs less.
//!
//! What is not here: the right to act, and any doubt about what the snapshot says.

pub mod account;
pub mod ahead;
pub(crate) mod bound;
pub(crate) mod desk;
mod explain;
pub mod market;
pub(crate) mod outlook;
pub(crate) mod shelf;
pub mod worth;

pub use market::{Market, Offer};

pub use account::Account;

use crate::methods::Method;
use crate::placement::Index;
use desk::Desk;
use domain::decision::{DecisionAnswer, DecisionRequest};
use outlook::Outlook;
use std::rc::Rc;

/// How much work an answer may take. A node with thirty pods is reckoned at about five hundred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// How often a node may be asked whether a pod fits, for each plan that is tried.
    pub work: u64,
}

impl Default for Effort {
    /// Enough for 5,000 nodes with 150,000 pods, a few times over.
    fn default() -> Effort {
        Effort { work: 200_000_000 }
    }
}

/// Decides, and accounts for what is left where the request asks for it. See the module.
pub fn decide(request: &DecisionRequest, market: &Market, effort: &Effort) -> DecisionAnswer {
    if request.constraints.account {
        return decide_and_account(request, market, effort).0;
    }
    let index = Index::new(&request.snapshot);
    explain::answer(planned(request, &market.with(&request.constraints), &index, effort, None), None)
}

/// Decides, and accounts for all that the bound leaves, asked for or not: what is taken, and what each blocker costs.
pub fn decide_and_account(request: &DecisionRequest, market: &Market, effort: &Effort) -> (DecisionAnswer, Account) {
    let index = Index::new(&request.snapshot);
    let market = market.with(&request.constraints);
    let mut desk = planned(request, &market, &index, effort, None);
    let account = Account::of(&mut desk, &market, effort);
    (explain::answer(desk, Some(&account)), account)
}

/// The desk with the best plan of the portfolio.
fn planned<'a>(
    request: &'a DecisionRequest,
    market: &Market,
    index: &'a Index<'a>,
    effort: &Effort,
    outlook: Option<Rc<Outlook>>,
) -> Desk<'a> {
    let mut outlook = outlook;
    let mut best: Option<Desk<'_>> = None;
    let mut farthest = 0;
    for methods in Method::portfolio(request.decision_type) {
        let mut desk = Desk::new(request, market, index, effort, outlook.clone());
        outlook = Some(Rc::clone(&desk.outlook));
        methods.into_iter().for_each(|method| method.apply(&mut desk));
        desk.join();
        farthest = farthest.max(desk.in_the_end());
        // Of equals the first: it is the gentlest.
        if best.as_ref().is_none_or(|best| desk.saving() > best.saving()) {
            best = Some(desk);
        }
    }
    let mut best = best.unwrap_or_else(|| Desk::new(request, market, index, effort, outlook));
    best.beyond = farthest - best.in_the_end();
    best
}

#[cfg(test)]
pub(crate) mod tests;
