use super::{GATEWAY_AGE_MIN, Idle, NoClusterName, idle_addresses, idle_gateways};
use crate::ghosts::tags::Tags;
use domain::Timestamp;
use domain::finding::FindingKind;
use domain::money::MicroDollars;
use domain::plan::precondition::PROTECT_TAG;
use domain::ports::estate::{Address, NatGateway};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn tags(tags: &[(&str, &str)]) -> Tags {
    tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn owned() -> Tags {
    tags(&[("kubernetes.io/cluster/prod", "owned")])
}

fn address(associated: bool, tags: Tags) -> Address {
    Address { id: "eipalloc-1".to_owned(), ip: "203.0.113.7".to_owned(), associated, tags }
}

fn gateway(routed: bool, tags: Tags) -> NatGateway {
    NatGateway { id: "nat-1".to_owned(), available: true, routed, created_at: Some(NOW - GATEWAY_AGE_MIN), tags }
}

fn idle(cluster: &str, addresses: &[Address], gateways: &[NatGateway], now: Timestamp) -> Result<Vec<Idle>, NoClusterName> {
    Ok([idle_addresses(cluster, addresses, now)?, idle_gateways(cluster, gateways, now)?].concat())
}

#[test]
fn an_address_that_stands_for_nothing_and_a_gateway_without_a_route_are_idle_and_priced_by_the_month() {
    let found = idle("prod", &[address(false, owned()), address(true, owned())], &[gateway(false, owned()), gateway(true, owned())], NOW);
    let found: Vec<_> = found.unwrap().into_iter().map(|idle| (idle.kind, idle.subject, idle.cost_per_month)).collect();
    let address = (FindingKind::IdleAddress, "eipalloc-1".to_owned(), MicroDollars(3_650_000));
    assert_eq!(found, [address, (FindingKind::IdleNatGateway, "nat-1".to_owned(), MicroDollars(32_850_000))]);
}

#[test]
fn what_is_anothers_nobodys_or_to_be_left_alone_is_not_spoken_of() {
    let kept = tags(&[("kubernetes.io/cluster/prod", "owned"), (PROTECT_TAG, "")]);
    for tags in [Tags::new(), tags(&[("kubernetes.io/cluster/other", "owned")]), tags(&[("Name", "prod")]), kept] {
        assert_eq!(idle("prod", &[address(false, tags.clone())], &[gateway(false, tags.clone())], NOW), Ok(Vec::new()), "{tags:?}");
    }
    let eksctl = tags(&[("alpha.eksctl.io/cluster-name", "prod")]);
    assert_eq!(idle("prod", &[address(false, eksctl)], &[], NOW).unwrap().len(), 1);
}

#[test]
fn a_gateway_that_is_young_or_of_unknown_age_or_not_up_is_left_alone() {
    let young = NatGateway { created_at: Some(NOW), ..gateway(false, owned()) };
    let unknown = NatGateway { created_at: None, ..gateway(false, owned()) };
    let pending = NatGateway { available: false, ..gateway(false, owned()) };
    assert_eq!(idle("prod", &[], &[young, unknown, pending], NOW), Ok(Vec::new()));
}

#[test]
fn a_cluster_without_a_name_owns_nothing() {
    assert!(idle(" ", &[address(false, owned())], &[], NOW).is_err());
}
