//! Laws of reading what pods ask of nodes, and where volumes are.

use super::Scene;
use domain::pod::{Operator, PodDetail, Requirement, Selector};
use domain::ports::PodSink;
use domain::scheduling::{
    HostPort, NAME_FIELD, NodeOperator, NodeRequirement, NodeTerm, PodTerm, Resources, Scheduling, Spread, Toleration, Weighted,
};
use domain::sizing::PodContainers;
use sim::world::Volume;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Default)]
struct Collected {
    pods: Vec<PodDetail>,
    restarts: usize,
}

impl PodSink for Collected {
    fn pod(&mut self, pod: PodDetail) {
        self.pods.push(pod);
    }

    fn restart(&mut self) {
        self.pods.clear();
        self.restarts += 1;
    }
}

async fn collect(scene: &Scene<'_>) -> Collected {
    let mut collected = Collected::default();
    scene.cluster.pods_in_detail(&mut collected).await.unwrap();
    collected
}

fn one_of_each(node: &str) -> Scheduling {
    let text = |text: &str| text.to_owned();
    let need = |key: &str, operator, values: &[&str]| NodeRequirement {
        key: text(key),
        operator,
        values: values.iter().map(|value| text(value)).collect(),
    };
    let selector = Selector {
        match_labels: BTreeMap::from([(text("app"), text("asking"))]),
        match_expressions: vec![Requirement { key: text("tier"), operator: Operator::NotIn, values: vec![text("db")] }],
    };
    let near = |key: &str, namespaces: &[&str], any_namespace| PodTerm {
        topology_key: text(key),
        selector: Some(selector.clone()),
        namespaces: namespaces.iter().map(|namespace| text(namespace)).collect(),
        any_namespace,
    };
    Scheduling {
        node_selector: BTreeMap::from([(text("kubernetes.io/os"), text("linux"))]),
        required_nodes: vec![
            NodeTerm(vec![need(NAME_FIELD, NodeOperator::In, &[node])]),
            NodeTerm(vec![need("gen", NodeOperator::Gt, &["5"]), need("old", NodeOperator::DoesNotExist, &[])]),
        ],
        preferred_nodes: vec![Weighted { weight: 10, term: NodeTerm(vec![need("spot", NodeOperator::Exists, &[])]) }],
        tolerations: vec![
            Toleration { key: Some(text("gpu")), exists: true, value: String::new(), effect: Some(text("NoSchedule")) },
            Toleration { key: Some(text("team")), exists: false, value: text("a"), effect: None },
        ],
        affinity: vec![near("topology.kubernetes.io/zone", &["default", "other"], false)],
        anti_affinity: vec![PodTerm { selector: None, ..near("kubernetes.io/hostname", &[], false) }],
        preferred_affinity: vec![Weighted { weight: 1, term: near("topology.kubernetes.io/zone", &[], true) }],
        preferred_anti_affinity: vec![Weighted { weight: 100, term: near("kubernetes.io/hostname", &[], false) }],
        spread: vec![Spread {
            topology_key: text("topology.kubernetes.io/zone"),
            max_skew: 2,
            hard: true,
            selector: Some(selector.clone()),
            min_domains: Some(2),
            honor_affinity: false,
            honor_taints: true,
        }],
        host_ports: vec![HostPort { ip: String::new(), protocol: text("TCP"), port: 9100 }],
        foreign_scheduler: Some(text("volcano")),
        ..Scheduling::default()
    }
}

pub(super) async fn a_pod_in_detail_asks_what_it_was_made_to_ask(scene: &Scene<'_>) {
    let node = scene.stage.node(Vec::new());
    let asks = one_of_each(node.as_str());
    let extended = BTreeMap::from([("nvidia.com/gpu".to_owned(), 2), ("ephemeral-storage".to_owned(), 1 << 30)]);
    scene.stage.asking_pod("asking", asks.clone(), extended.clone(), &node);
    let found = collect(scene).await.pods.into_iter().find(|pod| pod.view.pod.name == "asking").unwrap();
    assert_eq!(found.scheduling, asks);
    assert_eq!(found.requests, Resources { extended, ..Resources::new(found.view.cpu_millis, found.view.memory_bytes) });
    assert!(found.started_at.is_some() && found.claims.is_empty());
    let listed = scene.cluster.pods(Some(&node)).await.unwrap();
    assert_eq!(listed.iter().find(|pod| pod.pod == found.view.pod), Some(&found.view), "the same pod, seen with less detail");
}

pub(super) async fn pods_in_detail_are_all_pods_each_once(scene: &Scene<'_>) {
    scene.deployed("many", 1_100).await;
    let collected = collect(scene).await;
    let all: BTreeSet<_> = scene.cluster.pods(None).await.unwrap().into_iter().map(|pod| pod.pod).collect();
    assert_eq!(collected.pods.len(), all.len());
    let containers = scene.cluster.containers().await.unwrap();
    assert_eq!(collected.pods.clone().iter_mut().map(PodContainers::take).collect::<Vec<_>>(), containers, "the same containers");
    assert_eq!(collected.pods.into_iter().map(|pod| pod.view.pod).collect::<BTreeSet<_>>(), all);
}

pub(super) async fn a_list_in_detail_that_expires_begins_anew(scene: &Scene<'_>) {
    scene.deployed("expiring", 600).await;
    let all = scene.cluster.pods(None).await.unwrap().len();
    scene.stage.lists_expire(1);
    let collected = collect(scene).await;
    assert_eq!((collected.restarts, collected.pods.len()), (1, all));
}

pub(super) async fn a_claim_is_where_its_volume_was_made(scene: &Scene<'_>) {
    let node = scene.stage.node(Vec::new());
    scene.stage.pod_with_volume("zonal", Volume::Zonal, Some(&node));
    scene.stage.pod_with_volume("local", Volume::Local, Some(&node));
    let zone = scene.view(&node).await.labels["topology.kubernetes.io/zone"].clone();
    let details = collect(scene).await.pods;
    let claims = scene.cluster.claims().await.unwrap();
    let of = |pod: &str| {
        let detail = details.iter().find(|detail| detail.view.pod.name == pod).unwrap();
        let [name] = detail.claims.as_slice() else { panic!("{pod} has one claim") };
        claims.iter().find(|claim| claim.name == *name && claim.namespace == detail.view.pod.namespace).unwrap()
    };
    let zonal = of("zonal");
    assert_eq!(zonal.zones.as_ref().map(|zones| zones.iter().map(ToString::to_string).collect::<Vec<_>>()), Some(vec![zone]));
    assert!(!zonal.local && of("local").local);
}

pub(super) async fn a_claim_that_waits_for_its_first_pod_is_anywhere(scene: &Scene<'_>) {
    scene.stage.pod_with_volume("waits", Volume::Zonal, None);
    let detail = collect(scene).await.pods.into_iter().find(|detail| detail.view.pod.name == "waits").unwrap();
    assert!(detail.view.node.is_none());
    let claim = scene.cluster.claims().await.unwrap().into_iter().find(|claim| detail.claims.contains(&claim.name)).unwrap();
    assert!(claim.zones.is_none() && !claim.local);
}
