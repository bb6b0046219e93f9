//! The report as one page: no script, no other file, and every text of the cluster escaped.

use super::Report;
use super::verdicts::{a_month, blockers, describe, percent, rows, title};
use std::fmt::Write;

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;color:#1b1f24;background:#fff}\
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse;width:100%}\
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #d8dee4;vertical-align:top}td.n{text-align:right;white-space:nowrap}\
.big{font-size:1.3rem;font-weight:600}@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}th,td{border-color:#30363d}}";

pub(super) fn print(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut out, report);
    out
}

/// A text as HTML, between tags and in attributes.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

fn row(out: &mut String, cells: &[(&str, String)]) -> std::fmt::Result {
    out.push_str("<tr>");
    for (class, cell) in cells {
        write!(out, "<td class=\"{class}\">{}</td>", escape(cell))?;
    }
    writeln!(out, "</tr>")
}

fn table(out: &mut String, heads: &[&str]) -> std::fmt::Result {
    let heads: String = heads.iter().map(|head| format!("<th scope=\"col\">{head}</th>")).collect();
    writeln!(out, "<table><thead><tr>{heads}</tr></thead><tbody>")
}

fn list(out: &mut String, title: &str, items: &[String]) -> std::fmt::Result {
    let items: String = items.iter().map(|item| format!("<li>{}</li>", escape(item))).collect();
    writeln!(out, "<h2>{title}</h2><ul>{items}</ul>")
}

fn write(out: &mut String, report: &Report) -> std::fmt::Result {
    let (name, state) = (escape(report.cluster.as_str()), &report.state);
    writeln!(out, "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{name}: what could be saved</title>")?;
    writeln!(out, "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><style>{STYLE}</style></head><body><main>")?;
    writeln!(out, "<h1>{name} in {}</h1>", escape(report.region.as_str()))?;
    writeln!(
        out,
        "<p>{} nodes ({} spot, {} on-demand), {} pods, {:.0} cores, {:.0} GiB</p>",
        state.node_count, state.spot_node_count, state.on_demand_node_count, state.pod_count, state.total_cpu, state.total_memory
    )?;
    plans(out, report)?;
    let Some(best) = report.plans.first() else { return writeln!(out, "</main></body></html>") };
    list(out, "Why", &best.answer.reasons)?;
    writeln!(out, "<h2>Moves of the best plan, in their order</h2>")?;
    table(out, &["", "Nodes", "Saves an hour", "Pods that move", "Why"])?;
    for (number, step) in (1..).zip(&best.answer.execution_plan) {
        let number: usize = number;
        row(
            out,
            &[
                ("n", number.to_string()),
                ("", describe(step)),
                ("n", step.saving_per_hour.to_string()),
                ("n", step.pods_moved.to_string()),
                ("", step.why.clone()),
            ],
        )?;
    }
    writeln!(out, "</tbody></table><h2>What blocks the rest</h2>")?;
    table(out, &["Reason", "Nodes", "Cost an hour", "For example"])?;
    for blocker in blockers(report, best) {
        row(out, &[("", blocker.code), ("n", blocker.nodes.to_string()), ("n", blocker.cost.to_string()), ("", blocker.example)])?;
    }
    writeln!(out, "</tbody></table><h2>Nodes</h2>")?;
    table(out, &["Node", "What", "An hour", "CPU", "Memory", "Pods", "What becomes of it"])?;
    for node in rows(report, best) {
        let price = node.price.map_or_else(|| "?".to_owned(), |price| price.to_string());
        row(
            out,
            &[
                ("", node.node.name.to_string()),
                ("", node.what),
                ("n", price),
                ("n", format!("{} %", node.cpu_percent)),
                ("n", format!("{} %", node.memory_percent)),
                ("n", node.pods.to_string()),
                ("", node.verdict),
            ],
        )?;
    }
    writeln!(out, "</tbody></table>")?;
    list(out, "Taken for granted", &report.assumptions)?;
    writeln!(out, "<p>Nothing was changed.</p></main></body></html>")
}

fn plans(out: &mut String, report: &Report) -> std::fmt::Result {
    table(out, &["Plan", "Saves an hour", "Saves a month", "", "Moves", "Cost now", "Cost after", "No placement is below"])?;
    for plan in &report.plans {
        let answer = &plan.answer;
        row(
            out,
            &[
                ("", title(plan.kind).to_owned()),
                ("n", answer.estimated_saving.to_string()),
                ("n big", a_month(answer.estimated_saving)),
                ("n", format!("{} %", percent(answer.estimated_saving, answer.cost_before))),
                ("n", answer.execution_plan.len().to_string()),
                ("n", answer.cost_before.to_string()),
                ("n", answer.cost_after.to_string()),
                ("n", answer.lower_bound.to_string()),
            ],
        )?;
    }
    writeln!(out, "</tbody></table>")
}
