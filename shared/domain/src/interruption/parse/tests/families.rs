//! Bodies of the same families that the files do not show.

use super::*;

const ID: &str = "i-1234567890abcdef0";

/// A body of the files with some of its fields replaced; `null` removes one.
fn changed(name: &str, changes: Value) -> String {
    fn merge(into: &mut Value, changes: &Value) {
        for (key, change) in changes.as_object().unwrap() {
            if change.is_null() {
                into.as_object_mut().unwrap().remove(key);
            } else if change.is_object() && into[key].is_object() {
                merge(&mut into[key], change);
            } else {
                into[key] = change.clone();
            }
        }
    }
    let mut body: Value = serde_json::from_str(&file(name)).unwrap();
    merge(&mut body, &changes);
    body.to_string()
}

fn read(body: &str) -> Message {
    parse(body, &received())
}

fn acted_on(body: &str) -> Notice {
    let message = read(body);
    let Message::Notice(notice) = message else { panic!("{message:?}") };
    *notice
}

#[test]
fn hibernation_leaves_less_than_two_minutes() {
    let notice = acted_on(&changed("spot_interruption_terminate.json", json!({"detail": {"instance-action": "hibernate"}})));
    assert_eq!(notice.takeback, Takeback::Hibernate);
    assert!(notice.deadline.unwrap() < notice.at + SPOT_NOTICE);
}

#[test]
fn part_of_a_state_is_no_state_and_drains_nothing() {
    for state in [json!("stop"), json!(""), json!(" terminated"), json!("stopped,terminated"), json!(1), json!(["stopped"]), Value::Null] {
        let body = changed("state_change_stopped.json", json!({"detail": {"state": state}}));
        assert!(matches!(read(&body), Message::Ignored { copy: Copy::ToDeadLetters, .. }), "{body}");
    }
}

#[test]
fn states_are_read_whatever_their_case_and_say_whether_the_instance_is_gone() {
    for (state, takeback) in [
        ("Stopping", Takeback::Underway),
        ("SHUTTING-DOWN", Takeback::Underway),
        ("Stopped", Takeback::Gone),
        ("terminated", Takeback::Gone),
    ] {
        assert_eq!(acted_on(&changed("state_change_stopped.json", json!({"detail": {"state": state}}))).takeback, takeback, "{state}");
    }
}

#[test]
fn a_replay_is_never_acted_on_whichever_event_it_repeats() {
    for name in ["rebalance_recommendation.json", "state_change_terminated.json", "asg_terminate_lifecycle.json"] {
        assert!(matches!(read(&changed(name, json!({"replay-name": "r"}))), Message::Ignored { copy: Copy::No, .. }), "{name}");
    }
}

#[test]
fn an_organisation_view_is_for_the_affected_account() {
    let body = changed("health_scheduled_change_retirement.json", json!({"account": "999999999999"}));
    assert_eq!(acted_on(&body).account.as_str(), "123456789012");
}

#[test]
fn only_instances_are_taken_from_a_health_event_and_each_once() {
    let entities =
        json!([{"entityValue": "h-0123456789abcdef0"}, {"entityValue": ID}, {}, 7, {"entityValue": ID}, {"entityValue": "i-../x"}]);
    let body = changed("health_scheduled_change_retirement.json", json!({"detail": {"affectedEntities": entities}}));
    let ids: Vec<String> = acted_on(&body).instances.iter().map(ToString::to_string).collect();
    assert_eq!(ids, [ID]);
}

#[test]
fn a_later_page_of_a_health_event_is_read_like_the_first() {
    let body = changed("health_multi_entity.json", json!({"detail": {"page": "2", "totalPages": "3", "communicationId": "c-1-2"}}));
    assert_eq!(acted_on(&body).instances.len(), 3);
}

#[test]
fn a_health_date_beyond_belief_is_no_deadline() {
    for date in ["Thu, 30 Dec 9999 21:59:59 GMT", "soon", "Sat, 28 Mar 1926 10:00:00 GMT"] {
        let body = changed("health_scheduled_change_retirement.json", json!({"detail": {"startTime": date}}));
        assert_eq!(acted_on(&body).deadline, None, "{date}");
    }
}

