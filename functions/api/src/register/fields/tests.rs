use super::*;
use domain::policy::InterruptionPolicy;
use serde_json::json;

fn now() -> Timestamp {
    "2026-01-05T00:00:00Z".parse().unwrap()
}

#[test]
fn an_endpoint_is_https_and_cannot_be_read_in_two_ways() {
    let public = Rules::public();
    for good in [
        "https://EKS-ENDPOINT",
        "https://ABC123.gr7.us-east-1.eks.amazonaws.com",
        "https://[2001:4860::1]:6443/",
        "https://gate.example.com/k8s/clusters/c-1",
    ] {
        assert!(endpoint(good, &public).is_ok(), "{good}");
    }
    for bad in [
        "",
        "a.example.com",
        "http://a.example.com",
        "ftp://a",
        "file:///etc/passwd",
        "https://",
        "https://user:pass@a.example.com",
        "https://a.example.com@evil.example.com",
        "https://a.example.com#@evil",
        "https://a.example.com\\@evil",
        "https://a.example.com?x=1",
        "https://a.exa\tmple.com",
        "https://a.example.com\n",
        "https://a%2eexample.com",
        "https://a.example.com.",
        "https://-a.example.com",
        "https://a..b",
        "https://bücher.example.com",
        "https://a.example.com/../x",
        "https://a.example.com:",
        "https://a.example.com:0",
        "https://a.example.com:22",
        "https://a.example.com:25",
        "https://a.example.com:6379",
        "https://a.example.com:9001",
        "https://a.example.com:65536",
        "https://a.example.com:-1",
        "https://a.example.com:+443",
        "https://2130706433",
        "https://0x7f.1",
        "https://0x7f000001",
        "https://127.1",
        "https://0177.0.0.1",
        "https://0.0.0.0",
        "https://0",
        "https://169.254.169.254",
        "https://169.254.170.2",
        "https://[::ffff:169.254.169.254]",
        "https://[64:ff9b::a9fe:a9fe]",
        "https://[2002:a9fe:a9fe::1]",
        "https://[fd00:ec2::254]",
        "https://[fe80::1]",
        "https://[::]",
        "https://[::1",
        "https://::1",
    ] {
        assert!(endpoint(bad, &public).is_err(), "{bad}");
    }
    assert!(endpoint(&format!("https://{}", "a".repeat(600)), &public).is_err());
}

#[test]
fn a_private_endpoint_is_one_that_an_operator_has_opened() {
    let opened = Rules::parse("10.20.0.0/16, fd12:3456::/32").unwrap();
    for (text, rule) in [
        ("https://10.20.0.1:6443", None),
        ("https://[fd12:3456::1]:6443", None),
        ("https://10.21.0.1:6443", Some("10.21.0.1, which is private")),
        ("https://127.0.0.1:45123", Some("127.0.0.1, which is loopback")),
        ("https://169.254.169.254", Some("where metadata services are")),
    ] {
        let said = endpoint(text, &opened);
        assert_eq!(said.is_ok(), rule.is_none(), "{text}: {said:?}");
        assert!(rule.is_none_or(|rule| said.is_err_and(|said| said.contains(rule))), "{text}");
        assert!(endpoint(text, &Rules::public()).is_err(), "{text}");
    }
}

fn jwt(claims: &Value) -> String {
    let part = |text: String| BASE64URL_NOPAD.encode(text.as_bytes());
    format!("{}.{}.sig", part("{}".to_owned()), part(claims.to_string()))
}

#[test]
fn a_token_shows_its_expiry_and_an_expired_one_is_refused() {
    let later = now().as_second() + 3600;
    assert_eq!(token(&jwt(&json!({ "exp": later })), now()).unwrap().map(|t| t.as_second()), Some(later));
    assert!(token(&jwt(&json!({ "exp": now().as_second() })), now()).is_err());
    // What does not say when it expires, or says it in a way of its own, is left to the API server.
    for claims in [json!({}), json!({ "exp": "never" }), json!({ "exp": 1e300 }), json!({ "exp": null }), json!([])] {
        assert_eq!(token(&jwt(&claims), now()), Ok(None), "{claims}");
    }
    for opaque in ["SERVICE_ACCOUNT_TOKEN", "a.b.c", "...", "a.b.c.d"] {
        assert_eq!(token(opaque, now()), Ok(None), "{opaque}");
    }
}

