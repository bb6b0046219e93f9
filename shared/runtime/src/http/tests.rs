use super::*;
use ::http::Uri;

#[test]
fn http_leads_to_this_machine_only() {
    for good in
        ["https://ml.example.com", "https://ml.example.com:8443/v2/", "http://127.0.0.1:8001", "http://[::1]:8001", "http://localhost:80"]
    {
        assert!(Server::parse(good).is_ok(), "{good}");
    }
    for bad in [
        "http://ml.example.com",
        "http://10.0.0.1:80",
        "http://127.0.0.1.example.com",
        "http://169.254.169.254",
        "ftp://ml.example.com",
        "ml.example.com",
        "https://",
        "https://user@ml.example.com",
        "https://ml.example.com:0",
        "https://ml.example.com:99999",
        "https://ml.example.com/a/../b",
        "https://ml.example.com/?x",
        "https://ml.example.com#x",
        "https://ml example.com",
        "",
    ] {
        assert!(Server::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_path_is_put_behind_the_prefix() {
    let server = Server::parse("https://ml.example.com/v2/").unwrap();
    assert_eq!(server.uri(&Uri::from_static("/api/v1/ml/health")).unwrap(), "https://ml.example.com/v2/api/v1/ml/health");
}
