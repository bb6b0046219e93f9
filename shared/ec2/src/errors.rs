//! What AWS answers, in our words. The difference that counts: did it happen, did it not, or is that unknown?

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use domain::ports::CloudError;
use std::error::Error;

/// AWS puts encoded documents of kilobytes into some messages.
const MESSAGE_MAX: usize = 300;

/// A failed call of any service.
pub(crate) fn from_sdk<E>(error: &SdkError<E>) -> CloudError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    // Credentials are fetched inside of the call; where that failed, the request never left.
    if let Some(error) = find::<CredentialsError>(error) {
        return from_credentials(error);
    }
    match error {
        SdkError::ServiceError(answer) => {
            from_code(answer.err().code(), answer.raw().status().as_u16(), answer.err().message().unwrap_or_default())
        }
        SdkError::ConstructionFailure(_) => CloudError::Refused(cut(&chain(error))),
        // Timeouts, broken connections, answers that cannot be read, and what later versions of the SDK may add.
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) | _ => {
            CloudError::Ambiguous(cut(&chain(error)))
        }
    }
}

/// A code of the answer, or its status where the code says nothing.
///
/// Codes come first: EC2 sends `InsufficientInstanceCapacity` with a 500 and `RequestLimitExceeded` with a 503, and both are
/// definite.
pub(crate) fn from_code(code: Option<&str>, status: u16, message: &str) -> CloudError {
    let code = code.unwrap_or_default();
    let said = || cut(&format!("{}: {message}", if code.is_empty() { "no code" } else { code }));
    match code {
        "InsufficientInstanceCapacity"
        | "InsufficientHostCapacity"
        | "InsufficientReservedInstanceCapacity"
        | "InsufficientCapacity"
        | "InsufficientFreeAddressesInSubnet"
        | "InsufficientAddressCapacity"
        | "MaxSpotInstanceCountExceeded"
        | "SpotMaxPriceTooLow"
        | "ReservationCapacityExceeded"
        // EC2's word for "this type is not sold in this zone".
        | "Unsupported" => CloudError::NoCapacity(said()),
        "IdempotentParameterMismatch" | "InvalidParameterCombination.IdempotentParameterMismatch" => CloudError::TokenMismatch,
        "RequestLimitExceeded" | "Throttling" | "ThrottlingException" | "ThrottledException" | "TooManyRequestsException"
        | "RequestThrottled" | "RequestThrottledException" | "BandwidthLimitExceeded" | "EC2ThrottledException" => CloudError::Throttled,
        "UnauthorizedOperation"
        | "AuthFailure"
        | "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "AccessDenied"
        | "AccessDeniedException"
        | "SignatureDoesNotMatch"
        | "MissingAuthenticationToken"
        | "OptInRequired"
        | "Blocked"
        | "PendingVerification"
        | "RegionDisabledException" => CloudError::NoAccess(said()),
        // A quota of the account (VcpuLimitExceeded, InstanceLimitExceeded) is a 4xx like any other: no other pool has room
        // under it, and only a person can raise it.
        _ if (400..500).contains(&status) => CloudError::Refused(said()),
        _ => CloudError::Ambiguous(said()),
    }
}

/// Whether a lifecycle action was over already: somebody else completed it, or its time ran out.
pub(crate) fn lifecycle_is_over<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    let said = |answer: &E| answer.message().unwrap_or_default().to_ascii_lowercase().contains("no active lifecycle action");
    error.as_service_error().is_some_and(|answer| answer.code() == Some("ValidationError") && said(answer))
}

/// Whether the answer has this code.
pub(crate) fn has_code<E: ProvideErrorMetadata>(error: &SdkError<E>, code: &str) -> bool {
    error.as_service_error().is_some_and(|answer| answer.code() == Some(code))
}

/// An answer without something that it must have.
pub(crate) fn unreadable(what: &str) -> CloudError {
    CloudError::Ambiguous(format!("the answer cannot be read: {what}"))
}

fn from_credentials(error: &CredentialsError) -> CloudError {
    match find::<SdkError<AssumeRoleError>>(error) {
        Some(SdkError::ServiceError(answer)) => {
            let raw = answer.raw().status().as_u16();
            match from_code(answer.err().code(), raw, answer.err().message().unwrap_or_default()) {
                // Whatever STS has against us, the answer is that we have no access.
                CloudError::Refused(why) => CloudError::NoAccess(why),
                other @ (CloudError::NoCapacity(_)
                | CloudError::TokenMismatch
                | CloudError::Ambiguous(_)
                | CloudError::Throttled
                | CloudError::NoAccess(_)) => other,
            }
        }
        // STS was not reached. Nothing was launched, but "repeat the same bytes" is right here, too.
        Some(_) => CloudError::Ambiguous(cut(&chain(error))),
        None if matches!(error, CredentialsError::ProviderTimedOut(_)) => CloudError::Ambiguous(cut(&chain(error))),
        // We have no credentials of our own.
        None => CloudError::NoAccess(cut(&chain(error))),
    }
}

/// An error and its causes, outermost first.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}

/// The first error of this type among the causes.
fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    causes(error).find_map(|error| error.downcast_ref())
}

/// The causes in one line: the SDK prints only the outermost.
fn chain(error: &(dyn Error + 'static)) -> String {
    causes(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn cut(text: &str) -> String {
    text.chars().take(MESSAGE_MAX).collect()
}

#[cfg(test)]
mod tests;
