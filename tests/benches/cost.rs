//! What running CloudOptim costs: calls that are counted in a simulated world, priced.
//!
//! `just cost clusters=1000 nodes=50`; with the other benchmarks it is run small, and only the model is judged. An hour of the real functions
//! is run over one, two and three clusters, on the real table adapter over an embedded DynamoDB whose every request is weighed, and the real
//! adapter to Kubernetes over HTTPS, whose every byte is. One and two clusters make the model (a fixed part and one per cluster); three must come out as it says. A month is 730 such hours, and the
//! rescues, plans and judged sizes that it holds, of each of which one is counted by itself.

#[path = "cost/counted.rs"]
mod counted;
#[path = "cost/functions.rs"]
mod functions;
#[path = "cost/month.rs"]
mod month;
#[path = "cost/prices.rs"]
mod prices;
#[path = "cost/settled.rs"]
mod settled;
#[path = "cost/table.rs"]
mod table;
#[path = "cost/thinking.rs"]
mod thinking;
#[path = "cost/wires.rs"]
mod wires;

use counted::{Counted, Part};
use prices::{Pico, price};

/// Hours of a month (365 x 24 / 12).
const HOURS: u128 = 730;
/// How often a month holds what happens now and then, per cluster (reference: the cost model of the design, 20 interruptions and 60 plans). A
/// plan is counted as a rescue: it has the same steps, and one more write.
const RESCUES: u128 = 20;
const PLANS: u128 = 60;
/// How often sizes are judged in it: every six hours.
const JUDGED: u128 = HOURS / 6;
/// How often it is looked what we may do: every six hours (`domain::permissions::LOOKED_AT_FOR`).
const LOOKED: u128 = HOURS / 6;
/// How far a run may be from what the model says of it, in percent.
const OFF_MAX: u128 = 5;

/// Nodes of a cluster where nobody asks for the figure: enough for the model to be held to a run.
const FEW: usize = 10;

fn argument(name: &str) -> Option<usize> {
    std::env::args().find_map(|argument| argument.strip_prefix(&format!("{name}=")).and_then(|text| text.parse().ok()))
}

fn main() {
    let asked = argument("clusters").zip(argument("nodes"));
    let (clusters, nodes) = asked.unwrap_or((1_000, FEW));
    let clusters = clusters as u128;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime can be made");
    let [one, two, three] = [1, 2, 3].map(|many| runtime.block_on(month::hour(many, nodes, asked.is_some())));
    let now_and_then = [
        (runtime.block_on(month::rescue(nodes, asked.is_some())), RESCUES + PLANS),
        (runtime.block_on(month::judging(nodes, asked.is_some())), JUDGED),
        (runtime.block_on(month::looking(nodes, asked.is_some())), LOOKED),
    ];
    println!("An hour of {nodes} nodes per cluster, counted:\n");
    let mut off = 0;
    for part in Part::ALL {
        let [a, b, c] = [&one, &two, &three].map(|counted| counted.of(part));
        // Two points make a line; the third must lie on it.
        let expected = (b + b).saturating_sub(a);
        let apart = c.abs_diff(expected) * 100 / expected.max(1);
        // CPU time is the machine's, and small; what is counted is exact.
        if part.is_counted() {
            off = off.max(apart);
        }
        println!("  {:<34} {a:>12} {b:>12} {c:>12}   model {expected:>12}", part.name());
    }
    let monthly = |counted: &Counted, part: Part| counted.of(part) * HOURS;
    println!("\nA month of {clusters} clusters of {nodes} nodes (prices of us-east-1, {}):\n", prices::AS_OF);
    let mut sum: Pico = prices::fixed(&one);
    println!("  {:<34} {:>12} {:>12.2} USD", "keys, secrets, alarms, metrics, polls", "", usd(sum));
    for part in Part::ALL {
        let (a, b) = (monthly(&one, part), monthly(&two, part));
        let each = b.saturating_sub(a) + now_and_then.iter().map(|(counted, times)| counted.of(part) * times).sum::<u128>();
        let units = a.saturating_sub(b.saturating_sub(a)) + each * clusters;
        let units = units.div_ceil(part.shared_by(clusters));
        let cost = price(part, units);
        sum += cost;
        println!("  {:<34} {units:>12} {:>12.2} USD", part.name(), usd(cost));
    }
    println!("\nWhere it goes, of one cluster more (USD a month, from 0.001):\n");
    for (name, cost) in one_more([&one, &two], &now_and_then).into_iter().filter(|(_, cost)| *cost >= 0.001) {
        println!("  {name:<34} {cost:>12.3}");
    }
    let per_cluster = usd(sum) / clusters as f64;
    println!("  {:<34} {:>12} {:>12.2} USD\n", "all", "", usd(sum));
    if asked.is_some() {
        println!("BENCH cost_per_cluster_month_{clusters}x{nodes} {per_cluster:.4} USD <= 0.10");
    }
    println!("BENCH cost_model_off_by {off} percent <= {OFF_MAX}");
}

/// What one cluster more costs a month, by function and kind of row, the dearest first.
fn one_more([one, two]: [&Counted; 2], now_and_then: &[(Counted, u128)]) -> Vec<(String, f64)> {
    let of = |counted: &Counted, name: &String| counted.shares.get(name).copied().unwrap_or_default();
    let names: std::collections::BTreeSet<&String> =
        two.shares.keys().chain(now_and_then.iter().flat_map(|(counted, _)| counted.shares.keys())).collect();
    let cost = |name: &String| {
        let hourly = of(two, name).saturating_sub(of(one, name)) * HOURS;
        hourly + now_and_then.iter().map(|(counted, times)| of(counted, name) * times).sum::<Pico>()
    };
    let mut all: Vec<(String, f64)> = names.into_iter().map(|name| (name.clone(), usd(cost(name)))).collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1));
    all
}

fn usd(pico: Pico) -> f64 {
    pico as f64 / 1e12
}
