//! Laws of EC2.

use super::support::small;
use crate::world::{By, Timing, What};
use domain::ports::{Cloud, CloudError, InstanceFilter, InstanceState, Lifecycle};
use jiff::SignedDuration;

#[tokio::test]
async fn the_same_token_in_the_same_zone_launches_once() {
    let s = small(1);
    let request = s.request("t", "us-east-1a").await;
    let first = s.world.launch(&s.scope(), &request).await.unwrap();
    let mut dearer = request.clone();
    dearer.offering.price_per_hour = Some(domain::money::MicroDollars(1));
    assert_eq!(s.world.launch(&s.scope(), &dearer).await.unwrap().id, first.id, "a price is no parameter of RunInstances");
    assert_eq!(s.world.live_instances(&s.id).len(), 2);
}

#[tokio::test]
async fn the_same_token_in_another_zone_launches_again() {
    let s = small(1);
    let first = s.world.launch(&s.scope(), &s.request("t", "us-east-1a").await).await.unwrap();
    let second = s.world.launch(&s.scope(), &s.request("t", "us-east-1b").await).await.unwrap();
    assert_ne!(first.id, second.id);
}

#[tokio::test]
async fn the_same_token_with_other_parameters_is_a_mismatch() {
    let s = small(1);
    let mut request = s.request("t", "us-east-1a").await;
    s.world.launch(&s.scope(), &request).await.unwrap();
    request.tags.insert("more".into(), "tags".into());
    assert!(matches!(s.world.launch(&s.scope(), &request).await, Err(CloudError::TokenMismatch)));
}

#[tokio::test]
async fn an_empty_pool_refuses_and_its_token_stays_free() {
    let s = small(1);
    let request = s.request("t", "us-east-1a").await;
    s.world.set_capacity(&request.offering.pool, 0);
    assert!(matches!(s.world.launch(&s.scope(), &request).await, Err(CloudError::NoCapacity(_))));
    s.world.set_capacity(&request.offering.pool, 1);
    assert!(s.world.launch(&s.scope(), &request).await.is_ok());
    let next = s.request("u", "us-east-1a").await;
    assert!(matches!(s.world.launch(&s.scope(), &next).await, Err(CloudError::NoCapacity(_))), "the one that was left is taken");
}

#[tokio::test]
async fn a_launched_instance_joins_after_its_time_and_takes_pending_pods() {
    let s = small(1);
    s.deploy("web", 1);
    s.world.human_cordons(&s.id, &s.target(0).name);
    let pod = s.pods()[0].pod.clone();
    s.api.evict(&pod).await.unwrap();
    let instance = s.world.launch(&s.scope(), &s.request("t", "us-east-1b").await).await.unwrap();
    s.pass(38).await;
    assert_eq!(s.world.pending_pods(&s.id).len(), 1);
    assert!(s.world.node_of(&instance.id).is_some_and(|node| !node.ready), "it registers before it is ready");
    s.pass(9).await;
    let node = s.world.node_of(&instance.id).unwrap();
    assert!(node.ready && node.provider_id == format!("aws:///us-east-1b/{}", instance.id));
    let pods = s.pods();
    assert!(pods.iter().all(|pod| pod.node.as_ref() == Some(&node.name) && pod.ready));
    assert!(s.whats().iter().any(|what| matches!(what, What::Joined { .. })));
}

#[tokio::test]
async fn instances_may_never_join_and_lists_may_lag() {
    let s = small(1);
    s.world.set_timing(Timing { join: None, describe_lag: SignedDuration::from_secs(120), ..Timing::default() });
    let instance = s.world.launch(&s.scope(), &s.request("t", "us-east-1a").await).await.unwrap();
    let by_token = InstanceFilter::ClientToken("t".into());
    s.pass(119).await;
    assert!(s.world.instances(&s.scope(), &by_token).await.unwrap().is_empty());
    s.pass(1).await;
    assert_eq!(s.world.instances(&s.scope(), &by_token).await.unwrap()[0].id, instance.id);
    s.pass(3600).await;
    assert!(s.world.node_of(&instance.id).is_none());
}

#[tokio::test]
async fn an_interrupted_instance_dies_at_its_deadline_with_what_still_runs_on_it() {
    let s = small(2);
    s.deploy("web", 2);
    let body = s.world.interrupt(&s.nodes[0], SignedDuration::from_secs(120));
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["detail"]["instance-id"], s.nodes[0].as_str());
    assert_eq!(body["detail-type"], "EC2 Spot Instance Interruption Warning");
    assert!(s.world.instance(&s.nodes[0]).unwrap().marked_for_interruption);
    s.pass(119).await;
    assert_eq!(s.world.instance(&s.nodes[0]).unwrap().state, InstanceState::Running);
    s.pass(1).await;
    let instance = s.world.instance(&s.nodes[0]).unwrap();
    assert_eq!(instance.state, InstanceState::ShuttingDown);
    assert!(instance.state_reason.unwrap().starts_with("Server.SpotInstanceTermination"));
    assert_eq!(s.whats().iter().filter(|what| matches!(what, What::PodLost { .. })).count(), 2);
    assert!(!s.world.node_of(&s.nodes[0]).unwrap().ready);
    s.pass(70).await;
    assert!(s.world.node_of(&s.nodes[0]).is_none());
    assert!(s.pods().iter().all(|pod| pod.ready), "the controller made them anew on the other node");
}

