use super::{Answer, BODY_MAX, Failure, LONGEST_WAIT, Patience, pause, plain, repeats};
use http::{HeaderValue, StatusCode};
use jiff::SignedDuration;
use std::time::Duration;

fn answer(status: u16) -> Result<Answer, Failure> {
    Ok(Answer { status: StatusCode::from_u16(status).unwrap(), retry_after: None, body: Vec::new() })
}

#[test]
fn an_overloaded_or_failing_server_is_asked_again() {
    for status in [429, 500, 502, 503, 504] {
        assert!(repeats(Patience::Quick, &answer(status)), "{status}");
        assert!(repeats(Patience::Page, &answer(status)), "{status}");
    }
    assert!(repeats(Patience::Quick, &Err(Failure::Timeout)));
}

#[test]
fn a_clear_answer_is_not_asked_for_again() {
    for status in [200, 201, 301, 400, 401, 403, 404, 409, 410, 422] {
        assert!(!repeats(Patience::Quick, &answer(status)), "{status}");
    }
}

#[test]
fn what_an_eviction_was_answered_is_the_drains_to_judge() {
    for status in [429, 500, 503, 504] {
        assert!(!repeats(Patience::Eviction, &answer(status)), "{status}");
    }
    assert!(!repeats(Patience::Eviction, &Err(Failure::Timeout)));
    assert!(repeats(Patience::Eviction, &Err(Failure::Broken(String::new()))));
}

#[test]
fn an_eviction_waits_longer_than_the_server_may_hold_it() {
    assert!(Patience::Eviction.limit() > Duration::from_secs(10));
}

#[test]
fn waits_grow_by_the_factor_and_stay_bounded() {
    for (tries, low, high) in [(1, 50, 100), (2, 100, 200), (3, 200, 400)] {
        let wait = pause(&answer(503), tries, 2);
        assert!((Duration::from_millis(low)..=Duration::from_millis(high)).contains(&wait), "{tries}: {wait:?}");
    }
    assert!(pause(&answer(503), 4_000_000_000, 4_000_000_000) <= LONGEST_WAIT);
}

#[test]
fn what_the_server_asks_for_counts_up_to_a_bound() {
    let asked = |seconds| {
        Ok(Answer { status: StatusCode::TOO_MANY_REQUESTS, retry_after: Some(SignedDuration::from_secs(seconds)), body: Vec::new() })
    };
    assert_eq!(pause(&asked(1), 1, 2), Duration::from_secs(1));
    assert_eq!(pause(&asked(1_000_000), 1, 2), LONGEST_WAIT);
}

#[test]
fn a_packed_answer_is_unpacked_and_no_further_than_an_answer_may_be_large() {
    let packed = HeaderValue::from_static("gzip");
    let unpacked = |bytes: &[u8]| plain(Some(&packed), https::gzip::pack(bytes).unwrap());
    assert_eq!(unpacked(b"{}").unwrap(), b"{}");
    assert_eq!(plain(None, b"{}".to_vec()).unwrap(), b"{}");
    assert!(matches!(unpacked(&vec![b' '; BODY_MAX + 1]), Err(Failure::TooLarge)));
    assert!(matches!(plain(Some(&packed), b"{}".to_vec()), Err(Failure::Broken(_))), "it is asked for again");
}
