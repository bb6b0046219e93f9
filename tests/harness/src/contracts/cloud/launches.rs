//! Laws of the calls that change something.

use super::Bench;
use domain::ids::{InstanceId, SubnetId};
use domain::node::NodeTemplate;
use domain::offering::CapacityType;
use domain::ports::{CloudError, Instance, InstanceFilter, Lifecycle};

pub(super) async fn a_launch_gives_what_was_asked_for(bench: &Bench<'_>) -> Instance {
    let request = bench.request("first", &bench.template, 0, CapacityType::Spot);
    let made = bench.cloud.launch(&bench.scope, &request).await.unwrap();
    assert!(made.state.live());
    assert_eq!(made.pool, request.offering.pool);
    assert_eq!(made.subnet.as_ref(), Some(&request.offering.subnet));
    for (key, value) in &request.tags {
        assert_eq!(made.tags.get(key), Some(value), "{key}: tags are in the call itself");
    }
    assert!(made.launched_at.is_some());
    assert!(!made.marked_for_interruption);
    if bench.knows.client_token {
        assert_eq!(made.client_token.as_ref(), Some(&request.client_token));
    }
    made
}

pub(super) async fn the_same_request_launches_once(bench: &Bench<'_>, first: &Instance) {
    let request = bench.request("first", &bench.template, 0, CapacityType::Spot);
    let again = bench.cloud.launch(&bench.scope, &request).await.unwrap();
    assert_eq!(again.id == first.id, bench.knows.client_token, "whether a client token is honoured");
    if !bench.knows.client_token {
        bench.cloud.terminate(&bench.scope, &again.id).await.unwrap();
    }
}

pub(super) async fn a_token_with_other_parameters_is_a_mismatch(bench: &Bench<'_>) {
    if bench.knows.client_token {
        let request = bench.request("first", &bench.template, 0, CapacityType::OnDemand);
        let answer = bench.cloud.launch(&bench.scope, &request).await;
        assert!(matches!(answer, Err(CloudError::TokenMismatch)), "{answer:?}");
    }
}

pub(super) async fn a_copy_of_an_instance_is_launched_in_another_zone(bench: &Bench<'_>, first: &Instance) -> Instance {
    let template = bench.cloud.template_of(&bench.scope, &first.id).await.unwrap();
    let NodeTemplate::Clone { from, image, user_data, root_volume, tags, .. } = &template else { panic!("{template:?}") };
    assert_eq!(from, &first.id);
    assert!(image.starts_with("ami-"), "{image}");
    assert!(user_data.as_ref().is_some_and(|data| !data.is_empty()), "without user data no copy can join");
    assert!(tags.iter().any(|(key, _)| *key == bench.tag()));
    assert!(!tags.iter().any(|(key, _)| key.starts_with("aws:")), "{tags:?}");
    assert!(root_volume.as_ref().is_some_and(|root| root.size_gib > 0 && root.device.starts_with("/dev/")), "{root_volume:?}");
    // The same token on purpose: its memory is zonal, so this is another instance.
    let request = bench.request("first", &template, 1, CapacityType::OnDemand);
    let made = bench.cloud.launch(&bench.scope, &request).await.unwrap();
    assert_ne!(made.id, first.id);
    assert_eq!(made.pool, request.offering.pool);
    made
}

pub(super) async fn what_can_never_work_is_refused(bench: &Bench<'_>) {
    let mut without = bench.template.clone();
    if let NodeTemplate::Clone { user_data, .. } = &mut without {
        *user_data = None;
        let request = bench.request("refused", &without, 0, CapacityType::Spot);
        let answer = bench.cloud.launch(&bench.scope, &request).await;
        assert!(matches!(&answer, Err(CloudError::Refused(why)) if why.contains("user data")), "{answer:?}");
    }
    let mut request = bench.request("nowhere", &bench.template, 0, CapacityType::Spot);
    request.offering.subnet = SubnetId::parse("subnet-00000000000000000").unwrap();
    let answer = bench.cloud.launch(&bench.scope, &request).await;
    assert!(matches!(answer, Err(CloudError::Refused(_))), "{answer:?}");
}

pub(super) async fn an_empty_pool_is_a_definite_answer_and_leaves_the_token_free(bench: &Bench<'_>) {
    let Some(hands) = bench.hands else { return };
    let mut request = bench.request("empty", &bench.template, 0, CapacityType::Spot);
    request.offering.pool.instance_type = domain::ids::InstanceType::parse("c5.metal").unwrap();
    hands.exhaust(&request.offering.pool);
    let answer = bench.cloud.launch(&bench.scope, &request).await;
    assert!(matches!(answer, Err(CloudError::NoCapacity(_))), "{answer:?}");
    let left = bench.list(InstanceFilter::ClientToken(request.client_token)).await;
    assert!(left.is_empty(), "{left:?}");
}

pub(super) async fn a_role_that_cannot_be_assumed_is_no_access(bench: &Bench<'_>) {
    let Some(denied) = &bench.denied else { return };
    let answer = bench.cloud.instances(denied, &InstanceFilter::Cluster("any".to_owned())).await;
    assert!(matches!(answer, Err(CloudError::NoAccess(_))), "{answer:?}");
    let request = bench.request("denied", &bench.template, 0, CapacityType::Spot);
    let answer = bench.cloud.launch(denied, &request).await;
    assert!(matches!(answer, Err(CloudError::NoAccess(_))), "{answer:?}");
}

pub(super) async fn a_lifecycle_action_is_completed_once_or_is_over(bench: &Bench<'_>, instance: &Instance) {
    let Some(hands) = bench.hands else { return };
    let never = Lifecycle { group: "none".to_owned(), hook: "none".to_owned(), token: None, instance: instance.id.clone() };
    bench.cloud.complete_lifecycle(&bench.scope, &never).await.unwrap();
    assert!(bench.by_id(&instance.id).await.is_some_and(|i| i.state.live()));
    let action = hands.lifecycle(&instance.id);
    bench.cloud.complete_lifecycle(&bench.scope, &action).await.unwrap();
    assert!(bench.by_id(&instance.id).await.is_none_or(|i| !i.state.live()), "the group goes on");
    bench.cloud.complete_lifecycle(&bench.scope, &action).await.unwrap();
}

pub(super) async fn an_instance_is_ended_once_and_may_be_ended_again(bench: &Bench<'_>, first: &Instance, second: &Instance) {
    for id in [&first.id, &second.id, &first.id] {
        bench.cloud.terminate(&bench.scope, id).await.unwrap();
        let after = bench.by_id(id).await;
        assert!(after.as_ref().is_none_or(|i| !i.state.live()), "{after:?}");
    }
    let never = InstanceId::parse("i-00000000000000000").unwrap();
    bench.cloud.terminate(&bench.scope, &never).await.unwrap();
}
