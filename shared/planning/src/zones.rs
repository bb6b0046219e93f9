//! Connections that leave their zone: which workloads talk to which across zones, what it costs, and what keeps them near.
//!
//! A connection to a Service is led to any of its ready endpoints, wherever they are; so the share that leaves its zone follows from
//! where the callers and the endpoints stand. Who calls whom, and how much, says a source of traffic, where the customer has one.
//! Without one, every workload beside a Service in its namespace may be a caller; that is said, and nothing is priced.
//!
//! Nothing here is ever done by itself: how connections are led is the owner's choice, and the wrong choice overloads one zone.

use domain::ids::NodeName;
use domain::money::MicroDollars;
use domain::node::NodeView;
use domain::pod::PodView;
use domain::ports::inventory::{EndpointView, Flow, ServiceView};
use domain::workload::WorkloadRef;
use std::collections::{BTreeMap, BTreeSet};

mod remedy;

/// What a GB that crosses between zones of a Region costs: 0.01 USD where it goes out and 0.01 USD where it comes in (Amazon EC2
/// on-demand pricing page, "Data transfer within the same AWS Region", us-east-1, 2026-11; the same in most Regions).
pub const GB_EACH_WAY: MicroDollars = MicroDollars(10_000);
/// AWS counts a GB of transfer as 2^30 bytes.
const GB: u128 = 1 << 30;
/// Hours of a month, and of the day that flows are told for.
const MONTH: u128 = 730;
const DAY: u128 = 24;
/// What costs less than a cent a month is not worth anybody's time.
const COST_MIN: MicroDollars = MicroDollars(10_000);
/// How many callers of a Service are named; the others are counted.
const NAMED: usize = 5;
/// What runs here is put back as it was by whoever installed it: the cloud provider, mostly.
const SYSTEM: [&str; 3] = ["kube-system", "kube-public", "kube-node-lease"];

/// What is known of traffic.
#[derive(Debug, Clone, Copy)]
pub enum Traffic<'a> {
    /// What a source told.
    Told(&'a [Flow]),
    /// Nothing; why, as the end of a sentence.
    Unknown(&'a str),
}

/// One look at a cluster.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// Its Services.
    pub services: &'a [ServiceView],
    /// Their endpoints.
    pub endpoints: &'a [EndpointView],
    /// Its pods.
    pub pods: &'a [PodView],
    /// Its nodes: they say where a pod is.
    pub nodes: &'a [NodeView],
    /// Who exchanges how much.
    pub traffic: Traffic<'a>,
}

/// A Service whose connections leave their zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crossing {
    /// `service <namespace>/<name>`.
    pub subject: String,
    /// What it rests on, a sentence each.
    pub evidence: Vec<String>,
    /// What a person can do about it.
    pub remedy: String,
    /// What it costs per month of 730 hours; `None`: the bytes are not known.
    pub cost_per_month: Option<MicroDollars>,
}

/// How many pods stand in each zone.
type Spread = BTreeMap<String, u64>;

/// A workload that calls, or may call, a Service.
#[derive(Debug, Clone)]
struct Caller<'a> {
    workload: &'a WorkloadRef,
    pods: &'a Spread,
    /// Bytes per day both ways; `None`: not known.
    bytes: Option<u64>,
}

/// A Service with where its endpoints are.
struct Served<'a> {
    service: &'a ServiceView,
    ready: Spread,
    /// The workloads that its endpoints belong to.
    by: BTreeSet<&'a WorkloadRef>,
}

fn total(spread: &Spread) -> u64 {
    spread.values().sum()
}

/// The Services whose connections leave their zone, by name.
pub fn crossings(look: &Look<'_>) -> Vec<Crossing> {
    let zones = zones(look.nodes);
    let mut stand: BTreeMap<WorkloadRef, Spread> = BTreeMap::new();
    let mut owners: BTreeMap<(&str, &str), WorkloadRef> = BTreeMap::new();
    for pod in look.pods.iter().filter(|pod| !pod.finished() && pod.deletion_at.is_none()) {
        let Some(workload) = pod.workload() else { continue };
        owners.insert((&pod.pod.namespace, &pod.pod.name), workload.clone());
        if let Some(zone) = pod.node.as_ref().and_then(|node| zones.get(node)) {
            *stand.entry(workload).or_default().entry((*zone).to_owned()).or_default() += 1;
        }
    }
    let mut found: Vec<Crossing> = look
        .services
        .iter()
        .filter(|service| service.spread && service.keeps_near.is_none() && !SYSTEM.contains(&service.namespace.as_str()))
        .filter_map(|service| crossing(&served(service, look.endpoints, &owners), &stand, look.traffic))
        .collect();
    found.sort_by(|a, b| a.subject.cmp(&b.subject));
    found
}

fn zones(nodes: &[NodeView]) -> BTreeMap<&NodeName, &str> {
    nodes.iter().filter_map(|node| Some((&node.name, node.labels.get(crate::placement::ZONE)?.as_str()))).collect()
}

fn served<'a>(service: &'a ServiceView, endpoints: &'a [EndpointView], owners: &'a BTreeMap<(&str, &str), WorkloadRef>) -> Served<'a> {
    // A pod of two address families stands in two rows.
    let rows: BTreeSet<(&str, &str)> = endpoints
        .iter()
        .filter(|row| row.ready && row.namespace == service.namespace && row.service == service.name)
        .filter_map(|row| Some((row.pod.as_deref()?, row.zone.as_ref()?.as_str())))
        .collect();
    let mut served = Served { service, ready: Spread::new(), by: BTreeSet::new() };
    for (pod, zone) in rows {
        *served.ready.entry(zone.to_owned()).or_default() += 1;
        served.by.extend(owners.get(&(service.namespace.as_str(), pod)));
    }
    served
}

