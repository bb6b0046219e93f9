use super::*;

fn reasons(codes: &[&str]) -> Vec<CancellationReason> {
    codes.iter().map(|code| CancellationReason::builder().code(*code).build()).collect()
}

#[test]
fn a_failed_condition_is_lost_even_beside_a_conflict() {
    let outcome = cancellation(&reasons(&["None", "TransactionConflict", "ConditionalCheckFailed"]));
    assert!(matches!(outcome, Ok(Written::Lost(None))), "{outcome:?}");
}

#[test]
fn a_transaction_in_another_ones_way_has_written_nothing() {
    assert!(matches!(cancellation(&reasons(&["TransactionConflict", "None"])), Ok(Written::Busy)));
}

#[test]
fn a_throttled_transaction_may_be_tried_again() {
    assert!(matches!(cancellation(&reasons(&["None", "ThrottlingError"])), Err(StoreError::Throttled)));
    assert!(matches!(cancellation(&reasons(&["ProvisionedThroughputExceeded"])), Err(StoreError::Throttled)));
}

#[test]
fn an_item_that_is_too_large_is_refused_for_good() {
    assert!(matches!(cancellation(&reasons(&["ValidationError"])), Err(StoreError::Refused(_))));
    assert!(matches!(cancellation(&[]), Err(StoreError::Refused(_))));
}

#[test]
fn a_server_error_says_nothing_about_the_write() {
    assert!(matches!(by_code("InternalServerError", "", 500), StoreError::Ambiguous(_)));
    assert!(matches!(by_code("ValidationException", "", 400), StoreError::Refused(_)));
    assert!(matches!(by_code("ThrottlingException", "", 400), StoreError::Throttled));
}
