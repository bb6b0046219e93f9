//! A storm of rebalance recommendations.

use domain::SignedDuration;
use domain::offering::CapacityType;
use domain::policy::RebalancePolicy;
use domain::ports::Registry;
use harness::system::System;
use sim::clock::SimClock;
use sim::world::{ClusterSpec, NodeSpec, World};

#[tokio::test(start_paused = true)]
async fn a_storm_of_recommendations_replaces_no_more_nodes_an_hour_than_the_policy_says() {
    let clock = SimClock::new();
    let world = World::new(clock.clone(), 3);
    let id = world.add_cluster(ClusterSpec::new("acme", "shop", "123456789012", "us-east-1"));
    let nodes: Vec<_> = (0..20).map(|_| world.add_node(&id, NodeSpec::new("m6i.large", "us-east-1a", CapacityType::Spot))).collect();
    let mut system = System::around(clock, world, SignedDuration::ZERO);
    let (customer, _) = system.register("acme", "shop", "123456789012", "us-east-1").await;
    let mut cluster = system.store.cluster(&customer, &id).await.unwrap().unwrap();
    cluster.policy.interruption.rebalance = RebalancePolicy::ReplaceThenDrain;
    cluster.policy.interruption.rebalances_per_hour_max = 3;
    cluster.version += 1;
    system.store.put_cluster(&cluster, Some(cluster.version - 1)).await.unwrap();
    for node in &nodes {
        system.notice(&system.world.rebalance(node));
    }
    system.run(SignedDuration::from_mins(20), |_| {}).await;
    assert_eq!(system.launched().len(), 3);
    assert_eq!(system.store.all_spot_events().len(), 20, "the others are recorded");
}
