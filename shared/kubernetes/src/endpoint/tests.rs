use super::{Endpoint, query_value, segment};

#[test]
fn an_endpoint_is_https_with_a_host_and_perhaps_a_port_and_a_prefix() {
    for (text, url) in [
        ("https://ABC.gr7.us-east-1.eks.amazonaws.com", "https://abc.gr7.us-east-1.eks.amazonaws.com/api"),
        ("https://10.0.0.1:6443/", "https://10.0.0.1:6443/api"),
        ("https://[2001:db8::1]:6443", "https://[2001:db8::1]:6443/api"),
        ("https://gateway.example/k8s/clusters/c-1/", "https://gateway.example/k8s/clusters/c-1/api"),
    ] {
        assert_eq!(Endpoint::parse(text).unwrap().url("/api"), url);
    }
}

#[test]
fn any_other_endpoint_is_refused() {
    for text in [
        "",
        "http://a.example",
        "a.example",
        "https://",
        "https://user:secret@a.example",
        "https://a.example@evil.example",
        "https://a.example?x=1",
        "https://a.example#x",
        "https://a.example:0",
        "https://a.example:",
        "https://a.example:99999",
        "https://a.example:22",
        "https://2130706433",
        "https://a.example/../x",
        "https://a.example\\@b",
        "https://a.example/%2e%2e/x",
        "https://a .example",
        "ftp://a.example",
        "unix:///run/x",
    ] {
        assert!(Endpoint::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_name_cannot_leave_its_segment() {
    assert!(segment("ip-10-0-0-1.ec2.internal").is_ok());
    assert!(segment("system:node").is_ok());
    for name in ["", ".", "..", "a/b", "a?b", "a%2fb", "a b", "ä"] {
        assert!(segment(name).is_err(), "{name}");
    }
}

#[test]
fn a_query_value_is_escaped() {
    assert_eq!(query_value("spec.nodeName=ip-1"), "spec.nodeName%3Dip-1");
    assert_eq!(query_value("a+b/c=="), "a%2Bb%2Fc%3D%3D");
}
