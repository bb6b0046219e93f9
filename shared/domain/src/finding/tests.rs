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
