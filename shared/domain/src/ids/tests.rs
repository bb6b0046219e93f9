use super::*;

#[test]
fn an_instance_id_has_8_or_17_lower_case_hex_digits() {
    for good in ["i-12345678", "i-abcd1111", "i-1234567890abcdef0"] {
        assert!(InstanceId::parse(good).is_ok(), "{good}");
    }
    for bad in ["", "i-", "i-123", "i-1234567890ABCDEF0", "x-12345678", "i-1234567g", "i-123456789", "i-12345678/../../x", " i-12345678"] {
        assert!(InstanceId::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_node_name_cannot_leave_its_place_in_a_url() {
    for bad in ["../x", "a/b", "A", "-a", "a-", "", "a b", "a%2f"] {
        assert!(NodeName::parse(bad).is_err(), "{bad}");
    }
    assert!(NodeName::parse("ip-10-0-0-1.ec2.internal").is_ok());
}

#[test]
fn an_illegal_id_cannot_come_in_through_json() {
    assert!(serde_json::from_str::<InstanceId>("\"i-zzz\"").is_err());
    assert_eq!(serde_json::from_str::<InstanceId>("\"i-12345678\"").unwrap().as_str(), "i-12345678");
}

#[test]
fn an_error_repeats_at_most_80_characters_of_the_input() {
    let error = ClusterId::parse("?".repeat(4000)).unwrap_err();
    assert_eq!(error.value.len(), 80);
}
