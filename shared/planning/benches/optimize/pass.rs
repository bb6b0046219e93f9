//! A whole pass: answer after answer, each carried out, until none has anything to do.

use crate::carry;
use crate::clock::Began;
use crate::cluster::{market, request};
use domain::decision::{DecisionAnswer, DecisionRequest, DecisionType, WhyNot};
use planning::optimize::{Account, Effort, Market, decide_and_account};
use std::time::Duration;

/// Answers at the most: more would be a circle.
const ANSWERS_MAX: usize = 60;

/// What a pass came to.
pub(crate) struct Pass {
    pub(crate) answers: usize,
    pub(crate) took: Duration,
    pub(crate) first: DecisionAnswer,
    pub(crate) last: DecisionAnswer,
    pub(crate) account: Account,
}

/// Goes on until nothing is left to do.
pub(crate) fn whole(request: DecisionRequest, market: &Market) -> Pass {
    let mut request = request;
    let mut took = Duration::ZERO;
    let mut first = None;
    for answers in 1..=ANSWERS_MAX {
        let began = Began::now();
        let (answer, account) = decide_and_account(&request, market, &Effort::default());
        took += began.elapsed();
        let first = first.get_or_insert_with(|| answer.clone());
        assert!(answer.cost_after <= answer.cost_before && answer.lower_bound <= answer.cost_after);
        if answer.execution_plan.is_empty() && answer.cursor.is_none() || answers == ANSWERS_MAX {
            return Pass { answers, took, first: first.clone(), last: answer, account };
        }
        request = carry::out(&request, &answer, market, answers);
    }
    unreachable!("the last answer ends it")
}

pub(crate) fn report(nodes: usize) {
    let market = market();
    let pass = whole(request(nodes, DecisionType::BinPack, 7), &market);
    let unreached = pass.first.untouched.iter().filter(|untouched| untouched.code == WhyNot::NotReached).count();
    let over = |answer: &DecisionAnswer| answer.cost_after.0 as f64 / answer.lower_bound.0 as f64;
    println!(
        "# pass over {nodes} nodes: {} answers in {:.2} s; {} -> {} with the first, {} with the last; {:.3}, then {:.3} of the bound",
        pass.answers,
        pass.took.as_secs_f64(),
        pass.first.cost_before,
        pass.first.cost_after,
        pass.last.cost_after,
        over(&pass.first),
        over(&pass.last)
    );
    pass.account.sentences().iter().for_each(|sentence| println!("#   at the end: {sentence}"));
    println!("BENCH optimize_pass_{nodes}_nodes_not_reached_by_first_answer {unreached} nodes <= 0");
    println!(
        "# at the end {:.3} of what the bound leaves is taken or explained; overlap {}",
        pass.account.explained(),
        pass.account.overlap
    );
}
