//! Kills for lack of memory.

use super::laws::watched;
use crate::rightsizing::advise::{Autoscaled, Facts, advise};
use crate::rightsizing::oom::{Remedy, raised, remedy, unseen};
use domain::sizing::{Sizes, WorkloadPolicy};
use domain::usage::{OomKill, Usage};

const MIB: u64 = 1 << 20;
const NOW: i64 = 20_000 * 86_400;

fn kill(restarts: u32, request: u64, limit: Option<u64>) -> OomKill {
    OomKill {
        pod_uid: "pod-1".to_owned(),
        container: "web".to_owned(),
        restarts,
        finished_s: NOW + i64::from(restarts),
        request: Some(request * MIB),
        limit: limit.map(|limit| limit * MIB),
    }
}

fn sizes(request: u64, limit: Option<u64>) -> Sizes {
    Sizes { memory_request: Some(request * MIB), memory_limit: limit.map(|limit| limit * MIB), ..Sizes::default() }
}

fn answer(usage: &mut Usage, kills: &[OomKill], current: &Sizes) -> Option<Remedy> {
    let fresh = unseen(usage, kills);
    remedy(usage, &fresh, current, None, &WorkloadPolicy::default(), NOW)
}

fn raise(of: Option<Remedy>) -> Sizes {
    match of {
        Some(Remedy::Raise { to, .. }) => to,
        other => panic!("{other:?}"),
    }
}

#[test]
fn memory_is_raised_by_a_fifth_of_the_larger_of_request_and_peak() {
    let to = raise(answer(&mut Usage::default(), &[kill(1, 1_000, Some(1_000))], &sizes(1_000, Some(1_000))));
    assert_eq!((to.memory_request, to.memory_limit), (Some(1_200 * MIB), Some(1_200 * MIB)));
    // The peak was seen above the request: it counts.
    let (mut usage, now) = watched(1, |_| 100, |_| 1_500);
    let kills = [OomKill { finished_s: now, ..kill(1, 1_000, Some(2_000)) }];
    let fresh = unseen(&mut usage, &kills);
    let to = raise(remedy(&mut usage, &fresh, &sizes(1_000, Some(2_000)), None, &WorkloadPolicy::default(), now));
    assert_eq!((to.memory_request, to.memory_limit), (Some(1_800 * MIB), Some(2_300 * MIB)));
    // Without a limit, none is invented.
    let to = raise(answer(&mut Usage::default(), &[kill(1, 100, None)], &sizes(100, None)));
    assert_eq!((to.memory_request, to.memory_limit), (Some(120 * MIB), None));
}

#[test]
fn a_kill_counts_once_however_often_it_is_seen() {
    let mut usage = Usage::default();
    let seen = kill(1, 100, Some(100));
    assert!(answer(&mut usage, &[seen.clone(), seen.clone()], &sizes(100, Some(100))).is_some());
    usage = Usage::decode(&usage.encode()).unwrap();
    assert_eq!(answer(&mut usage, std::slice::from_ref(&seen), &sizes(100, Some(100))), None);
    for other in [
        OomKill { restarts: 2, ..seen.clone() },
        OomKill { finished_s: seen.finished_s + 1, ..seen.clone() },
        OomKill { pod_uid: "pod-2".to_owned(), ..seen.clone() },
        OomKill { container: "side".to_owned(), ..seen.clone() },
    ] {
        assert_eq!(unseen(&mut usage, std::slice::from_ref(&other)).len(), 1, "{other:?}");
    }
}

#[test]
fn kills_of_pods_from_before_the_raise_are_mended_already() {
    let made = answer(&mut Usage::default(), &[kill(3, 100, Some(100))], &sizes(120, Some(120)));
    assert_eq!(made, Some(Remedy::Mended));
}

#[test]
fn what_was_killed_before_the_last_raise_was_answered_by_it() {
    // Whoever raised died before the kill was counted; the pod was resized in place and shows what it has by now.
    let mut usage = Usage::default();
    raised(&mut usage, NOW + 10);
    assert_eq!(answer(&mut usage, &[kill(1, 120, Some(120))], &sizes(120, Some(120))), Some(Remedy::Mended));
    let later = OomKill { finished_s: NOW + 11, ..kill(2, 120, Some(120)) };
    assert_eq!(raise(answer(&mut usage, &[later], &sizes(120, Some(120)))).memory_limit, Some(144 * MIB));
}

#[test]
fn repeated_raises_and_a_full_cap_are_called_a_leak() {
    let mut usage = Usage::default();
    for _ in 0..3 {
        raised(&mut usage, NOW - 60);
    }
    assert!(matches!(answer(&mut usage, &[kill(9, 100, Some(100))], &sizes(100, Some(100))), Some(Remedy::LikelyLeak { .. })));
    // A day later it may be raised again.
    let mut usage = Usage { raises_s: vec![NOW - 86_400; 3], ..Usage::default() };
    raise(answer(&mut usage, &[kill(9, 100, Some(100))], &sizes(100, Some(100))));

    let capped = |cap: u64, now: u64| {
        let mut usage = Usage::default();
        let kills = [kill(1, now, Some(now))];
        let fresh = unseen(&mut usage, &kills);
        remedy(&mut usage, &fresh, &sizes(now, Some(now)), Some(cap * MIB), &WorkloadPolicy::default(), NOW)
    };
    assert_eq!(raise(capped(110, 100)).memory_limit, Some(110 * MIB), "up to the cap, and not beyond");
    assert!(matches!(capped(110, 110), Some(Remedy::LikelyLeak { .. })));
}

#[test]
fn the_memory_at_which_it_was_killed_is_not_undercut_for_a_month() {
    let (mut usage, now) = watched(7, |_| 100, |_| 100);
    let kills = [OomKill { finished_s: now, ..kill(1, 500, Some(500)) }];
    let fresh = unseen(&mut usage, &kills);
    raise(remedy(&mut usage, &fresh, &sizes(500, Some(500)), None, &WorkloadPolicy::default(), now));
    let of = super::laws::shop();
    let advice = |now_s: i64, usage: &Usage| {
        let facts = Facts {
            of: &of,
            current: sizes(600, Some(600)),
            usage,
            replicas: 2,
            autoscaled: Autoscaled::By { cpu: false, memory: false },
            prices: None,
            interval_s: 300,
            now_s,
        };
        advise(&facts, &WorkloadPolicy::default()).0.unwrap().target.memory_request.unwrap()
    };
    assert_eq!(advice(now + 60, &usage), 600 * MIB);
    usage.floor_until_s = now + 30;
    assert!(advice(now + 60, &usage) < 200 * MIB);
}

#[test]
fn a_container_that_never_lived_long_enough_for_a_sample_gets_memory_all_the_same() {
    let to = raise(answer(&mut Usage::default(), &[kill(1, 64, Some(64))], &sizes(64, Some(64))));
    assert!(to.memory_limit.unwrap() > 64 * MIB);
}

#[test]
fn more_kills_than_are_remembered_do_not_bring_the_first_ones_back_while_they_are_few() {
    let mut usage = Usage::default();
    for restarts in 0..100 {
        assert_eq!(unseen(&mut usage, &[kill(restarts, 1, None)]).len(), 1);
        assert_eq!(unseen(&mut usage, &[kill(restarts, 1, None)]).len(), 0);
    }
    assert_eq!(usage.ooms.len(), domain::usage::OOMS_KEPT);
}
