//! What an error of DynamoDB means to us: whether it happened, and whether to try again.

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, CancellationReason};
use domain::ports::StoreError;
use std::collections::HashMap;

/// What came of a conditional write that DynamoDB answered.
#[derive(Debug)]
pub(super) enum Written {
    /// It is written.
    Yes,
    /// A condition did not hold. What stands there instead, where DynamoDB says so.
    Lost(Option<HashMap<String, AttributeValue>>),
    /// Another transaction had one of the items in hand. Nothing is written.
    Busy,
}

/// Any error of a call.
pub(super) fn store_error<E: ProvideErrorMetadata>(error: &SdkError<E>) -> StoreError {
    match error {
        SdkError::ConstructionFailure(_) => StoreError::Refused(error.to_string()),
        SdkError::ServiceError(service) => {
            let code = service.err().code().unwrap_or("unknown error");
            by_code(code, service.err().message().unwrap_or("no message"), service.raw().status().as_u16())
        }
        SdkError::DispatchFailure(failure) if failure.is_user() => StoreError::Refused(error.to_string()),
        // Timeouts, resets, answers that cannot be read, and what later versions of the SDK add: it may have happened.
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) | _ => {
            StoreError::Ambiguous(error.to_string())
        }
    }
}

fn by_code(code: &str, message: &str, status: u16) -> StoreError {
    match code {
        "ConditionalCheckFailedException" => StoreError::Conflict,
        "ProvisionedThroughputExceededException"
        | "ThrottlingException"
        | "ThrottlingError"
        | "RequestLimitExceeded"
        | "TransactionConflictException"
        | "ReplicatedWriteConflictException"
        | "ProvisionedThroughputExceeded" => StoreError::Throttled,
        // The same transaction, sent by an earlier try of ours, is still under way.
        "TransactionInProgressException" => StoreError::Ambiguous(code.to_owned()),
        _ if status >= 500 => StoreError::Ambiguous(format!("{code}: {message}")),
        _ => StoreError::Refused(format!("{code}: {message}")),
    }
}

/// The answer to one write on a condition: one that did not hold is an answer, not an error. `there` takes what stands there instead out of it.
pub(super) fn conditional<T, E: ProvideErrorMetadata>(
    answer: Result<T, SdkError<E>>,
    there: impl FnOnce(E) -> Option<HashMap<String, AttributeValue>>,
) -> Result<Written, StoreError> {
    match answer {
        Ok(_) => Ok(Written::Yes),
        Err(SdkError::ServiceError(service)) if service.err().code() == Some("ConditionalCheckFailedException") => {
            Ok(Written::Lost(there(service.into_err())))
        }
        Err(SdkError::ServiceError(service)) if service.err().code() == Some("TransactionConflictException") => Ok(Written::Busy),
        Err(error) => Err(store_error(&error)),
    }
}

/// An error of a transaction: a condition that did not hold is an answer, not an error.
pub(super) fn transaction(error: SdkError<TransactWriteItemsError>) -> Result<Written, StoreError> {
    if let SdkError::ServiceError(service) = &error
        && let TransactWriteItemsError::TransactionCanceledException(cancelled) = service.err()
    {
        return cancellation(cancelled.cancellation_reasons());
    }
    Err(store_error(&error))
}

/// The reasons, one per item. A failed condition goes first: it is a fact, while a conflict may be over by now.
fn cancellation(reasons: &[CancellationReason]) -> Result<Written, StoreError> {
    let find = |code: &str| reasons.iter().find(|r| r.code() == Some(code));
    if let Some(reason) = find("ConditionalCheckFailed") {
        return Ok(Written::Lost(reason.item().cloned()));
    }
    if find("TransactionConflict").is_some() {
        return Ok(Written::Busy);
    }
    let other = reasons.iter().find(|r| r.code().is_some_and(|code| code != "None"));
    let code = other.and_then(CancellationReason::code).unwrap_or("TransactionCanceledException");
    Err(by_code(code, other.and_then(CancellationReason::message).unwrap_or("no reason given"), 400))
}

#[cfg(test)]
mod tests;
