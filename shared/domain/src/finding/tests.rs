use super::*;
use jiff::SignedDuration;
use std::collections::BTreeSet;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn at(hours: i64) -> Timestamp {
    "2026-11-24T12:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hours)
}

fn seen(hours: i64) -> Finding {
    Finding::new(CustomerId::parse("acme").unwrap(), ClusterId::parse("prod").unwrap(), FindingKind::Ghost, "i-12345678", at(hours))
}

#[test]
fn each_kind_and_subject_of_a_cluster_has_an_id_of_its_own() {
    let clusters = ["prod", "prod-2"].map(|id| ClusterId::parse(id).unwrap());
    let ids: BTreeSet<FindingId> = clusters
        .iter()
        .flat_map(|cluster| KINDS.into_iter().flat_map(move |kind| ["a", "b"].map(|subject| Finding::id_of(cluster, kind, subject))))
        .collect();
    assert_eq!(ids.len(), clusters.len() * KINDS.len() * 2);
    assert!(ids.contains(&Finding::id_of(&clusters[0], FindingKind::Ghost, "a")));
}

#[test]
fn no_kind_is_the_beginning_of_another() {
    for kind in KINDS {
        assert_eq!(KINDS.iter().filter(|other| other.as_str().starts_with(kind.as_str())).count(), 1, "{kind:?}");
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
    }
}

#[test]
fn what_is_seen_again_keeps_its_first_sight_and_its_state() {
    let first = seen(0);
    let acting = first.with(FindingState::Acting { plan: PlanId::parse("p").unwrap() });
    let again = seen(2).seen_over(Some(&acting), HOUR).unwrap();
    assert_eq!((again.first_seen, again.last_seen, again.version), (at(0), at(2), 3));
    assert_eq!(again.state, acting.state);
}

#[test]
fn what_was_resolved_opens_anew() {
    let resolved = seen(0).with(FindingState::Resolved { at: at(1), why: "it is a node again".to_owned() });
    let again = seen(2).seen_over(Some(&resolved), HOUR).unwrap();
    assert_eq!((again.first_seen, again.state, again.version), (at(2), FindingState::Open, 3));
}

#[test]
fn the_same_words_are_not_written_again_within_the_hour() {
    let first = seen(0);
    assert_eq!(seen(0).seen_over(Some(&first), HOUR), None);
    assert!(seen(1).seen_over(Some(&first), HOUR).is_some());
    let told = Finding { evidence: vec!["new".to_owned()], ..seen(0) };
    assert!(told.seen_over(Some(&first), HOUR).is_some());
}

fn dismissed(evidence: &str) -> Finding {
    let said = Finding { evidence: vec![evidence.to_owned()], cost_per_month: Some(MicroDollars(70_080_000)), ..seen(0) };
    said.with(FindingState::Dismissed { by: "ops".to_owned(), at: at(0), why: "known".to_owned() })
}

#[test]
fn what_is_dismissed_stays_so_with_the_words_that_were_dismissed() {
    let before = dismissed("It uses 200m of 1000m.");
    let mut now = before.clone();
    // Little by little: each look is held against what the person saw, and not against the look before.
    for (hour, used) in [(1, 220), (2, 240), (3, 180)] {
        let look = Finding { evidence: vec![format!("It uses {used}m of 1000m.")], cost_per_month: before.cost_per_month, ..seen(hour) };
        now = look.seen_over(Some(&now), HOUR).unwrap();
        assert_eq!((&now.state, &now.evidence, now.last_seen), (&before.state, &before.evidence, at(hour)));
    }
    let look = Finding { evidence: vec!["It uses 280m of 1000m.".to_owned()], cost_per_month: before.cost_per_month, ..seen(4) };
    let again = look.clone().seen_over(Some(&now), HOUR).unwrap();
    assert_eq!((&again.state, &again.evidence, again.first_seen), (&FindingState::Open, &look.evidence, at(0)));
}

#[test]
fn what_is_dismissed_returns_when_it_costs_something_else_or_has_no_price_any_more() {
    let before = dismissed("It runs.");
    for cost in [Some(MicroDollars(140_160_000)), None] {
        let look = Finding { evidence: before.evidence.clone(), cost_per_month: cost, ..seen(0) };
        assert_eq!(look.seen_over(Some(&before), HOUR).unwrap().state, FindingState::Open, "{cost:?}");
    }
    let same = Finding { evidence: before.evidence.clone(), cost_per_month: before.cost_per_month, ..seen(0) };
    assert_eq!(same.seen_over(Some(&before), HOUR), None, "nothing new within the hour");
}
