//! Laws of the calls that only look.

use super::Bench;
use domain::Timestamp;
use domain::decision::Commitment;
use domain::ids::{InstanceId, InstanceType, Zone};
use domain::money::MicroDollars;
use domain::ports::{CloudError, Instance, InstanceFilter};
use std::collections::BTreeSet;

pub(super) async fn instances_are_found_by_id_token_and_cluster(bench: &Bench<'_>, first: &Instance, second: &Instance) {
    let both: BTreeSet<InstanceId> = [first.id.clone(), second.id.clone()].into();
    let ids = |found: &[Instance]| found.iter().map(|i| i.id.clone()).collect::<BTreeSet<_>>();

    let found = bench.list(InstanceFilter::Ids(both.iter().cloned().collect())).await;
    assert_eq!((ids(&found), found.len()), (both.clone(), 2));
    let seen = found.iter().find(|i| i.id == first.id).unwrap();
    assert_eq!((&seen.pool, &seen.subnet, &seen.tags), (&first.pool, &first.subnet, &first.tags));

    let found = bench.list(InstanceFilter::Cluster(bench.scope.cluster_name.clone())).await;
    assert!(ids(&found).is_superset(&both), "{found:?}");
    assert!(found.iter().all(|i| i.tags.contains_key(&bench.tag())));

    if bench.knows.client_token {
        let token = first.client_token.clone().unwrap();
        let found = bench.list(InstanceFilter::ClientToken(token)).await;
        assert_eq!(ids(&found), both, "one token, two zones");
    }
}

pub(super) async fn what_is_not_there_is_absent_and_no_error(bench: &Bench<'_>) {
    // More than fit in one call.
    let unknown = (0..150).map(|n| InstanceId::parse(format!("i-0fffffffffffff{n:03x}")).unwrap()).collect();
    assert_eq!(bench.list(InstanceFilter::Ids(unknown)).await, []);
    assert_eq!(bench.list(InstanceFilter::Ids(Vec::new())).await, []);
    assert_eq!(bench.list(InstanceFilter::Cluster("nobody-has-this-name".to_owned())).await, []);
    let nobodys =
        [InstanceFilter::ClientToken("nobody-used-it".to_owned()), InstanceFilter::CapacityReservation("cr-00000000000000000".to_owned())];
    for filter in nobodys {
        let answer = bench.cloud.instances(&bench.scope, &filter).await;
        assert_eq!(answer.as_ref().is_ok_and(Vec::is_empty), bench.knows.filters, "{filter:?}: {answer:?}");
    }
    let unknown = InstanceId::parse("i-0ffffffffffffffff").unwrap();
    assert!(bench.cloud.template_of(&bench.scope, &unknown).await.is_err());
}

pub(super) async fn prices_are_those_of_the_pools_asked_for_oldest_first(bench: &Bench<'_>) {
    let types = ["m6i.large", "c6i.large"].map(|t| InstanceType::parse(t).unwrap());
    let zones = bench.subnets.clone().map(|(zone, _)| zone);
    let prices = bench.cloud.spot_prices(&bench.scope, &types, &zones, Timestamp::UNIX_EPOCH).await.unwrap();
    assert!(!prices.is_empty());
    assert!(prices.iter().all(|p| types.contains(&p.pool.instance_type) && zones.contains(&p.pool.zone)));
    assert!(prices.iter().all(|p| p.price_per_hour > MicroDollars(0)));
    assert!(prices.is_sorted_by_key(|p| p.since));
    assert_eq!(bench.cloud.spot_prices(&bench.scope, &[], &zones, Timestamp::UNIX_EPOCH).await.unwrap(), []);
}

pub(super) async fn what_is_reserved_is_told_by_type_and_zone(bench: &Bench<'_>) {
    let before = bench.cloud.reserved(&bench.scope).await;
    assert_eq!(before.as_ref().is_ok_and(Vec::is_empty), bench.knows.reservations, "{before:?}");
    if let (Some(hands), true) = (bench.hands, bench.knows.reservations) {
        let of = |zone: Option<Zone>, count| Commitment { instance_type: InstanceType::parse("m6i.large").unwrap(), zone, count };
        let wanted = [of(None, 2), of(Some(bench.subnets[0].0.clone()), 3)];
        wanted.iter().for_each(|commitment| hands.reserve(commitment));
        assert_eq!(bench.cloud.reserved(&bench.scope).await.unwrap(), wanted);
    }
    if let Some(denied) = &bench.denied {
        assert!(matches!(bench.cloud.reserved(denied).await, Err(CloudError::NoAccess(_))));
    }
}

pub(super) async fn a_mark_is_seen_in_the_list_of_the_cluster(bench: &Bench<'_>, instance: &Instance) {
    let marked = async || {
        let all = bench.list(InstanceFilter::Cluster(bench.scope.cluster_name.clone())).await;
        all.into_iter().filter(|i| i.marked_for_interruption).map(|i| i.id).collect::<Vec<_>>()
    };
    assert_eq!(marked().await, []);
    if let (Some(hands), true) = (bench.hands, bench.knows.marks) {
        hands.interrupt(&instance.id);
        assert_eq!(marked().await, std::slice::from_ref(&instance.id));
    }
}
