use crate::optimize::Effort;
use crate::optimize::desk::Desk;
use crate::optimize::tests::world::{class, daemon, market, node, request, selector, term};
use crate::placement::Index;
use domain::decision::DecisionType;
use domain::offering::CapacityType::OnDemand;
use domain::scheduling::{PodTerm, Spread, Weighted};
use domain::snapshot::PodClass;

const HOST: &str = "kubernetes.io/hostname";

/// Prefers pods of this name as much as can be.
fn likes(app: &str) -> Vec<Weighted<PodTerm>> {
    vec![Weighted { weight: 100, term: term(app, HOST) }]
}

/// Pods that lose what they prefer when the first of these nodes go; the pods of each as class and number. Launched are so many nodes.
fn lost(classes: Vec<PodClass>, nodes: &[&[(u32, u32)]], go: usize, launches: usize) -> i64 {
    let pods = |own: &[(u32, u32)]| [&[(0, 1)], own].concat();
    let nodes = nodes.iter().enumerate().map(|(at, own)| node(at, "m6i.2xlarge", OnDemand, &pods(own))).collect();
    let asked = request(DecisionType::BinPack, [vec![daemon("logs")], classes].concat(), nodes);
    let index = Index::new(&asked.snapshot);
    let desk = Desk::new(&asked, market(), &index, &Effort::default(), None);
    let remove: Vec<usize> = (0..go).collect();
    desk.lost(&remove, &vec![0; launches]) / 1_000
}

#[test]
fn replicas_that_want_to_be_apart_lose_it_on_one_node_and_keep_it_on_as_many() {
    let mut web = class("web", 500, 1);
    web.scheduling.preferred_anti_affinity = likes("web");
    let nodes: [&[(u32, u32)]; 3] = [&[(1, 1)], &[(1, 1)], &[(1, 1)]];
    assert_eq!(lost(vec![web.clone()], &nodes, 2, 1), 1, "one of two finds another beside it");
    assert_eq!(lost(vec![web.clone()], &nodes, 2, 2), 0, "two nodes for two");
    assert_eq!(lost(vec![web.clone()], &nodes, 1, 1), 0, "one for one");
    assert_eq!(lost(vec![web.clone()], &nodes, 1, 0), 1, "every other node has one already");
    assert_eq!(lost(vec![web.clone()], &[&[(1, 1)], &[]], 1, 0), 0, "the other node has none");
    assert_eq!(lost(vec![web], &[&[(1, 2)], &[(1, 1)]], 1, 1), 0, "what is not there cannot be lost");
}

#[test]
fn pods_that_want_to_be_near_others_keep_it_where_those_come_along_or_are_elsewhere() {
    let (mut web, cache) = (class("web", 500, 1), class("cache", 500, 1));
    web.scheduling.preferred_affinity = likes("cache");
    let classes = || vec![web.clone(), cache.clone()];
    assert_eq!(lost(classes(), &[&[(1, 2), (2, 1)], &[]], 1, 1), 0, "the cache comes along");
    assert_eq!(lost(classes(), &[&[(1, 2), (2, 1)], &[(2, 1)]], 1, 0), 0, "another node has one");
    assert_eq!(lost(classes(), &[&[(1, 2)], &[(2, 1)]], 1, 1), 0, "what is not there cannot be lost");
}

#[test]
fn a_spread_that_is_scheduled_anyway_counts_the_pods_beyond_it() {
    let mut web = class("web", 500, 1);
    let spread = Spread {
        topology_key: HOST.to_owned(),
        max_skew: 1,
        hard: false,
        selector: selector("web"),
        min_domains: None,
        honor_affinity: true,
        honor_taints: false,
    };
    web.scheduling.spread = vec![spread];
    let nodes: [&[(u32, u32)]; 4] = [&[(1, 1)], &[(1, 1)], &[(1, 1)], &[(1, 1)]];
    assert_eq!(lost(vec![web.clone()], &nodes, 3, 1), 1, "three on one node beside one on another are one too many");
    assert_eq!(lost(vec![web.clone()], &nodes, 3, 3), 0);
    assert_eq!(lost(vec![web], &nodes, 1, 1), 0);
}
