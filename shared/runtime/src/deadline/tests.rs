use super::*;
use async_trait::async_trait;

struct At(i64);

#[async_trait]
impl Clock for At {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.0).unwrap()
    }
    async fn sleep(&self, _duration: SignedDuration) {}
}

#[test]
fn an_invocation_stops_a_margin_before_lambda_stops_it() {
    let budget = Budget::from_lambda(1_020_000, SignedDuration::from_secs(3));
    assert_eq!(budget.left(&At(1_000)), SignedDuration::from_secs(17));
    assert!(!budget.spent(&At(1_016)));
    assert!(budget.spent(&At(1_017)));
    assert_eq!(budget.left(&At(2_000)), SignedDuration::ZERO);
}

#[test]
fn a_deadline_that_is_no_time_leaves_nothing() {
    assert!(Budget::from_lambda(u64::MAX, SignedDuration::ZERO).spent(&At(1_000)));
    assert!(Budget::from_lambda(0, SignedDuration::from_secs(3)).spent(&At(1_000)));
}

#[test]
fn without_lambda_a_budget_lasts_as_long_as_asked() {
    assert_eq!(Budget::lasting(&At(50), SignedDuration::from_secs(20)).left(&At(60)), SignedDuration::from_secs(10));
}