#[test]
fn a_token_cannot_bring_a_header_of_its_own() {
    for bad in ["", "Bearer abc", "abc\r\nX-Evil: 1", "abc\n", "ä", &"x".repeat(16_385)] {
        let error = token(bad, now()).unwrap_err();
        assert!(bad.len() < 3 || !error.contains(bad), "the token is repeated");
    }
}

#[test]
fn a_role_is_a_role_and_names_its_account() {
    for (arn, account) in [
        ("arn:aws:iam::111122223333:role/CloudOptimRole", "111122223333"),
        ("arn:aws-us-gov:iam::111122223333:role/team/path/Name+=,.@_-", "111122223333"),
        ("arn:aws:iam::ACCOUNT:role/CloudOptimRole", "ACCOUNT"),
    ] {
        assert_eq!(role(arn).unwrap().as_str(), account, "{arn}");
    }
    for bad in [
        "",
        "arn:aws:iam::111122223333:root",
        "arn:aws:iam::111122223333:user/x",
        "arn:aws:iam::111122223333:role/",
        "arn:aws:iam::111122223333:role/../x",
        "arn:aws:iam::111122223333:role//x",
        "arn:aws:iam::111122223333:role/x y",
        "arn:aws:iam::111122223333:role/рole",
        "arn:evil:iam::111122223333:role/x",
        "arn:aws:sts::111122223333:assumed-role/x/y",
        "arn:aws:iam:us-east-1:111122223333:role/x",
        "arn:aws:iam:::role/x",
    ] {
        assert!(role(bad).is_err(), "{bad}");
    }
    assert!(role(&format!("arn:aws:iam::111122223333:role/{}", "x".repeat(2048))).is_err());
}

#[test]
fn a_queue_is_one_of_sqs() {
    assert!(queue_url("https://sqs.us-east-1.amazonaws.com/ACCOUNT/cloudoptim-spot-warnings").is_ok());
    for bad in [
        "https://example.com/1/q",
        "http://sqs.us-east-1.amazonaws.com/1/q",
        "https://sqs.us-east-1.amazonaws.com.evil.com/1/q",
        "https://sqs.us-east-1.amazonaws.com@evil.com/1/q",
        "https://sqs.us-east-1.amazonaws.com/1/q/x",
        "https://s3.amazonaws.com/1/q",
    ] {
        assert!(queue_url(bad).is_err(), "{bad}");
    }
}

#[test]
fn certificates_come_as_pem_or_as_eks_prints_them_and_never_with_a_key() {
    let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";
    assert_eq!(authority(pem).as_deref(), Ok(pem));
    assert_eq!(authority(&BASE64.encode(pem.as_bytes())).as_deref(), Ok(pem));
    let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----";
    for bad in [String::new(), "AAAA".to_owned(), key.to_owned(), format!("{pem}\n{key}"), pem.replace("END", "FIN"), "x".repeat(200_000)] {
        assert!(authority(&bad).is_err());
    }
}

#[test]
fn a_policy_patch_changes_only_what_it_names_and_null_brings_the_default_back() {
    let before = ClusterPolicy {
        interruption: InterruptionPolicy { rebalances_per_hour_max: 9, ..InterruptionPolicy::default() },
        ..ClusterPolicy::default()
    };
    let changed = patched(&before, json!({ "budget": { "nodes_max": 1 } })).unwrap();
    assert_eq!((changed.interruption.rebalances_per_hour_max, changed.budget.nodes_max), (9, 1));
    assert_eq!(patched(&changed, json!({ "interruption": null })).unwrap().interruption, InterruptionPolicy::default());
    for bad in [
        json!(1),
        json!({ "x": 1 }),
        json!({ "budget": 5 }),
        json!({ "budget": { "nodes_percent_max": 101 } }),
        json!({ "launch_template": { "id": "lt-1", "version": "$Latest" } }),
    ] {
        assert!(patched(&before, bad.clone()).is_err(), "{bad}");
    }
}
