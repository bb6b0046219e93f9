//! What lies idle in the network, and what leaves its zone: found, priced, told once, put aside, and never touched.

use super::Bench;
use domain::SignedDuration;
use domain::finding::{Finding, FindingKind, FindingState};
use domain::node::NodeOwner;
use domain::policy::{Mode, TrafficSource};
use domain::ports::estate::{Address, BalancerKind, Behind, LoadBalancer, NatGateway};
use domain::ports::inventory::Flow;
use domain::ports::{Clock, Findings, Registry};
use execution::wishes::{Who, Wishes};
use sim::faults::{Fault, Kind};
use sim::world::{ServiceSpec, WorkloadSpec};
use std::collections::BTreeMap;

#[tokio::test(start_paused = true)]
async fn what_lies_idle_in_the_network_is_found_told_once_and_never_touched() {
    let bench = Bench::new(NodeOwner::CloudOptim).await;
    let tags = BTreeMap::from([("kubernetes.io/cluster/prod".to_owned(), "owned".to_owned())]);
    let since = bench.system.clock.now() - SignedDuration::from_hours(48);
    let address = |id: &str, associated| Address { id: id.to_owned(), ip: "203.0.113.7".to_owned(), associated, tags: tags.clone() };
    bench.system.world.add_address(address("eipalloc-spare", false));
    bench.system.world.add_address(address("eipalloc-used", true));
    let gateway = |id: &str, routed| NatGateway { id: id.to_owned(), available: true, routed, created_at: Some(since), tags: tags.clone() };
    bench.system.world.add_nat_gateway(gateway("nat-spare", false));
    bench.system.world.add_nat_gateway(gateway("nat-used", true));
    for _ in 0..14 {
        bench.hour().await;
    }
    for (kind, subject, month) in
        [(FindingKind::IdleAddress, "eipalloc-spare", 3_650_000), (FindingKind::IdleNatGateway, "nat-spare", 32_850_000)]
    {
        let found = bench.system.store.findings_of(&bench.customer, &bench.cluster, Some(kind)).await.unwrap();
        let found: Vec<_> =
            found.iter().map(|finding| (finding.subject.as_str(), finding.cost_per_month.unwrap().0, &finding.state)).collect();
        assert_eq!(found, [(subject, month, &FindingState::Open)]);
    }
    let told = bench.notices.told();
    let kinds: Vec<&str> = told.iter().map(|notice| notice.kind.as_str()).collect();
    assert_eq!(kinds, ["idle-address.detected", "idle-nat-gateway.detected"]);
    assert_eq!(bench.system.store.plans().len(), 0);
}

impl Bench {
    async fn of(&self, kind: FindingKind) -> Vec<Finding> {
        self.system.store.findings_of(&self.customer, &self.cluster, Some(kind)).await.unwrap()
    }

    fn balancer(&self, name: &str, kind: BalancerKind, any: bool, more: &[(&str, &str)]) {
        let tags = [&[("kubernetes.io/cluster/prod", "owned")], more].concat();
        let balancer = LoadBalancer {
            id: if kind == BalancerKind::Classic { name.to_owned() } else { format!("arn:{name}") },
            name: name.to_owned(),
            kind,
            active: true,
            created_at: Some(self.system.clock.now() - SignedDuration::from_hours(48)),
            tags: tags.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        };
        self.system.world.put_balancer(balancer, Behind { groups: u32::from(kind != BalancerKind::Classic), any });
    }

    fn workload(&self, name: &str, on: &[usize]) {
        let mut spec = WorkloadSpec::new(name, u32::try_from(on.len()).unwrap());
        spec.on = on.iter().map(|n| self.nodes[*n].clone()).collect();
        self.system.world.add_deployment(&self.cluster, spec);
    }

    fn wishes(&self) -> Wishes {
        Wishes {
            registry: self.system.store.clone(),
            journal: self.system.store.clone(),
            optimizations: self.system.store.clone(),
            findings: self.system.store.clone(),
            rounds: self.system.queue.clone(),
            scans: self.system.queue.clone(),
            queue: self.system.queue.clone(),
            clock: self.system.clock.clone(),
        }
    }
}

fn subjects(found: &[Finding]) -> Vec<(&str, Option<i64>)> {
    let mut all: Vec<_> = found.iter().map(|it| (it.subject.as_str(), it.cost_per_month.map(|cost| cost.0))).collect();
    all.sort_unstable();
    all
}

#[tokio::test(start_paused = true)]
async fn a_load_balancer_with_nothing_behind_it_or_without_its_service_is_found_and_is_over_when_that_changes() {
    let bench = Bench::new(NodeOwner::CloudOptim).await;
    let service = |name: &str| ServiceSpec { balanced: true, ..ServiceSpec::new(name) };
    bench.system.world.put_service(&bench.cluster, service("web"));
    bench.system.world.put_service(&bench.cluster, service("gone"));
    bench.balancer("empty", BalancerKind::Application, false, &[]);
    bench.balancer("full", BalancerKind::Network, true, &[("service.k8s.aws/stack", "default/web")]);
    bench.balancer("orphan", BalancerKind::Classic, true, &[("kubernetes.io/service-name", "default/gone")]);
    bench.hours(3).await;
    assert_eq!(subjects(&bench.of(FindingKind::IdleLoadBalancer).await), [("empty", Some(16_425_000))]);
    bench.system.world.remove_service(&bench.cluster, "default", "gone");
    bench.hours(25).await;
    let found = bench.of(FindingKind::IdleLoadBalancer).await;
    assert_eq!(subjects(&found), [("empty", Some(16_425_000)), ("orphan", Some(18_250_000))]);
    bench.balancer("empty", BalancerKind::Application, true, &[]);
    bench.hours(25).await;
    let empty = bench.finding(FindingKind::IdleLoadBalancer, "empty").await;
    assert!(matches!(empty.state, FindingState::Resolved { .. }), "{empty:?}");
    assert_eq!(bench.told(), ["idle-load-balancer.detected", "idle-load-balancer.detected"]);
    assert!(bench.system.store.plans().is_empty(), "nothing is done about it");
}