/// How many of all pairs of a caller's pod and an endpoint are of two zones: the share of connections that leave their zone, as the
/// cluster spreads them evenly.
fn apart(callers: &Spread, ready: &Spread) -> (u64, u64) {
    let near: u64 = callers.iter().map(|(zone, pods)| pods * ready.get(zone).copied().unwrap_or(0)).sum();
    let all = total(callers) * total(ready);
    (all - near, all)
}

fn crossing(served: &Served<'_>, stand: &BTreeMap<WorkloadRef, Spread>, traffic: Traffic<'_>) -> Option<Crossing> {
    let service = served.service;
    let mut callers: Vec<Caller<'_>> = match traffic {
        Traffic::Told(flows) => told(service, flows, stand),
        Traffic::Unknown(_) => stand
            .iter()
            .filter(|(workload, _)| workload.namespace == service.namespace && !served.by.contains(workload))
            .map(|(workload, pods)| Caller { workload, pods, bytes: None })
            .collect(),
    };
    callers.retain(|caller| apart(caller.pods, &served.ready).0 > 0);
    if callers.is_empty() {
        return None;
    }
    let cost_per_month = match traffic {
        Traffic::Told(_) => Some(callers.iter().map(|caller| price(crosses(caller, &served.ready))).sum()),
        Traffic::Unknown(_) => None,
    };
    if cost_per_month.is_some_and(|cost: MicroDollars| cost < COST_MIN) {
        return None;
    }
    callers.sort_by_key(|caller| (std::cmp::Reverse(crosses(caller, &served.ready)), caller.workload));
    Some(Crossing {
        subject: format!("service {}/{}", service.namespace, service.name),
        evidence: evidence(served, &callers, traffic),
        remedy: remedy::remedy(served, &callers),
        cost_per_month,
    })
}

/// The callers that a source of traffic named, as far as their pods are in this cluster.
fn told<'a>(service: &ServiceView, flows: &[Flow], stand: &'a BTreeMap<WorkloadRef, Spread>) -> Vec<Caller<'a>> {
    let mut bytes: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for flow in flows.iter().filter(|flow| flow.to.0 == service.namespace && flow.to.1 == service.name) {
        let sum = bytes.entry((&flow.from.0, &flow.from.1)).or_default();
        *sum = sum.saturating_add(flow.bytes_per_day);
    }
    let named = |(workload, pods): (&'a WorkloadRef, &'a Spread)| {
        let bytes = *bytes.get(&(workload.namespace.as_str(), workload.name.as_str()))?;
        Some(Caller { workload, pods, bytes: Some(bytes) })
    };
    stand.iter().filter_map(named).collect()
}

/// Bytes per month that leave their zone; 0 where they are not known.
fn crosses(caller: &Caller<'_>, ready: &Spread) -> u128 {
    let (apart, all) = apart(caller.pods, ready);
    u128::from(caller.bytes.unwrap_or(0)) * MONTH / DAY * u128::from(apart) / u128::from(all.max(1))
}

/// What they cost, both directions.
fn price(bytes: u128) -> MicroDollars {
    let each_way = u128::try_from(GB_EACH_WAY.0).unwrap_or_default();
    MicroDollars(i64::try_from(bytes * each_way * 2 / GB).unwrap_or(i64::MAX))
}

fn evidence(served: &Served<'_>, callers: &[Caller<'_>], traffic: Traffic<'_>) -> Vec<String> {
    let service = served.service;
    let by: Vec<String> = served.by.iter().map(ToString::to_string).collect();
    let of = if by.is_empty() { String::new() } else { format!(" of {}", by.join(", ")) };
    let mut said = vec![format!(
        "Service {}/{} leads connections to {} ready pods{of}, whatever their zone: {}.",
        service.namespace,
        service.name,
        total(&served.ready),
        listed(&served.ready)
    )];
    for caller in callers.iter().take(NAMED) {
        let (apart, all) = apart(caller.pods, &served.ready);
        let share = apart * 100 / all.max(1);
        let (who, stands) = (caller.workload, listed(caller.pods));
        said.push(match caller.bytes {
            Some(bytes) => {
                let month = u128::from(bytes) * MONTH / DAY;
                let away = crosses(caller, &served.ready);
                format!(
                    "{who} ({stands}) exchanges {} GB a month with it; {share} % of its way, {} GB, is to another zone.",
                    gb(month),
                    gb(away)
                )
            }
            None => format!("{who} ({stands}) may call it: {share} % of the endpoints that it would be led to are in another zone."),
        });
    }
    if callers.len() > NAMED {
        said.push(format!("So it is with {} more workloads.", callers.len() - NAMED));
    }
    let each = "A GB costs 0.01 USD in each direction between zones (us-east-1)";
    said.push(match traffic {
        Traffic::Told(_) => format!("{each}; what crosses is an estimate from where the pods stand, and no reading of a bill."),
        Traffic::Unknown(why) => format!("How many bytes that is is not known: {why}. {each}."),
    });
    said
}

fn listed(spread: &Spread) -> String {
    let one = |(zone, pods): (&String, &u64)| format!("{pods} in {zone}");
    spread.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn gb(bytes: u128) -> String {
    let tenths = bytes * 10 / GB;
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests;
