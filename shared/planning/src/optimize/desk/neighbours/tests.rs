use crate::optimize::Effort;
use crate::optimize::desk::Desk;
use crate::optimize::tests::world::{class, daemon, market, node_in, request, spread, term};
use crate::placement::{HOSTNAME as HOST, Index, ZONE};
use domain::decision::DecisionType;
use domain::offering::CapacityType::OnDemand;
use domain::scheduling::{PodTerm, Spread, Weighted};
use domain::snapshot::PodClass;

const A: &str = "us-east-1a";
const B: &str = "us-east-1b";
const C: &str = "us-east-1c";

/// Prefers pods of this name as much as can be.
fn likes(app: &str, key: &str) -> Vec<Weighted<PodTerm>> {
    vec![Weighted { weight: 100, term: term(app, key) }]
}

/// A spread that is scheduled anyway.
fn soft(key: &str, max_skew: u32) -> Spread {
    Spread { max_skew, hard: false, ..spread("web", key) }
}

type Pods<'p> = &'p [(u32, u32)];

/// What the pods of the first nodes lose when those go, in thousandths of an eviction. Of each node its zone and its pods as class and
/// number; one node is launched in each of the other zones. Nothing may be lost beyond what is reckoned with at the most.
fn lost_in(classes: Vec<PodClass>, nodes: &[(&str, Pods<'_>)], go: usize, launches: &[&str]) -> i64 {
    let pods = |own: Pods<'_>| [&[(0, 1)], own].concat();
    let node = |(at, (zone, own)): (usize, &(&str, Pods<'_>))| node_in(at, "m6i.2xlarge", zone, OnDemand, &pods(own));
    let nodes = nodes.iter().enumerate().map(node).collect();
    let asked = request(DecisionType::BinPack, [vec![daemon("logs")], classes].concat(), nodes);
    let index = Index::new(&asked.snapshot);
    let desk = Desk::new(&asked, market(), &index, &Effort::default(), None);
    let item = |zone: &&str| desk.shelf.items.iter().position(|item| item.pool.zone.as_str() == *zone).unwrap();
    let (remove, launch): (Vec<usize>, Vec<usize>) = ((0..go).collect(), launches.iter().map(item).collect());
    let lost = desk.lost(&remove, &launch);
    assert!((0..=desk.preferences.most(&remove)).contains(&lost), "{lost}");
    lost
}

/// The same in evictions, all nodes in one zone.
fn lost(classes: Vec<PodClass>, nodes: &[Pods<'_>], go: usize, launches: usize) -> i64 {
    let nodes: Vec<(&str, Pods<'_>)> = nodes.iter().map(|own| (A, *own)).collect();
    lost_in(classes, &nodes, go, &vec![A; launches]) / 1_000
}

#[test]
fn replicas_that_want_to_be_apart_lose_it_on_one_node_and_keep_it_on_as_many() {
    let mut web = class("web", 500, 1);
    web.scheduling.preferred_anti_affinity = likes("web", HOST);
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
    web.scheduling.preferred_affinity = likes("cache", HOST);
    let classes = || vec![web.clone(), cache.clone()];
    assert_eq!(lost(classes(), &[&[(1, 2), (2, 1)], &[]], 1, 1), 0, "the cache comes along");
    assert_eq!(lost(classes(), &[&[(1, 2), (2, 1)], &[(2, 1)]], 1, 0), 0, "another node has one");
    assert_eq!(lost(classes(), &[&[(1, 2)], &[(2, 1)]], 1, 1), 0, "what is not there cannot be lost");
}

#[test]
fn a_move_that_parts_pods_from_those_they_want_to_be_near_weighs_more() {
    let (mut web, cache) = (class("web", 500, 1), class("cache", 500, 1));
    web.scheduling.preferred_affinity = likes("cache", ZONE);
    let classes = || vec![web.clone(), cache.clone()];
    let nodes: [(&str, Pods<'_>); 2] = [(A, &[(1, 2)]), (A, &[(2, 1)])];
    assert_eq!(lost_in(classes(), &nodes, 1, &[A]), 0, "they stay in the zone of the cache");
    assert_eq!(lost_in(classes(), &nodes, 1, &[B]), 2_000, "both go to another");
    assert_eq!(lost_in(classes(), &nodes, 2, &[B]), 0, "the cache goes with them");
    let apart: [(&str, Pods<'_>); 2] = [(B, &[(1, 2)]), (A, &[(2, 1)])];
    assert_eq!(lost_in(classes(), &apart, 1, &[B]), 0, "what is not there cannot be lost");
    let only: [(&str, Pods<'_>); 2] = [(A, &[(1, 2), (2, 1)]), (A, &[])];
    assert_eq!(lost_in(classes(), &only, 1, &[]), 2_000, "no other cache is left; where that one goes is luck");
}

#[test]
fn a_move_that_puts_together_pods_that_want_to_be_apart_weighs_more() {
    let mut web = class("web", 500, 1);
    web.scheduling.preferred_anti_affinity = likes("web", ZONE);
    let nodes: [(&str, Pods<'_>); 3] = [(A, &[(1, 1)]), (B, &[(1, 1)]), (C, &[])];
    assert_eq!(lost_in(vec![web.clone()], &nodes, 1, &[B]), 1_000, "there is one in the zone");
    assert_eq!(lost_in(vec![web.clone()], &nodes, 1, &[C]), 0, "there is none");
    assert_eq!(lost_in(vec![web.clone()], &nodes, 2, &[C]), 1_000, "two come to one zone");
    assert_eq!(lost_in(vec![web], &nodes, 2, &[A, C]), 0, "a zone for each");
}

#[test]
fn a_move_that_fills_one_zone_weighs_more_than_one_that_keeps_the_spread() {
    let mut web = class("web", 500, 1);
    web.scheduling.spread = vec![soft(ZONE, 1)];
    let nodes: [(&str, Pods<'_>); 3] = [(A, &[(1, 3)]), (B, &[(1, 3)]), (C, &[(1, 3)])];
    assert_eq!(lost_in(vec![web.clone()], &nodes, 1, &[A]), 0);
    assert_eq!(lost_in(vec![web.clone()], &nodes, 1, &[B]), 2_000, "six beside three");
    assert_eq!(lost_in(vec![web.clone()], &nodes, 1, &[]), 0, "kube-scheduler spreads them anew");
    let uneven: [(&str, Pods<'_>); 3] = [(A, &[(1, 9)]), (B, &[(1, 3)]), (C, &[(1, 3)])];
    assert_eq!(lost_in(vec![web], &uneven, 1, &[B]), 3_000, "twelve beside three, after nine beside three");
}

#[test]
fn the_spread_that_nobody_asked_for_weighs_a_tenth() {
    let mut web = class("web", 500, 1);
    let nodes: [(&str, Pods<'_>); 4] = [(A, &[(1, 2)]), (A, &[(1, 2)]), (A, &[(1, 2)]), (A, &[])];
    web.scheduling.spread = vec![soft(HOST, 3), soft(ZONE, 5)];
    assert_eq!(lost_in(vec![web.clone()], &nodes, 3, &[A]), 300, "six beside none are three too many");
    web.scheduling.spread = vec![soft(HOST, 3)];
    assert_eq!(lost_in(vec![web], &nodes, 3, &[A]), 3_000, "somebody asked for it");
}

#[test]
fn a_spread_that_is_scheduled_anyway_counts_the_pods_beyond_it() {
    let mut web = class("web", 500, 1);
    web.scheduling.spread = vec![soft(HOST, 1)];
    let nodes: [&[(u32, u32)]; 4] = [&[(1, 1)], &[(1, 1)], &[(1, 1)], &[(1, 1)]];
    assert_eq!(lost(vec![web.clone()], &nodes, 3, 1), 1, "three on one node beside one on another are one too many");
    assert_eq!(lost(vec![web.clone()], &nodes, 3, 3), 0);
    assert_eq!(lost(vec![web], &nodes, 1, 1), 0);
}
