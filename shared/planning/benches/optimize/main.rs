//! How long one decision takes, how its time grows with the cluster, and what it achieves: `BENCH` lines.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot be set up must stop; its figures go to the terminal"
)]

mod carry;
mod clock;
mod cluster;
mod pass;
mod running;

use clock::Began;
use domain::decision::{DecisionAnswer, DecisionType};
use planning::optimize::{Effort, decide};
use std::time::Duration;

/// The fastest of some runs: what the machine does besides is not ours. With the account is how the optimizer of a real cluster asks.
fn fastest(nodes: usize, kind: DecisionType, runs: usize, account: bool) -> (Duration, DecisionAnswer) {
    let mut request = cluster::request(nodes, kind, 7);
    request.constraints.account = account;
    let market = cluster::market();
    let mut best: Option<(Duration, DecisionAnswer)> = None;
    for _ in 0..runs {
        let began = Began::now();
        let answer = decide(&request, &market, &Effort::default());
        let took = began.elapsed();
        if best.as_ref().is_none_or(|(known, _)| took < *known) {
            best = Some((took, answer));
        }
    }
    best.expect("at least one run")
}

/// The most memory that this process ever held, MB; zero where the system does not tell.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|rest| rest.split_whitespace().next()).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn main() {
    if std::env::args().any(|word| word == "--test") {
        return;
    }
    if std::env::args().all(|word| word != "--sizes") {
        running::report();
    }
    if std::env::args().any(|word| word == "--running") {
        return;
    }
    let sizes = [500_usize, 1_000, 2_000, 5_000];
    let (mut seconds, mut alone) = (Vec::new(), Vec::new());
    for nodes in sizes {
        alone.push(fastest(nodes, DecisionType::BinPack, 3, false).0.as_secs_f64());
        let (took, answer) = fastest(nodes, DecisionType::BinPack, 3, true);
        println!(
            "# {nodes} nodes: {:.3} s, {:.3} s without the account, {} moves, {} -> {}, bound {}",
            took.as_secs_f64(),
            alone.last().copied().unwrap_or_default(),
            answer.execution_plan.len(),
            answer.cost_before,
            answer.cost_after,
            answer.lower_bound
        );
        for reason in answer.reasons.iter().skip(1) {
            println!("#   {reason}");
        }
        seconds.push(took.as_secs_f64());
    }
    pass::report(100);
    println!("BENCH optimize_5000_nodes_150000_pods {:.2} s <= 3", seconds[3]);
    println!("BENCH optimize_peak_memory {} MB <= 512", peak_mb());
    // n log n from 500 to 5,000 nodes is a factor of 10 * ln 5000 / ln 500: an exponent of 1.137.
    // Without the account, which looks the less far ahead the larger the cluster is.
    let exponent = |of: &[f64]| (of[3] / of[0]).ln() / 10_f64.ln();
    println!("BENCH optimize_growth_exponent {:.2} exponent <= 1.3", exponent(&alone));
    println!("# with the account {:.2}", exponent(&seconds));
    for (name, kind) in [("spot", DecisionType::SpotOptimize), ("rightsize", DecisionType::Rightsize)] {
        let (took, answer) = fastest(5_000, kind, 1, true);
        println!("# {name}: {} moves, {} -> {}", answer.execution_plan.len(), answer.cost_before, answer.cost_after);
        println!("BENCH optimize_5000_nodes_{name} {:.2} s <= 3", took.as_secs_f64());
    }
}
