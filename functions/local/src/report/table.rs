//! The report for a terminal.

use super::Report;
use super::verdicts::{a_month, blockers, describe, percent, rows, title};
use std::fmt::Write;

/// Moves and nodes that are listed; the rest is counted.
const LINES_MAX: usize = 40;

pub(super) fn print(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut out, report);
    // Names come from the cluster: none of them may move the cursor of whoever reads this.
    out.chars().filter(|c| *c == '\n' || !c.is_control()).collect()
}

fn write(out: &mut String, report: &Report) -> std::fmt::Result {
    let state = &report.state;
    writeln!(out, "Cluster {} in {}", report.cluster, report.region)?;
    writeln!(
        out,
        "  {} nodes ({} spot, {} on-demand), {} pods, {:.0} cores, {:.0} GiB\n",
        state.node_count, state.spot_node_count, state.on_demand_node_count, state.pod_count, state.total_cpu, state.total_memory
    )?;
    for plan in &report.plans {
        let answer = &plan.answer;
        writeln!(out, "  {}", title(plan.kind))?;
        writeln!(
            out,
            "    saves {} an hour, {} a month ({} %), in {} moves",
            answer.estimated_saving,
            a_month(answer.estimated_saving),
            percent(answer.estimated_saving, answer.cost_before),
            answer.execution_plan.len()
        )?;
    }
    let Some(best) = report.plans.first() else { return Ok(()) };
    let answer = &best.answer;
    writeln!(out, "\nCost per hour\n  now                                {}", answer.cost_before)?;
    writeln!(out, "  after the best plan                {}", answer.cost_after)?;
    writeln!(out, "  no placement of these pods is below {}\n", answer.lower_bound)?;
    for reason in &answer.reasons {
        writeln!(out, "  {reason}")?;
    }
    writeln!(out, "\nMoves of the best plan, in their order")?;
    if answer.execution_plan.is_empty() {
        writeln!(out, "  none")?;
    }
    for (number, step) in (1..).zip(&answer.execution_plan).take(LINES_MAX) {
        writeln!(out, "  {number:>3}  {}  ({} an hour, {} pods move)", describe(step), step.saving_per_hour, step.pods_moved)?;
        writeln!(out, "       {}", step.why)?;
    }
    more(out, answer.execution_plan.len(), "moves")?;
    writeln!(out, "\nWhat blocks the rest")?;
    for blocker in blockers(report, best) {
        writeln!(out, "  {:<20} {:>5} nodes  {:>14} an hour  {}", blocker.code, blocker.nodes, blocker.cost.to_string(), blocker.example)?;
    }
    writeln!(out, "\nNodes")?;
    for row in rows(report, best).iter().take(LINES_MAX) {
        let price = row.price.map_or_else(|| "?".to_owned(), |price| price.to_string());
        writeln!(
            out,
            "  {:<44} {:<36} {:>11}  cpu {:>3} %  memory {:>3} %  {:>3} pods  {}",
            row.node.name.as_str(),
            row.what,
            price,
            row.cpu_percent,
            row.memory_percent,
            row.pods,
            row.verdict
        )?;
    }
    more(out, report.snapshot.nodes.len(), "nodes")?;
    writeln!(out, "\nTaken for granted")?;
    for said in &report.assumptions {
        writeln!(out, "  - {said}")?;
    }
    writeln!(out, "\nNothing was changed.")
}

fn more(out: &mut String, count: usize, what: &str) -> std::fmt::Result {
    if count > LINES_MAX {
        writeln!(out, "  ... and {} more {what}: --output json or html shows all", count - LINES_MAX)?;
    }
    Ok(())
}
