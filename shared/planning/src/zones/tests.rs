use super::{Crossing, Look, Traffic, crossings};
use domain::ids::{NodeName, NodeUid, PodUid, Zone};
use domain::money::MicroDollars;
use domain::node::NodeView;
use domain::pod::{Controller, PodPhase, PodRef, PodView};
use domain::ports::inventory::{EndpointView, Flow, ServiceView};
use std::collections::BTreeMap;

const GB: u64 = 1 << 30;

/// A cluster of the namespace `shop`: a node per zone, a Service for each workload.
#[derive(Default)]
struct Scene {
    services: Vec<ServiceView>,
    endpoints: Vec<EndpointView>,
    pods: Vec<PodView>,
    nodes: Vec<NodeView>,
}

impl Scene {
    fn new() -> Scene {
        let node = |zone: &str| NodeView {
            name: NodeName::parse(format!("node-{zone}")).unwrap(),
            uid: NodeUid::parse(format!("uid-{zone}")).unwrap(),
            provider_id: String::new(),
            labels: BTreeMap::from([("topology.kubernetes.io/zone".to_owned(), format!("us-east-1{zone}"))]),
            cordoned_by: None,
            taints: Vec::new(),
            unschedulable: false,
            ready: true,
            cpu_millis: 0,
            memory_bytes: 0,
            pods_max: 0,
            extended: BTreeMap::new(),
            do_not_disrupt: false,
            created_at: None,
        };
        Scene { nodes: ["a", "b", "c"].map(node).into(), ..Scene::default() }
    }

    /// A Deployment with a pod in each of these zones, and a Service before it.
    fn web(mut self, name: &str, zones: &[&str]) -> Scene {
        self.services.push(ServiceView {
            namespace: "shop".to_owned(),
            name: name.to_owned(),
            balanced: false,
            spread: true,
            selector: BTreeMap::from([("app".to_owned(), name.to_owned())]),
            keeps_near: None,
        });
        for (n, zone) in zones.iter().enumerate() {
            let pod = format!("{name}-5d4f-{n}");
            self.endpoints.push(EndpointView {
                namespace: "shop".to_owned(),
                service: name.to_owned(),
                pod: Some(pod.clone()),
                zone: Some(Zone::parse(format!("us-east-1{zone}")).unwrap()),
                ready: true,
            });
            self.pods.push(pod_of(name, &pod, zone));
        }
        self
    }

    /// A Deployment that nobody calls.
    fn worker(mut self, name: &str, zones: &[&str]) -> Scene {
        self.pods.extend(zones.iter().enumerate().map(|(n, zone)| pod_of(name, &format!("{name}-5d4f-{n}"), zone)));
        self
    }

    fn look(&self, traffic: Traffic<'_>) -> Vec<Crossing> {
        crossings(&Look { services: &self.services, endpoints: &self.endpoints, pods: &self.pods, nodes: &self.nodes, traffic })
    }

    fn blind(&self) -> Vec<Crossing> {
        self.look(Traffic::Unknown("no source of traffic is set"))
    }
}

fn pod_of(workload: &str, name: &str, zone: &str) -> PodView {
    PodView {
        pod: PodRef { namespace: "shop".to_owned(), name: name.to_owned(), uid: PodUid::parse(format!("uid-{name}")).unwrap() },
        node: Some(NodeName::parse(format!("node-{zone}")).unwrap()),
        phase: PodPhase::Running,
        ready: true,
        controller: Some(Controller { kind: "ReplicaSet".to_owned(), name: format!("{workload}-5d4f") }),
        mirror: false,
        empty_dir: false,
        deletion_at: None,
        grace_s: 30,
        priority: 0,
        do_not_disrupt: false,
        labels: BTreeMap::new(),
        cpu_millis: 0,
        memory_bytes: 0,
    }
}

fn flow(from: &str, to: &str, gb_per_day: u64) -> Flow {
    let named = |name: &str| ("shop".to_owned(), name.to_owned());
    Flow { from: named(from), to: named(to), bytes_per_day: gb_per_day * GB }
}

#[test]
fn two_thirds_of_what_is_spread_evenly_over_three_zones_crosses_and_is_paid_for_twice() {
    let scene = Scene::new().web("web", &["a", "b", "c"]).worker("cart", &["a", "b", "c"]);
    let found = scene.look(Traffic::Told(&[flow("cart", "web", 24)]));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].subject, "service shop/web");
    // 24 GB a day are 730 GB a month; two thirds of it cross, at 0.02 USD per GB.
    assert_eq!(found[0].cost_per_month, Some(MicroDollars(9_733_333)));
    assert!(found[0].evidence[1].contains("730.0 GB a month") && found[0].evidence[1].contains("66 %"), "{:?}", found[0].evidence);
    assert!(found[0].remedy.contains("trafficDistribution"), "{}", found[0].remedy);
}

