use super::*;
use domain::ids::{AccountId, ClusterId, CustomerId, InstanceId, InstanceKey, NodeName, Region, Zone};
use domain::node::{NodeOwner, NodeTarget};

fn pool(kind: &str, zone: &str, capacity: CapacityType) -> Pool {
    Pool { instance_type: InstanceType::parse(kind).unwrap(), zone: Zone::parse(zone).unwrap(), capacity }
}

fn known(kind: &str, zone: &str, cpu_millis: u64) -> Known {
    Known {
        pool: pool(kind, zone, CapacityType::Spot),
        subnet: SubnetId::parse(format!("subnet-{}", &zone[zone.len() - 1..])).unwrap(),
        cpu_millis,
        memory_bytes: cpu_millis << 22,
    }
}

fn node(capacity: CapacityType) -> NodeRecord {
    let instance = InstanceId::parse("i-12345678").unwrap();
    NodeRecord {
        key: InstanceKey {
            account: AccountId::parse("1").unwrap(),
            region: Region::parse("us-east-1").unwrap(),
            instance: instance.clone(),
        },
        customer: CustomerId::parse("c").unwrap(),
        cluster: ClusterId::parse("k").unwrap(),
        target: NodeTarget { name: NodeName::parse("n").unwrap(), uid: None, instance, taints: Vec::new() },
        pool: pool("m6i.large", "us-east-1a", capacity),
        cpu_millis: 2000,
        memory_bytes: 2000 << 22,
        owner: NodeOwner::CloudOptim,
        template: None,
        advice: Vec::new(),
        seen_at: domain::Timestamp::UNIX_EPOCH,
    }
}

fn fleet() -> Vec<Known> {
    vec![
        known("m6i.large", "us-east-1a", 2000),
        known("m6i.large", "us-east-1b", 2000),
        known("m6i.xlarge", "us-east-1b", 4000),
        known("t3.small", "us-east-1a", 1000),
    ]
}

#[test]
fn the_pool_that_is_lost_comes_after_every_other_spot_pool() {
    let advice = standing_advice(&node(CapacityType::Spot), &fleet());
    let lost = advice.iter().position(|o| o.pool == node(CapacityType::Spot).pool).unwrap();
    assert!(advice.iter().skip(lost + 1).all(|o| o.pool.capacity == CapacityType::OnDemand));
    assert_eq!(advice[0].pool, pool("m6i.large", "us-east-1b", CapacityType::Spot));
}

#[test]
fn a_smaller_type_is_never_advised_and_on_demand_always_is() {
    let advice = standing_advice(&node(CapacityType::Spot), &fleet());
    assert!(advice.iter().all(|o| o.pool.instance_type.as_str() != "t3.small"));
    assert!(advice.iter().any(|o| o.pool.capacity == CapacityType::OnDemand));
}

#[test]
fn an_on_demand_node_is_replaced_on_demand() {
    let advice = standing_advice(&node(CapacityType::OnDemand), &fleet());
    assert!(!advice.is_empty() && advice.iter().all(|o| o.pool.capacity == CapacityType::OnDemand));
}

#[test]
fn each_offering_uses_a_subnet_of_its_own_zone() {
    for offering in standing_advice(&node(CapacityType::Spot), &fleet()) {
        assert!(offering.pool.zone.as_str().ends_with(offering.subnet.as_str().strip_prefix("subnet-").unwrap()));
    }
}

#[test]
fn pools_to_avoid_are_tried_last_and_not_forgotten() {
    let advice = standing_advice(&node(CapacityType::Spot), &fleet());
    let avoid = vec![advice[0].pool.clone(), advice[1].pool.clone()];
    let chosen = choose(&advice, &avoid);
    assert_eq!(chosen.len(), advice.len());
    assert_eq!(chosen[0].pool, advice[2].pool);
    assert_eq!(chosen[chosen.len() - 2].pool, advice[0].pool);
}
