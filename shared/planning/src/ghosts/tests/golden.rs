//! The golden cases: our own rules where we have the same one, the others' where we must be no more eager.

use super::make::at;
use super::peers;
use crate::ghosts::tags::{Tags, UntilExpiry, left_alone, of_cluster, owned};
use crate::ghosts::{tolerated, unhealthy};
use domain::SignedDuration;
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("../../../../../conformance/ghost_instances.json")).unwrap()
}

fn cases<'a>(golden: &'a Value, path: &[&str]) -> impl Iterator<Item = &'a Value> {
    let rows = path.iter().fold(golden, |value, key| &value[*key]).as_array().unwrap();
    assert!(!rows.is_empty());
    rows.iter()
}

fn tags(case: &Value) -> Tags {
    case["tags"].as_object().unwrap().iter().map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned())).collect()
}

fn minutes(case: &Value, name: &str) -> SignedDuration {
    SignedDuration::from_mins(case[name].as_i64().unwrap())
}

fn count(case: &Value, name: &str) -> Option<u32> {
    case[name].as_u64().map(|n| u32::try_from(n).unwrap())
}

#[test]
fn a_cluster_owns_what_its_tags_say() {
    let golden = golden();
    let default = golden["cluster_tag_ownership"]["cluster"].as_str().unwrap();
    let cluster = |case: &'_ Value| case["cluster"].as_str().unwrap_or(default).to_owned();
    for case in cases(&golden, &["cluster_tag_ownership", "has_cluster_tag"]) {
        assert_eq!(of_cluster(&cluster(case), &tags(case)), Ok(case["has"].as_bool().unwrap()), "{case}");
    }
    for case in cases(&golden, &["cluster_tag_ownership", "owned"]) {
        let found = owned(&cluster(case), &tags(case));
        match case["owned"].as_bool() {
            Some(wanted) => assert_eq!(found, Ok(wanted), "{case}"),
            None => assert!(found.is_err(), "{case}"),
        }
    }
}

#[test]
fn tags_of_other_cleaners_protect() {
    let now = at(0);
    for case in cases(&golden(), &["nuke_filters", "cases"]) {
        let moment = |value: String| match value.strip_prefix("now") {
            Some("") => now.to_string(),
            Some(later) => {
                let hours: i64 = later.trim_start_matches('+').trim_end_matches('h').parse().unwrap();
                (now + SignedDuration::from_hours(hours)).to_string()
            }
            None => value,
        };
        let tags = tags(case).into_iter().map(|(key, value)| (key, moment(value))).collect();
        let until = if case["protect_until_expire"] == false { UntilExpiry::Ignored } else { UntilExpiry::Protects };
        assert_eq!(left_alone(&tags, now, until).is_none(), case["include"].as_bool().unwrap(), "{case}");
    }
}

#[test]
fn shares_are_rounded_up_and_an_unhealthy_cluster_is_left_alone() {
    let golden = golden();
    let percent = count(&golden["karpenter_repair"], "allowed_unhealthy_percent").unwrap();
    for case in cases(&golden, &["karpenter_repair", "cases"]) {
        assert_eq!(tolerated(count(case, "nodes").unwrap(), percent), count(case, "max_unhealthy_still_repaired").unwrap(), "{case}");
    }
    let stop = &golden["cluster_autoscaler_unregistered"]["health_stop"];
    let always = usize::try_from(stop["ok_total_unready_count"].as_u64().unwrap()).unwrap();
    let share = usize::try_from(stop["max_total_unready_percentage"].as_u64().unwrap()).unwrap();
    for nodes in 1..200 {
        for unready in 0..=nodes {
            assert_eq!(unhealthy(unready, nodes), unready > always && unready * 100 > share * nodes, "{unready} of {nodes}");
        }
    }
}

#[test]
fn a_group_loses_no_more_than_it_has_room_for() {
    for case in cases(&golden(), &["cluster_autoscaler_unregistered", "cases"]) {
        let found = peers::autoscaler_removes(
            count(case, "unregistered").unwrap_or(1),
            minutes(case, "first_seen_age_min"),
            minutes(case, "max_provision_min"),
            count(case, "target").unwrap(),
            count(case, "min").unwrap(),
        );
        assert_eq!(found, count(case, "remove").unwrap(), "{case}");
    }
}

#[test]
fn the_others_decide_as_they_do() {
    let golden = golden();
    for case in cases(&golden, &["karpenter_instance_gc", "cases"]) {
        let all = || peers::LISTED_BY.map(str::to_owned).to_vec();
        let tags = case["tags"].as_array().map_or_else(all, |tags| tags.iter().map(|t| t.as_str().unwrap().to_owned()).collect());
        let age = SignedDuration::from_secs(case["age_s"].as_i64().unwrap());
        let ends = peers::karpenter_ends(&tags, age, case["nodeclaim"].as_bool().unwrap());
        assert_eq!(ends, case["terminate"].as_bool().unwrap(), "{case}");
        if let Some(node_goes) = case["delete_node"].as_bool() {
            assert_eq!(ends && case["node"] == true, node_goes, "{case}");
        }
    }
    for case in cases(&golden, &["karpenter_nodeclaim_gc", "cases"]) {
        let forgets = peers::karpenter_forgets(case["registered"] == true, case["instance"] == true, case["node"].as_str());
        assert_eq!(forgets, case["delete"].as_bool().unwrap(), "{case}");
    }
    for case in cases(&golden, &["cloud_node_lifecycle", "instance_exists"]) {
        let text = |name: &str| case[name].as_str();
        // A Fargate node is looked up in a list of its own; whether it is in there is what the case says.
        let found = peers::exists(text("provider_id"), text("api"), text("state"), case["exists"].as_bool());
        assert_eq!(found, case["exists"].as_bool(), "{case}");
    }
    for case in cases(&golden, &["cloud_node_lifecycle", "node_action"]) {
        let action = peers::node_action(case["ready"].as_str().unwrap(), case["cloud"].as_str().unwrap());
        assert!(case["action"].as_str().unwrap().starts_with(action), "{case}");
    }
}

#[test]
fn our_bounds_are_wider_than_those_of_the_others() {
    let golden = golden();
    let longest = golden["karpenter_liveness"]["registration_timeout_s"].as_i64().unwrap();
    assert!(crate::ghosts::AGE_MIN > SignedDuration::from_secs(longest));
    let tolerations = golden["karpenter_repair"]["toleration_min"].as_object().unwrap().values();
    let most = tolerations.map(|minutes| minutes.as_i64().unwrap()).max().unwrap();
    assert!(crate::ghosts::AGE_MIN > SignedDuration::from_mins(most));
}