#[test]
fn an_instance_that_goes_to_the_warm_pool_is_drained_and_its_hook_completed() {
    let notice = acted_on(&changed("asg_terminate_lifecycle.json", json!({"detail": {"Destination": "WarmPool"}})));
    assert_eq!((notice.kind, notice.lifecycle.unwrap().hook), (NoticeKind::AsgTerminate, "my-lifecycle-hook".to_owned()));
}

#[test]
fn a_direct_lifecycle_message_is_in_the_region_of_its_topic_or_queue_and_useless_without() {
    assert_eq!(acted_on(&file("asg_terminate_direct_to_sqs.json")).region.as_str(), "us-east-2");
    let elsewhere = changed("wrap_sns_asg_terminate.json", json!({"TopicArn": "arn:aws:sns:eu-west-1:123456789012:t"}));
    assert_eq!(acted_on(&elsewhere).region.as_str(), "eu-west-1");
    let nowhere = Received { region: None, ..received() };
    assert!(matches!(parse(&file("asg_terminate_direct_to_sqs.json"), &nowhere), Message::Rejected { .. }));
}

#[test]
fn what_auto_scaling_reports_directly_is_ordinary_traffic() {
    let launched = json!({"Service": "AWS Auto Scaling", "Event": "autoscaling:EC2_INSTANCE_LAUNCH", "EC2InstanceId": ID, "AccountId": "123456789012"});
    assert!(matches!(read(&launched.to_string()), Message::Ignored { copy: Copy::No, .. }));
}

#[test]
fn a_reservation_is_found_under_each_spelling_and_without_a_region_by_its_arn() {
    for spelling in ["EC2 Capacity Reservation Instance Interruption Warning", "EC2 Capacity Reservation Interruption Warning"] {
        for (here, gone) in [("detail-type", "detail_type"), ("detail_type", "detail-type")] {
            let body = changed("capacity_reservation_interruption.json", json!({gone: null, here: spelling}));
            assert_eq!(acted_on(&body).kind, NoticeKind::CapacityReservationInterruption, "{body}");
        }
    }
    for queue in [None, Region::parse("eu-west-1").ok()] {
        let received = Received { region: queue, ..received() };
        let Message::Notice(block) = parse(&file("capacity_block_expiration_warning.json"), &received) else { panic!() };
        assert_eq!((block.region.as_str(), block.reservation.as_deref()), ("us-east-2", Some("cr-0123456789abcdef0")));
    }
}

#[test]
fn an_id_is_never_taken_from_the_resources() {
    let body = changed("spot_interruption_terminate.json", json!({"detail": {"instance-id": null}}));
    assert!(body.contains(ID) && matches!(read(&body), Message::Rejected { .. }));
}

#[test]
fn sns_is_unwrapped_once_and_not_twice() {
    let once = json!({"Type": "Notification", "Message": file("spot_interruption_terminate.json")}).to_string();
    assert_eq!(acted_on(&once).kind, NoticeKind::SpotInterruption);
    let twice = json!({"Type": "Notification", "Message": once}).to_string();
    assert!(matches!(read(&twice), Message::Rejected { .. }));
    assert!(matches!(read(&json!({"Type": "SubscriptionConfirmation", "Message": "m"}).to_string()), Message::Rejected { .. }));
}

#[test]
fn a_launch_that_failed_for_another_reason_than_capacity_says_nothing_about_capacity() {
    let failed = |why: &str| read(&changed("asg_launch_unsuccessful.json", json!({"detail": {"StatusMessage": why}})));
    assert!(matches!(failed("You have exceeded your vCPU limit"), Message::Ignored { copy: Copy::No, .. }));
    assert!(matches!(failed("We currently do not have sufficient m5.large capacity"), Message::NoCapacity { zone: Some(_), .. }));
}

#[test]
fn a_large_body_is_read_and_of_two_equal_keys_one_counts() {
    let large = changed("spot_interruption_terminate.json", json!({"padding": "x".repeat(300_000)}));
    assert_eq!(acted_on(&large).kind, NoticeKind::SpotInterruption);
    let other = format!("\"instance-id\": \"{ID}\", \"instance-id\": \"i-0eeeeeeeeeeeeeee1\"");
    let body = file("spot_interruption_terminate.json").replace(&format!("\"instance-id\": \"{ID}\""), &other);
    assert_eq!(acted_on(&body).instances.len(), 1);
}
