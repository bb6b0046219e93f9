//! What keeps connections in their zone, and when it may be asked for.

use super::{Caller, Served, Spread, total};

/// An endpoint may get at most so much of what it gets now, in halves: three are half as much again. Above it, keeping connections
/// near would overload a zone.
const LOAD_MAX_HALVES: u64 = 3;

/// What a person can do: lead connections near, where every zone with callers has its share of endpoints; else spread the endpoints
/// first; and where there are fewer endpoints than zones, bring the callers to them.
pub(super) fn remedy(served: &Served<'_>, callers: &[Caller<'_>]) -> String {
    let mut from = Spread::new();
    for (zone, pods) in callers.iter().flat_map(|caller| caller.pods) {
        *from.entry(zone.clone()).or_default() += pods;
    }
    if balanced(&from, &served.ready) {
        return format!("Lead its connections to endpoints of their own zone: {}", near(served));
    }
    if total(&served.ready) >= from.len() as u64 && served.ready.len() > 1 || total(&served.ready) > from.len() as u64 {
        return format!(
            "Its endpoints are not where its callers are, so leading connections near would overload a zone. Spread its pods over the \
             zones first: {} Then lead its connections near: {}",
            spread(served),
            near(served)
        );
    }
    format!(
        "It has fewer endpoints than its callers have zones. Bring a caller to them, where it need not outlive a zone: {} Or run a pod \
         of it in each zone, and lead its connections near: {}",
        affinity(served, callers),
        near(served)
    )
}

/// Whether every zone with callers has endpoints, and none of them would get much more than it gets now.
fn balanced(from: &Spread, ready: &Spread) -> bool {
    let (callers, endpoints) = (total(from), total(ready));
    from.iter().all(|(zone, pods)| {
        let here = ready.get(zone).copied().unwrap_or(0);
        // pods/callers against here/endpoints, without a division.
        here > 0 && pods * endpoints * 2 <= LOAD_MAX_HALVES * here * callers
    })
}

fn near(served: &Served<'_>) -> String {
    let (namespace, name) = (&served.service.namespace, &served.service.name);
    format!(
        "kubectl -n {namespace} patch service {name} --type merge -p '{{\"spec\":{{\"trafficDistribution\":\"PreferSameZone\"}}}}' \
         (Kubernetes 1.31 to 1.33: PreferClose). Taken back with null in its place."
    )
}

fn spread(served: &Served<'_>) -> String {
    let namespace = &served.service.namespace;
    let labels: Vec<String> = served.service.selector.iter().map(|(key, value)| format!("\"{key}\":\"{value}\"")).collect();
    let constraint = format!(
        "{{\"maxSkew\":1,\"topologyKey\":\"{}\",\"whenUnsatisfiable\":\"ScheduleAnyway\",\"labelSelector\":{{\"matchLabels\":{{{}}}}}}}",
        crate::placement::ZONE,
        labels.join(",")
    );
    let template = format!("{{\"spec\":{{\"template\":{{\"spec\":{{\"topologySpreadConstraints\":[{constraint}]}}}}}}}}");
    match served.by.first() {
        Some(workload) => format!("kubectl -n {namespace} patch {} {} -p '{template}'.", workload.kind.resource(), workload.name),
        None => format!("with the constraint {constraint} in the template of its pods."),
    }
}

/// For the caller that sends the most across.
fn affinity(served: &Served<'_>, callers: &[Caller<'_>]) -> String {
    let zones: Vec<String> = served.ready.keys().map(|zone| format!("\"{zone}\"")).collect();
    let term = format!("{{\"key\":\"{}\",\"operator\":\"In\",\"values\":[{}]}}", crate::placement::ZONE, zones.join(","));
    let preferred = format!("[{{\"weight\":100,\"preference\":{{\"matchExpressions\":[{term}]}}}}]");
    let affinity = format!("{{\"nodeAffinity\":{{\"preferredDuringSchedulingIgnoredDuringExecution\":{preferred}}}}}");
    let template = format!("{{\"spec\":{{\"template\":{{\"spec\":{{\"affinity\":{affinity}}}}}}}}}");
    callers.first().map_or_else(String::new, |caller| {
        let it = caller.workload;
        format!("kubectl -n {} patch {} {} -p '{template}'.", it.namespace, it.kind.resource(), it.name)
    })
}