#[test]
fn without_a_source_of_traffic_the_share_is_told_and_nothing_is_priced() {
    let found = Scene::new().web("web", &["a", "b"]).worker("cart", &["a"]).blind();
    assert_eq!((found.len(), found[0].cost_per_month), (1, None));
    let said = found[0].evidence.join(" ");
    assert!(said.contains("deployments shop/cart (1 in us-east-1a) may call it: 50 % of the endpoints"), "{said}");
    assert!(said.contains("not known: no source of traffic is set"), "{said}");
}

#[test]
fn what_stays_in_its_zone_or_is_kept_near_or_never_spread_is_no_finding() {
    assert_eq!(Scene::new().web("web", &["a"]).worker("cart", &["a", "a"]).blind(), []);
    type Change = fn(&mut ServiceView);
    let changes: [Change; 3] = [
        |it| it.keeps_near = Some("trafficDistribution: PreferClose".to_owned()),
        |it| it.spread = false,
        |it| it.namespace = "kube-system".to_owned(),
    ];
    for change in changes {
        let mut scene = Scene::new().web("web", &["a", "b"]).worker("cart", &["a", "b"]);
        change(&mut scene.services[0]);
        assert_eq!(scene.blind(), []);
    }
}

#[test]
fn traffic_that_stays_near_costs_less_than_a_cent_or_comes_from_elsewhere_is_no_finding() {
    let scene = Scene::new().web("web", &["a", "b"]).worker("cart", &["a"]);
    let nothing = [flow("cart", "web", 0)];
    let stranger = [flow("elsewhere", "web", 100)];
    let other = [flow("cart", "db", 100)];
    for flows in [&nothing, &stranger, &other] {
        assert_eq!(scene.look(Traffic::Told(flows)), [], "{flows:?}");
    }
}

#[test]
fn endpoints_that_are_not_ready_or_no_pods_are_not_led_to_and_a_pod_counts_once() {
    let mut scene = Scene::new().web("web", &["a", "b"]).worker("cart", &["a"]);
    scene.endpoints[1].ready = false;
    assert_eq!(scene.blind(), [], "the only one that is ready is near");
    scene.endpoints[1].ready = true;
    let doubled = scene.endpoints.clone();
    scene.endpoints.extend(doubled);
    assert!(scene.blind()[0].evidence[0].contains("2 ready pods"), "{:?}", scene.blind());
    scene.endpoints.iter_mut().for_each(|row| row.pod = None);
    assert_eq!(scene.blind(), []);
}

#[test]
fn leading_near_is_asked_for_only_where_no_zone_would_be_overloaded() {
    let lopsided = Scene::new().web("web", &["a", "a", "a", "b"]).worker("cart", &["a", "b", "b", "b"]).blind();
    assert!(lopsided[0].remedy.contains("topologySpreadConstraints"), "{}", lopsided[0].remedy);
    assert!(lopsided[0].remedy.contains(r#""matchLabels":{"app":"web"}"#), "{}", lopsided[0].remedy);
    let single = Scene::new().web("db", &["a"]).worker("cart", &["a", "b", "c"]).blind();
    assert!(single[0].remedy.contains("nodeAffinity") && single[0].remedy.contains("us-east-1a"), "{}", single[0].remedy);
    assert!(single[0].remedy.contains("patch deployments cart"), "{}", single[0].remedy);
}

#[test]
fn every_patch_is_json_that_kubectl_takes() {
    let scenes = [
        Scene::new().web("web", &["a", "b", "c"]).worker("cart", &["a", "b", "c"]),
        Scene::new().web("web", &["a", "a", "a", "b"]).worker("cart", &["b"]),
        Scene::new().web("db", &["a"]).worker("cart", &["a", "b", "c"]),
    ];
    let mut patches = 0;
    for scene in scenes {
        for part in scene.blind()[0].remedy.split('\'').skip(1).step_by(2) {
            let patch: serde_json::Value = serde_json::from_str(part).unwrap();
            assert!(patch["spec"].is_object(), "{part}");
            patches += 1;
        }
    }
    assert!(patches >= 5, "{patches}");
}

#[test]
fn the_caller_that_sends_most_across_is_named_first_and_many_are_counted() {
    let mut scene = Scene::new().web("web", &["a", "b"]);
    for n in 0..8 {
        scene = scene.worker(&format!("cart{n}"), &["a"]);
    }
    let flows: Vec<Flow> = (0..8).map(|n| flow(&format!("cart{n}"), "web", 1 + n)).collect();
    let found = scene.look(Traffic::Told(&flows));
    assert!(found[0].evidence[1].contains("shop/cart7"), "{:?}", found[0].evidence);
    assert!(found[0].evidence[6].contains("3 more workloads"), "{:?}", found[0].evidence);
}