#[tokio::test]
async fn a_lifecycle_hook_waits_until_it_is_completed_or_its_time_is_over() {
    let s = small(2);
    let body: serde_json::Value = serde_json::from_str(&s.world.asg_terminate(&s.nodes[0], SignedDuration::from_secs(300))).unwrap();
    s.world.asg_terminate(&s.nodes[1], SignedDuration::from_secs(300));
    s.pass(200).await;
    let text = |key: &str| body["detail"][key].as_str().unwrap().to_owned();
    let action = Lifecycle {
        group: text("AutoScalingGroupName"),
        hook: text("LifecycleHookName"),
        token: Some(text("LifecycleActionToken")),
        instance: s.nodes[0].clone(),
    };
    for _ in 0..2 {
        s.world.complete_lifecycle(&s.scope(), &action).await.unwrap();
    }
    assert_eq!(s.world.instance(&s.nodes[0]).unwrap().state, InstanceState::ShuttingDown);
    assert_eq!(s.world.instance(&s.nodes[1]).unwrap().state, InstanceState::Running);
    s.pass(101).await;
    assert_eq!(s.world.instance(&s.nodes[1]).unwrap().state, InstanceState::ShuttingDown);
    let by: Vec<By> = s.whats().iter().filter_map(|w| if let What::LifecycleCompleted { by, .. } = w { Some(*by) } else { None }).collect();
    assert_eq!(by, [By::Us, By::Aws]);
}

#[tokio::test]
async fn an_owner_replaces_its_instance_once_and_we_are_not_asked() {
    use crate::world::NodeSpec;
    use domain::node::NodeOwner;
    use domain::offering::CapacityType;
    let s = small(0);
    for owner in [
        NodeOwner::AutoScalingGroup { group: "g".into() },
        NodeOwner::ManagedNodeGroup { group: "m".into() },
        NodeOwner::Karpenter { claim: "k".into() },
    ] {
        let spec = NodeSpec { owner, ..NodeSpec::new("m6i.large", "us-east-1a", CapacityType::Spot) };
        let node = s.world.add_node(&s.id, spec);
        s.world.interrupt(&node, SignedDuration::from_secs(120));
    }
    s.pass(300).await;
    assert_eq!(s.world.nodes(&s.id).len(), 3);
    assert!(s.world.nodes(&s.id).iter().all(|node| node.ready));
    assert!(s.world.nodes(&s.id).iter().any(|node| node.labels.contains_key("karpenter.sh/nodepool")));
}

#[tokio::test]
async fn a_name_can_come_again_with_another_uid() {
    let s = small(1);
    let before = s.world.node_of(&s.nodes[0]).unwrap();
    s.world.reuse_name(&s.id, &before.name);
    let again = s.world.launch(&s.scope(), &s.request("t", "us-east-1a").await).await.unwrap();
    s.world.human_terminates(&s.nodes[0]);
    s.pass(41).await;
    let after = s.world.node_of(&again.id).unwrap();
    assert_eq!(after.name, before.name);
    assert_ne!(after.uid, before.uid);
}

#[tokio::test]
async fn the_same_seed_and_the_same_calls_lead_to_the_same_history() {
    let run = || async {
        let s = small(3);
        s.deploy("web", 5);
        s.world.interrupt(&s.nodes[0], SignedDuration::from_secs(120));
        s.world.launch(&s.scope(), &s.request("t", "us-east-1a").await).await.unwrap();
        s.pass(400).await;
        s.world.history()
    };
    assert_eq!(run().await, run().await);
}

#[tokio::test]
async fn another_account_has_no_access_and_sees_nothing() {
    let s = small(1);
    let mut scope = s.scope();
    scope.account = "999999999999".to_owned().try_into().unwrap();
    let ids = InstanceFilter::Ids(s.nodes.clone());
    assert!(matches!(s.world.instances(&scope, &ids).await, Err(CloudError::NoAccess(_))));
}

#[tokio::test]
async fn a_world_is_cheap_enough_for_a_hundred_thousand() {
    let began = std::time::Instant::now();
    for _ in 0..200 {
        let s = small(4);
        s.deploy("web", 8);
        s.guard("web", crate::world::Allows::MaxUnavailable(1));
        s.world.add_daemon_set(&s.id, crate::world::WorkloadSpec::new("agent", 0));
        s.world.interrupt(&s.nodes[0], SignedDuration::from_secs(120));
        s.world.launch(&s.scope(), &s.request("t", "us-east-1a").await).await.unwrap();
        s.pass(600).await;
        assert_eq!(s.world.nodes(&s.id).len(), 4);
    }
    // Ten times what it takes on a quiet machine: only a change of complexity trips it.
    assert!(began.elapsed().as_millis() < 2_000, "200 worlds took {:?}", began.elapsed());
}
