use super::*;
use aws_sdk_ec2::types::{EbsInstanceBlockDevice, InstanceBlockDeviceMapping, Tag};

fn with_tags(tags: &[(&str, &str)]) -> types::Instance {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(*key).value(*value).build()).collect();
    types::Instance::builder().set_tags(Some(tags)).build()
}

#[test]
fn an_instance_of_a_launch_template_is_made_from_it_again() {
    let instance = with_tags(&[(TEMPLATE_ID, "lt-1"), (TEMPLATE_VERSION, "3"), ("Name", "worker")]);
    let expected = NodeTemplate::LaunchTemplate { id: "lt-1".to_owned(), version: "3".to_owned() };
    assert_eq!(launch_template(&instance), Some(expected));
}

#[test]
fn a_version_that_can_change_is_no_launch_template() {
    assert_eq!(launch_template(&with_tags(&[(TEMPLATE_ID, "lt-1"), (TEMPLATE_VERSION, "$Latest")])), None);
    assert_eq!(launch_template(&with_tags(&[(TEMPLATE_ID, "lt-1")])), None);
    assert_eq!(launch_template(&with_tags(&[])), None);
}

#[test]
fn tags_of_aws_are_not_repeated() {
    let instance = with_tags(&[("aws:autoscaling:groupName", "workers"), ("kubernetes.io/cluster/production", "owned")]);
    assert_eq!(repeated(instance.tags()), [("kubernetes.io/cluster/production".to_owned(), "owned".to_owned())]);
}

#[test]
fn the_root_volume_is_the_one_at_the_root_device() {
    let mapping = |device: &str, volume: &str| {
        let ebs = EbsInstanceBlockDevice::builder().volume_id(volume).build();
        InstanceBlockDeviceMapping::builder().device_name(device).ebs(ebs).build()
    };
    let instance = types::Instance::builder()
        .root_device_name("/dev/xvda")
        .block_device_mappings(mapping("/dev/sdb", "vol-data"))
        .block_device_mappings(mapping("/dev/xvda", "vol-root"))
        .build();
    assert_eq!(root_of(&instance), Some(("/dev/xvda", "vol-root")));
    assert_eq!(root_of(&types::Instance::builder().build()), None);
}
