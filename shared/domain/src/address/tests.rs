//! Laws of the addresses that may be called.

use super::{Place, forbidden};
use std::net::{IpAddr, Ipv4Addr};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn metadata_services_are_never_called_however_they_are_spelled() {
    for text in [
        "169.254.169.254",
        "169.254.169.253",
        "169.254.169.123",
        "169.254.170.2",
        "169.254.170.23",
        "169.254.100.1",
        "127.0.0.1",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "::ffff:169.254.169.254",
        "::ffff:a9fe:a9fe",
        "64:ff9b::169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "::169.254.169.254",
        "::1",
        "::",
        "fe80::1",
        "fec0::1",
        "2001::a9fe:a9fe",
    ] {
        assert!(forbidden(ip(text)).is_some(), "{text}");
    }
}

#[test]
fn the_edges_of_each_special_range_are_inside_and_their_neighbours_outside() {
    for (first, last) in [
        ("10.0.0.0", "10.255.255.255"),
        ("100.64.0.0", "100.127.255.255"),
        ("127.0.0.0", "127.255.255.255"),
        ("169.254.0.0", "169.254.255.255"),
        ("172.16.0.0", "172.31.255.255"),
        ("192.0.2.0", "192.0.2.255"),
        ("192.168.0.0", "192.168.255.255"),
        ("198.18.0.0", "198.19.255.255"),
        ("198.51.100.0", "198.51.100.255"),
        ("203.0.113.0", "203.0.113.255"),
        ("224.0.0.0", "255.255.255.255"),
    ] {
        assert!(forbidden(ip(first)).is_some() && forbidden(ip(last)).is_some(), "{first} to {last}");
        let number = |text: &str| u32::from(text.parse::<Ipv4Addr>().unwrap());
        let outside = |number: u32| forbidden(IpAddr::V4(Ipv4Addr::from(number))).is_none();
        assert!(outside(number(first) - 1), "before {first}");
        assert!(number(last) == u32::MAX || outside(number(last) + 1), "after {last}");
    }
}

#[test]
fn an_ipv4_address_inside_an_ipv6_one_is_judged_the_same() {
    let mut random = 1_u32;
    for _ in 0..100_000 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let v4 = Ipv4Addr::from(random.rotate_left(7));
        let plain = forbidden(IpAddr::V4(v4));
        assert_eq!(forbidden(IpAddr::V6(v4.to_ipv6_mapped())), plain, "{v4}");
        assert_eq!(forbidden(ip(&format!("64:ff9b::{v4}"))), plain, "{v4}");
    }
}

#[test]
fn public_addresses_may_be_called() {
    for text in ["1.1.1.1", "52.94.236.248", "2606:4700:4700::1111", "2a05:d018::1", "64:ff9b::8.8.8.8"] {
        assert_eq!(forbidden(ip(text)), None, "{text}");
    }
}

#[test]
fn of_a_url_only_its_host_is_shown() {
    let place = Place::parse("https://Hooks.Slack.com/services/T/B/x?y=1").unwrap();
    assert_eq!((place.host.as_str(), place.port, place.path.as_str()), ("hooks.slack.com", 443, "/services/T/B/x?y=1"));
    let place = Place::parse("https://hooks.example.com:8443?a").unwrap();
    assert_eq!((place.authority.as_str(), place.port, place.path.as_str()), ("hooks.example.com:8443", 8443, "/?a"));
    assert_eq!(Place::parse("https://[2606:4700::1111]/").unwrap().host, "2606:4700::1111");
}

#[test]
fn urls_that_lead_nowhere_good_are_refused_before_any_name_is_resolved() {
    for bad in [
        "",
        "receiver.example.com",
        "http://receiver.example.com/",
        "ftp://receiver.example.com/",
        "https://",
        "https:///x",
        "https://a.example.com:0/",
        "https://a.example.com:22/",
        "https://a.example.com:9001/",
        "https://a.example.com:443x/",
        "https://a.example.com:443:443/",
        "https://user:pw@a.example.com/",
        "https://a.example.com@169.254.169.254/",
        "https://a.example.com\\@169.254.169.254/",
        "https://a.example.com/#f",
        "https://a b/",
        "https://ä.example.com/",
        "https://169.254.169.254/latest/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://127.1/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[::1",
        "https://[fe80::1%25eth0]/",
        "https://%31%32%37.0.0.1/",
    ] {
        assert!(Place::parse(bad).is_err(), "{bad}");
    }
}
