//! From what is needed to what is recommended: up at once, down slowly, and nothing that somebody else decides.

use super::estimate::{Need, confidence_percent, need, peak, percentile};
use super::krr::severity;
use super::vpa::proportional_limit;
use domain::money::MicroDollars;
use domain::plan::check::{Blocked, Rule};
use domain::sizing::{Advice, Fit, HOURS_PER_MONTH, Resource, Severity, Sizes, Used, WorkloadPolicy};
use domain::usage::{ContainerRef, Day, Usage};

/// What an autoscaler works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Autoscaled {
    /// The autoscalers of the workload have targets for these.
    By {
        /// CPU.
        cpu: bool,
        /// Memory.
        memory: bool,
    },
    /// They could not be listed: nothing is known, and nothing may be touched.
    Unknown,
}

impl Autoscaled {
    fn on(self, of: Resource) -> bool {
        match (self, of) {
            (Autoscaled::By { cpu, .. }, Resource::Cpu) => cpu,
            (Autoscaled::By { memory, .. }, Resource::Memory) => memory,
            (Autoscaled::Unknown, _) => true,
        }
    }
}

/// What a core and a GiB cost per hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitPrices {
    /// One core.
    pub core: MicroDollars,
    /// One GiB.
    pub gib: MicroDollars,
}

/// Everything that is known of a container now.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Which one.
    pub of: &'a ContainerRef,
    /// What it has, in the workload's template.
    pub current: Sizes,
    /// What is remembered of it.
    pub usage: &'a Usage,
    /// How many pods share it.
    pub replicas: u32,
    /// Its autoscalers.
    pub autoscaled: Autoscaled,
    /// What resources cost; `None`: unknown, and then no saving is told.
    pub prices: Option<UnitPrices>,
    /// How often we sample, seconds.
    pub interval_s: i64,
    /// Now, seconds since 1970.
    pub now_s: i64,
}

/// What is recommended; `None`: nothing is known of it yet. What is left alone is left as it is in `next`, and the notes say why.
pub fn advise(facts: &Facts<'_>, policy: &WorkloadPolicy) -> (Option<Advice>, Vec<Blocked>) {
    let mut notes = Vec::new();
    let found = need(facts.usage, policy, facts.interval_s, facts.now_s);
    if found.cpu.is_none() && found.memory.is_none() {
        return (None, notes);
    }
    let confidence = confidence_percent(facts.usage, facts.interval_s, facts.now_s);
    let mut reasons = found.reasons.clone();
    let (mut target, mut next) = (facts.current, facts.current);
    for of in [Resource::Cpu, Resource::Memory] {
        let Some(wanted) = wanted(of, &found, facts, policy, &mut reasons) else { continue };
        set(&mut target, of, &facts.current, wanted);
        let note = |rule, why| Blocked { rule, object: facts.of.to_string(), why };
        if facts.autoscaled.on(of) {
            let why = match facts.autoscaled {
                Autoscaled::By { .. } => format!("an autoscaler of {} has a target for {}", facts.of.workload, of.as_str()),
                Autoscaled::Unknown => format!("autoscalers could not be listed, so that {} is not touched", facts.of.workload),
            };
            notes.push(note(Rule::Autoscaled, why));
            continue;
        }
        match step(facts.current.request(of), wanted, confidence, policy) {
            Step::None => {}
            Step::To(request) => set(&mut next, of, &facts.current, request),
            Step::Unsure => {
                let least = policy.confidence_percent_min;
                let why =
                    format!("{} of {} is lowered once {least} % of seven days were seen, and {confidence} % were", of.as_str(), facts.of);
                notes.push(note(Rule::Confidence, why));
            }
        }
    }
    let worst = [Resource::Cpu, Resource::Memory].map(|of| severity(of, facts.current.request(of), target.request(of)));
    let advice = Advice {
        of: facts.of.clone(),
        current: facts.current,
        target,
        next,
        severity: worst.into_iter().max().unwrap_or(Severity::Good),
        confidence_percent: confidence,
        replicas: facts.replicas,
        saving_per_month: facts.prices.map(|prices| saving(&facts.current, &next, facts.replicas, prices)),
        reasons,
    };
    (Some(advice), notes)
}

/// What one resource should be: what is needed, within floors and caps. `None`: nothing is known of it.
fn wanted(of: Resource, found: &Need, facts: &Facts<'_>, policy: &WorkloadPolicy, reasons: &mut Vec<String>) -> Option<u64> {
    let needed = found.of(of)?;
    let (min, max) = match of {
        Resource::Cpu => (policy.cpu_min_millis, policy.cpu_max_millis),
        Resource::Memory => (policy.memory_min_bytes, policy.memory_max_bytes),
    };
    let mut wanted = needed.max(min);
    if needed < min {
        reasons.push(format!("no {} request goes below {}", of.as_str(), of.describe(min)));
    }
    let floor = facts.usage.floor(facts.now_s).filter(|_| of == Resource::Memory);
    if let Some(floor) = floor.filter(|floor| *floor > wanted) {
        wanted = floor;
        reasons.push(format!("it was killed for lack of memory, and {} are not undercut for a while", of.describe(floor)));
    }
    if let Some(max) = max.filter(|max| *max < wanted) {
        wanted = max;
        reasons.push(format!("no {} request goes above {}", of.as_str(), of.describe(max)));
    }
    Some(match of {
        Resource::Cpu => wanted,
        // Whole MiB: what people read.
        Resource::Memory => wanted.div_ceil(1 << 20) << 20,
    })
}

enum Step {
    None,
    To(u64),
    Unsure,
}

