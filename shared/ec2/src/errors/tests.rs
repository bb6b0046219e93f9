use super::*;

/// The name of the variant.
fn word(error: &CloudError) -> &'static str {
    match error {
        CloudError::NoCapacity(_) => "no-capacity",
        CloudError::Refused(_) => "refused",
        CloudError::TokenMismatch => "token-mismatch",
        CloudError::Ambiguous(_) => "ambiguous",
        CloudError::Throttled => "throttled",
        CloudError::NoAccess(_) => "no-access",
    }
}

#[test]
fn every_code_has_one_meaning() {
    let table = [
        ("InsufficientInstanceCapacity", 500, "no-capacity"),
        ("InsufficientFreeAddressesInSubnet", 400, "no-capacity"),
        ("MaxSpotInstanceCountExceeded", 400, "no-capacity"),
        ("SpotMaxPriceTooLow", 400, "no-capacity"),
        ("InsufficientHostCapacity", 400, "no-capacity"),
        ("Unsupported", 400, "no-capacity"),
        ("VcpuLimitExceeded", 400, "refused"),
        ("InstanceLimitExceeded", 400, "refused"),
        ("InvalidAMIID.NotFound", 400, "refused"),
        ("InvalidParameterValue", 400, "refused"),
        ("IdempotentParameterMismatch", 400, "token-mismatch"),
        ("RequestLimitExceeded", 503, "throttled"),
        ("Throttling", 400, "throttled"),
        ("UnauthorizedOperation", 403, "no-access"),
        ("AuthFailure", 401, "no-access"),
        ("InvalidClientTokenId", 403, "no-access"),
        ("ExpiredToken", 400, "no-access"),
        ("InternalError", 500, "ambiguous"),
        ("Unavailable", 503, "ambiguous"),
        ("ServiceUnavailable", 503, "ambiguous"),
    ];
    for (code, status, expected) in table {
        assert_eq!(word(&from_code(Some(code), status, "message")), expected, "{code}");
    }
}

#[test]
fn an_answer_without_a_code_is_judged_by_its_status() {
    assert_eq!(word(&from_code(None, 404, "")), "refused");
    assert_eq!(word(&from_code(None, 502, "<html>")), "ambiguous");
    assert_eq!(word(&from_code(None, 301, "")), "ambiguous");
}

#[test]
fn a_message_is_cut_so_that_encoded_documents_stay_out_of_the_log() {
    let CloudError::NoAccess(text) = from_code(Some("UnauthorizedOperation"), 403, &"x".repeat(10_000)) else { panic!() };
    assert_eq!(text.len(), MESSAGE_MAX);
    assert!(text.starts_with("UnauthorizedOperation: "));
}