#[tokio::test(start_paused = true)]
async fn what_leaves_its_zone_is_found_unpriced_and_priced_once_a_source_tells_the_bytes() {
    let bench = Bench::zonal(NodeOwner::CloudOptim).await;
    // Nodes stand in a, b and c in turn.
    bench.workload("web", &[0, 1, 2]);
    bench.workload("cart", &[3, 4, 5]);
    bench.system.world.put_service(&bench.cluster, ServiceSpec::new("web"));
    bench.hours(3).await;
    let found = bench.finding(FindingKind::CrossZone, "service default/web").await;
    assert_eq!((found.cost_per_month, &found.state), (None, &FindingState::Open));
    let said = found.evidence.join(" ");
    assert!(said.contains("deployments default/cart") && said.contains("66 %") && said.contains("policy.waste.traffic"), "{said}");
    assert!(found.remedy.contains("trafficDistribution"), "{}", found.remedy);

    let mut cluster = bench.system.store.cluster(&bench.customer, &bench.cluster).await.unwrap().unwrap();
    let source = TrafficSource { namespace: "watch".to_owned(), service: "prometheus".to_owned(), port: 9_090, query: None };
    cluster.policy.waste.traffic = Some(Box::new(source));
    cluster.version += 1;
    bench.system.store.put_cluster(&cluster, Some(cluster.version - 1)).await.unwrap();
    bench.hours(25).await;
    let found = bench.finding(FindingKind::CrossZone, "service default/web").await;
    assert!(found.evidence.join(" ").contains("watch/prometheus:9090 did not tell"), "a source that is not there is named: {found:?}");

    let named = |name: &str| ("default".to_owned(), name.to_owned());
    let flow = Flow { from: named("cart"), to: named("web"), bytes_per_day: 24 << 30 };
    bench.system.world.tell_traffic(&bench.cluster, "watch/prometheus:9090", vec![flow]);
    bench.hours(25).await;
    let found = bench.finding(FindingKind::CrossZone, "service default/web").await;
    assert_eq!(found.cost_per_month.map(|cost| cost.0), Some(9_733_333), "two thirds of 730 GB, at 0.02 USD");

    let near = ServiceSpec { distribution: Some("PreferSameZone".to_owned()), ..ServiceSpec::new("web") };
    bench.system.world.put_service(&bench.cluster, near);
    bench.hours(25).await;
    let over = bench.finding(FindingKind::CrossZone, "service default/web").await;
    assert!(matches!(over.state, FindingState::Resolved { .. }), "{over:?}");
    assert_eq!(bench.told(), ["cross-zone.detected"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_dismissed_is_told_of_again_only_on_other_grounds() {
    let bench = Bench::zonal(NodeOwner::CloudOptim).await;
    bench.workload("web", &[0, 1, 2]);
    bench.workload("cart", &[3]);
    bench.system.world.put_service(&bench.cluster, ServiceSpec::new("web"));
    bench.hours(3).await;
    let who = Who { customer: bench.customer.clone(), label: "ops".to_owned() };
    let dismissed = bench.wishes().dismiss(&who, &bench.cluster, "service default/web", "It sends next to nothing.", false).await.unwrap();
    assert!(matches!(dismissed.state, FindingState::Dismissed { .. }));
    bench.hours(50).await;
    let still = bench.finding(FindingKind::CrossZone, "service default/web").await;
    assert_eq!((&still.state, &still.evidence), (&dismissed.state, &dismissed.evidence), "the same grounds");
    assert!(still.last_seen > dismissed.last_seen, "and it is known to stand");
    bench.workload("orders", &[4, 5, 6, 7]);
    bench.hours(25).await;
    let back = bench.finding(FindingKind::CrossZone, "service default/web").await;
    assert_eq!((&back.state, back.first_seen), (&FindingState::Open, dismissed.first_seen));
    assert!(back.evidence.join(" ").contains("default/orders"), "{:?}", back.evidence);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_looked_at_is_not_called_over() {
    let bench = Bench::zonal(NodeOwner::CloudOptim).await;
    bench.allow(Mode::Observe).await;
    bench.workload("web", &[0, 1, 2]);
    bench.workload("cart", &[3]);
    bench.system.world.put_service(&bench.cluster, ServiceSpec::new("web"));
    bench.balancer("empty", BalancerKind::Gateway, false, &[]);
    bench.hours(3).await;
    for broken in ["cluster.services", "cluster.endpoints", "cluster.pods", "cloud.load_balancers", "cloud.behind"] {
        bench.system.gate.script(move |call| (call.name == broken).then_some(Fault::Before(Kind::Denied)));
        bench.hours(26).await;
        for kind in [FindingKind::CrossZone, FindingKind::IdleLoadBalancer] {
            let found = bench.of(kind).await;
            assert!(found.len() == 1 && found[0].state == FindingState::Open, "{broken}: {found:?}");
        }
    }
    bench.system.gate.script(|_| None);
    assert!(bench.told().is_empty(), "a cluster that is observed is not told of");
}
