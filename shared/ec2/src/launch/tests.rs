use super::*;
use domain::ids::{InstanceType, SubnetId, Zone};
use domain::offering::{Offering, Pool};

fn request(capacity: CapacityType, user_data: Option<&str>) -> LaunchRequest {
    LaunchRequest {
        client_token: "token".to_owned(),
        template: NodeTemplate::Clone {
            from: InstanceId::parse("i-0123456789abcdef0").unwrap(),
            image: "ami-1".to_owned(),
            security_groups: vec!["sg-1".to_owned()],
            instance_profile: Some("arn:aws:iam::111122223333:instance-profile/node".to_owned()),
            key_name: None,
            user_data: user_data.map(ToOwned::to_owned),
            root_volume: Some(RootVolume { device: "/dev/xvda".to_owned(), size_gib: 20, volume_type: "gp3".to_owned(), encrypted: false }),
            tags: vec![
                ("aws:autoscaling:groupName".to_owned(), "workers".to_owned()),
                ("Name".to_owned(), "old".to_owned()),
                ("kubernetes.io/cluster/production".to_owned(), "owned".to_owned()),
            ],
        },
        offering: Offering {
            pool: Pool { instance_type: InstanceType::parse("m6i.large").unwrap(), zone: Zone::parse("us-east-1a").unwrap(), capacity },
            subnet: SubnetId::parse("subnet-1").unwrap(),
            price_per_hour: None,
        },
        tags: [("Name".to_owned(), "new".to_owned())].into(),
    }
}

fn client() -> aws_sdk_ec2::Client {
    aws_sdk_ec2::Client::from_conf(aws_sdk_ec2::Config::builder().behavior_version(aws_sdk_ec2::config::BehaviorVersion::latest()).build())
}

#[test]
fn a_copy_without_user_data_is_refused_with_a_reason() {
    for user_data in [None, Some("")] {
        let refused = from_template(client().run_instances(), &request(CapacityType::Spot, user_data).template);
        let Err(CloudError::Refused(why)) = refused else { panic!("must be refused") };
        assert!(why.contains("i-0123456789abcdef0") && why.contains("user data"), "{why}");
    }
}

#[test]
fn a_copy_repeats_image_groups_profile_and_root_volume() {
    let call = from_template(client().run_instances(), &request(CapacityType::Spot, Some("ZGF0YQ==")).template).unwrap();
    let input = call.as_input();
    assert_eq!(input.get_image_id().as_deref(), Some("ami-1"));
    assert_eq!(input.get_security_group_ids().as_deref(), Some(["sg-1".to_owned()].as_slice()));
    assert_eq!(input.get_user_data().as_deref(), Some("ZGF0YQ=="));
    let profile = input.get_iam_instance_profile().as_ref().unwrap();
    assert_eq!((profile.arn(), profile.name()), (Some("arn:aws:iam::111122223333:instance-profile/node"), None));
    let ebs = input.get_block_device_mappings().as_ref().unwrap()[0].ebs().unwrap();
    assert_eq!((ebs.volume_size(), ebs.encrypted()), (Some(20), None));
}

#[test]
fn a_spot_request_asks_once_and_is_terminated_when_taken_back() {
    assert_eq!(market(CapacityType::OnDemand), None);
    let options = market(CapacityType::Spot).unwrap();
    let spot = options.spot_options().unwrap();
    assert_eq!(spot.spot_instance_type(), Some(&SpotInstanceType::OneTime));
    assert_eq!(spot.instance_interruption_behavior(), Some(&InstanceInterruptionBehavior::Terminate));
    assert_eq!(spot.max_price(), None, "a price limit only brings interruptions");
}

#[test]
fn tags_are_in_the_call_for_instance_and_volume_and_none_of_them_is_of_aws() {
    let tags = tags(&request(CapacityType::Spot, None));
    assert_eq!(tags.keys().collect::<Vec<_>>(), ["Name", "kubernetes.io/cluster/production"]);
    assert_eq!(tags["Name"], "new", "what is asked for goes over what is repeated");
    let kinds: Vec<_> = tag_specifications(&tags).iter().filter_map(|s| s.resource_type().cloned()).collect();
    assert_eq!(kinds, [ResourceType::Instance, ResourceType::Volume]);
    assert!(tag_specifications(&BTreeMap::new()).is_empty(), "EC2 refuses an empty list of tags");
}