/// Up at once and all the way; down only when it is sure, and not far at once.
fn step(current: Option<u64>, wanted: u64, confidence: u32, policy: &WorkloadPolicy) -> Step {
    let Some(current) = current.filter(|current| *current > 0) else {
        return Step::To(wanted);
    };
    let least = current.saturating_mul(u64::from(policy.change_percent_min)) / 100;
    if current.abs_diff(wanted) <= least {
        return Step::None;
    }
    if wanted > current {
        return Step::To(wanted);
    }
    if confidence < policy.confidence_percent_min {
        return Step::Unsure;
    }
    let furthest = current - current.saturating_mul(u64::from(policy.down_step_percent_max.min(100))) / 100;
    Step::To(wanted.max(furthest))
}

/// Sets a request, and the limit that goes with it: its ratio is kept, none is invented, and memory in use keeps its room.
fn set(sizes: &mut Sizes, of: Resource, current: &Sizes, request: u64) {
    let (had, limit) = (current.request(of), current.limit(of));
    let kept = proportional_limit(limit, had, request, None).map(|limit| limit.max(request));
    sizes.set(of, Some(request), kept);
}

/// Usage against requests of a container, for people to look at: what it has, what it should have, and what it really uses.
pub fn fit(of: &ContainerRef, usage: &Usage, replicas: u32, (current, target): (Sizes, Sizes), now_s: i64) -> Fit {
    let used = |days: &[Day], resource: Resource| {
        let share = |percent| percentile(days, resource, percent, now_s);
        Some(Used { p50: share(50)?, p95: share(95)?, peak: peak(days, now_s)? })
    };
    let apart = [Resource::Cpu, Resource::Memory].map(|resource| severity(resource, current.request(resource), target.request(resource)));
    Fit {
        workload: of.workload.clone(),
        container: of.container.clone(),
        replicas,
        cpu: used(&usage.cpu_days, Resource::Cpu),
        memory: used(&usage.memory_days, Resource::Memory),
        severity: apart.into_iter().max().unwrap_or(Severity::Good),
        current,
        target,
    }
}

/// What a change frees in a month, all replicas; below zero where it asks for more.
pub fn saving(from: &Sizes, to: &Sizes, replicas: u32, prices: UnitPrices) -> MicroDollars {
    let freed = |of| i128::from(from.request(of).unwrap_or(0)) - i128::from(to.request(of).unwrap_or(0));
    let cpu = freed(Resource::Cpu) * i128::from(prices.core.0) / 1_000;
    let memory = freed(Resource::Memory) * i128::from(prices.gib.0) / (1 << 30);
    let month = (cpu + memory) * i128::from(replicas) * i128::from(HOURS_PER_MONTH);
    MicroDollars(i64::try_from(month).unwrap_or(if month < 0 { i64::MIN } else { i64::MAX }))
}

/// What a core and a GiB cost per hour where a node costs so much: its price is split as AWS prices the two elsewhere, 0.031611 USD for
/// a core and 0.004237 USD for a GiB (the ratio that OpenCost uses, too). `None`: there is no node with a price.
pub fn unit_prices(nodes: impl IntoIterator<Item = (u64, u64, MicroDollars)>) -> Option<UnitPrices> {
    const CORE: i128 = 31_611;
    const GIB: i128 = 4_237;
    let (mut weighed, mut cost) = (0_i128, 0_i128);
    for (millis, bytes, price) in nodes {
        weighed += i128::from(millis) * CORE / 1_000 + i128::from(bytes) * GIB / (1 << 30);
        cost += i128::from(price.0.max(0));
    }
    if weighed <= 0 || cost == 0 {
        return None;
    }
    let share = |base: i128| MicroDollars(i64::try_from(base * cost / weighed).unwrap_or(i64::MAX));
    Some(UnitPrices { core: share(CORE), gib: share(GIB) })
}

/// What is known of a workload as a whole.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// Its name, for people.
    pub name: &'a str,
    /// How many pods it has.
    pub replicas: u32,
    /// A roll-out is under way.
    pub rolling: bool,
    /// Who else writes its template (`argocd`, `flux`, a Vertical Pod Autoscaler), where somebody does.
    pub managed_by: Option<&'a str>,
    /// When we last rolled it out, seconds since 1970.
    pub resized_s: Option<i64>,
    /// A disruption budget of it has no room now.
    pub budget_full: bool,
    /// Now, seconds since 1970.
    pub now_s: i64,
}

/// What speaks against rolling a workload out now. Empty: nothing.
pub fn may_roll_out(of: &Standing<'_>, policy: &WorkloadPolicy) -> Vec<Blocked> {
    let mut notes = Vec::new();
    let mut note = |rule, why| notes.push(Blocked { rule, object: of.name.to_owned(), why });
    if of.rolling {
        note(Rule::RollOut, format!("{} is being rolled out already", of.name));
    }
    if let Some(by) = of.managed_by {
        note(Rule::ManagedElsewhere, format!("{by} writes {} and would take the change back: make it there", of.name));
    }
    if of.replicas < 2 && !policy.single_replica {
        note(Rule::Policy, format!("{} has {} replicas, and the policy does not allow to roll out fewer than two", of.name, of.replicas));
    }
    if of.budget_full {
        note(Rule::PodBudgetFull, format!("a disruption budget of {} has no room now", of.name));
    }
    let hours = i64::from(policy.roll_out_hours_min);
    if let Some(at) = of.resized_s.filter(|at| of.now_s - at < hours * 3_600) {
        let ago = (of.now_s - at) / 60;
        note(Rule::CoolDown, format!("{} was rolled out {ago} min ago, and once in {hours} h is enough", of.name));
    }
    notes
}
