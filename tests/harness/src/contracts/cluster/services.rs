//! Laws of Services, their endpoints and what flows to them.

use super::Scene;
use domain::policy::TrafficSource;
use domain::ports::ClusterError;
use domain::ports::inventory::Flow;

pub(super) async fn a_service_says_how_it_leads_connections(scene: &Scene<'_>) {
    for (name, balanced, headless, distribution) in [
        ("plain", false, false, None),
        ("outside", true, false, None),
        ("each", false, true, None),
        ("near", false, false, Some("PreferClose")),
    ] {
        scene.stage.service(name, balanced, headless, distribution);
    }
    let all = scene.cluster.services().await.unwrap();
    let said = |name: &str| {
        let it = all.iter().find(|it| it.name == name && it.namespace == "default").unwrap();
        assert_eq!(it.selector.get("app").map(String::as_str), Some(name));
        (it.balanced, it.spread, it.keeps_near.clone())
    };
    assert_eq!(said("plain"), (false, true, None));
    assert_eq!(said("outside"), (true, true, None));
    assert_eq!(said("each"), (false, false, None));
    assert_eq!(said("near"), (false, true, Some("trafficDistribution: PreferClose".to_owned())));
}

pub(super) async fn endpoints_are_the_pods_of_a_service_with_their_zone(scene: &Scene<'_>) {
    let node = scene.stage.node(Vec::new());
    scene.stage.deployment("default", "served", 3, &node);
    scene.stage.service("served", false, false, None);
    let zone = scene.view(&node).await.labels["topology.kubernetes.io/zone"].clone();
    let mut rows = scene.cluster.endpoints().await.unwrap();
    rows.retain(|row| row.service == "served");
    assert_eq!(rows.len(), 3);
    let pods = scene.cluster.pods(Some(&node)).await.unwrap();
    for row in rows {
        assert_eq!((row.namespace.as_str(), row.ready), ("default", true));
        assert_eq!(row.zone.map(|zone| zone.to_string()), Some(zone.clone()));
        assert!(pods.iter().any(|pod| Some(&pod.pod.name) == row.pod.as_ref()), "{:?}", row.pod);
    }
}

pub(super) async fn a_source_of_traffic_tells_who_sent_how_much(scene: &Scene<'_>) {
    let source = |port| TrafficSource { namespace: "watch".to_owned(), service: "prometheus".to_owned(), port, query: None };
    let named = |name: &str| ("default".to_owned(), name.to_owned());
    let flow = Flow { from: named("cart"), to: named("served"), bytes_per_day: 123_456_789_012 };
    scene.stage.traffic("watch/prometheus:9090", vec![flow.clone()]);
    assert_eq!(scene.cluster.traffic(&source(9_090)).await.unwrap(), [flow]);
    assert!(matches!(scene.cluster.traffic(&source(9_091)).await, Err(ClusterError::Gone)));
}
