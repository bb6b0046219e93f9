use super::*;
use aws_sdk_ec2::types::{InstanceType as Type, Placement, StateReason, Tag};

fn complete() -> aws_sdk_ec2::types::builders::InstanceBuilder {
    types::Instance::builder()
        .instance_id("i-0123456789abcdef0")
        .instance_type(Type::M6iLarge)
        .placement(Placement::builder().availability_zone("us-east-1a").build())
        .state(types::InstanceState::builder().name(InstanceStateName::Terminated).build())
}

#[test]
fn an_instance_that_aws_took_back_says_so() {
    let seen = instance(
        &complete()
            .instance_lifecycle(InstanceLifecycleType::Spot)
            .state_reason(StateReason::builder().code("Server.SpotInstanceTermination").message("...").build())
            .private_dns_name("")
            .client_token("")
            .launch_time(DateTime::from_secs(1_700_000_000))
            .tags(Tag::builder().key("Name").value("worker").build())
            .build(),
    )
    .unwrap();
    assert_eq!(seen.state, InstanceState::Terminated);
    assert_eq!(seen.pool.to_string(), "m6i.large in us-east-1a (spot)");
    assert_eq!(seen.state_reason.as_deref(), Some("Server.SpotInstanceTermination"));
    assert_eq!((seen.private_dns, seen.client_token), (None, None), "empty means none");
    assert_eq!(seen.launched_at, Timestamp::from_second(1_700_000_000).ok());
    assert_eq!(seen.tags["Name"], "worker");
}

#[test]
fn a_row_that_cannot_be_read_is_an_error_and_not_an_absence() {
    let broken = [
        complete().set_instance_id(None).build(),
        complete().set_placement(None).build(),
        complete().set_state(None).build(),
        complete().set_instance_type(None).build(),
    ];
    for row in broken {
        assert!(matches!(instance(&row), Err(CloudError::Ambiguous(_))), "{row:?}");
    }
}

#[test]
fn a_type_newer_than_the_sdk_is_still_a_type() {
    let seen = instance(&complete().instance_type(Type::from("z99q.mega")).build()).unwrap();
    assert_eq!(seen.pool.instance_type.as_str(), "z99q.mega");
}
