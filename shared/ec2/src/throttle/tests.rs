use super::*;

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn a_burst_goes_through_at_once_and_the_next_call_waits_for_one_token() {
    let mut bucket = Bucket::default();
    for _ in 0..LAUNCH.burst {
        assert_eq!(bucket.take(LAUNCH, SECOND), Some(Duration::ZERO));
    }
    assert_eq!(bucket.take(LAUNCH, SECOND), Some(SECOND));
}

#[test]
fn a_call_that_would_wait_too_long_takes_no_token() {
    let mut bucket = Bucket::default();
    let taken = (0..10).filter(|_| bucket.take(LAUNCH, SECOND).is_some()).count();
    assert_eq!(taken, 4, "a burst of two, and two that wait one and two seconds");
    assert_eq!(bucket.take(LAUNCH, SECOND * 2), Some(WAIT_MAX));
}

#[test]
fn a_quiet_bucket_fills_up_but_never_over() {
    let mut bucket = Bucket::default();
    for second in [0, 1, 2, 3, 60, 61, 3_600] {
        assert_eq!(bucket.take(LAUNCH, SECOND * second), Some(Duration::ZERO));
    }
    let at_once = (0..10).filter(|_| bucket.take(LAUNCH, SECOND * 7_200) == Some(Duration::ZERO)).count();
    assert_eq!(at_once, 2);
}

#[tokio::test]
async fn launches_do_not_use_up_the_reads() {
    let buckets = Buckets::default();
    for _ in 0..LAUNCH.burst {
        buckets.take(Call::Launch).await.unwrap();
    }
    for _ in 0..DESCRIBE.burst {
        buckets.take(Call::Describe).await.unwrap();
    }
    buckets.take(Call::Terminate).await.unwrap();
}

/// What AWS publishes: tokens of a full bucket, and tokens per second. See the sources at the head of the module.
const PUBLISHED: [(Rate, u32, u32); 4] = [(DESCRIBE, 100, 20), (LAUNCH, 5, 2), (TERMINATE, 100, 5), (BALANCING, 40, 10)];

/// Greedy for an hour: as much as the bucket gives without a wait. What was taken up to any second is at most half of what the
/// account's own bucket would have given up to then.
#[test]
fn a_process_never_takes_more_than_half_of_an_accounts_budget() {
    for (rate, burst, per_second) in PUBLISHED {
        let mut bucket = Bucket::default();
        let mut taken = 0_u32;
        for second in 0..3_600 {
            while bucket.take(rate, SECOND * second) == Some(Duration::ZERO) {
                taken += 1;
            }
            // The token that came with a wait is not taken, or it would be counted a second early.
            bucket.full_at = bucket.full_at.saturating_sub(rate.refill);
            let account = burst + per_second * second;
            assert!(taken * 2 <= account, "{rate:?} at {second} s: {taken} of {account}");
        }
        assert!(taken * 3 > per_second * 3_600, "{rate:?} uses its half: {taken}");
    }
}
