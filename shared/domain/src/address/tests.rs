//! Laws of the addresses that may be called.

use super::{Door, Place, Refused, Rules, forbidden};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn webhook(url: &str) -> Result<Place, Refused> {
    Place::parse(url, Door::Webhook, &Rules::public())
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
fn an_ipv4_address_inside_an_ipv6_one_is_never_called() {
    let rules = Rules::of_ones_own();
    let mut random = 1_u32;
    for _ in 0..100_000 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let v4 = Ipv4Addr::from(random.rotate_left(7));
        let [a, b, c, d] = v4.octets();
        let embedded = [
            IpAddr::V6(v4.to_ipv6_mapped()),
            ip(&format!("64:ff9b::{v4}")),
            ip(&format!("64:ff9b:1::{v4}")),
            ip(&format!("::{v4}")),
            ip(&format!("2002:{a:02x}{b:02x}:{c:02x}{d:02x}::1")),
            ip(&format!("2001:0:4136:e378:8000:63bf:{:02x}{:02x}:{:02x}{:02x}", !a, !b, !c, !d)),
        ];
        for address in embedded {
            // `::1` and `::` are what they are: this machine, and nothing.
            let own = address.is_loopback() || rules.forbidden(SocketAddr::new(address, 443)).is_some();
            assert!(own && forbidden(address).is_some(), "{address}");
        }
    }
}

#[test]
fn an_operator_opens_networks_of_his_own_and_never_what_leads_around_the_rules() {
    let to = |text: &str| SocketAddr::new(ip(text), 443);
    let rules = Rules::parse("10.20.0.0/16, 100.64.0.0/10,fd12:3456::/32,127.0.0.0/8").unwrap();
    for open in ["10.20.0.0", "10.20.255.255", "100.100.1.1", "fd12:3456::1", "127.0.0.1", "1.1.1.1"] {
        assert_eq!(rules.forbidden(to(open)), None, "{open}");
    }
    for shut in
        ["10.19.255.255", "10.21.0.0", "192.168.1.1", "fd12:3457::1", "::1", "::ffff:10.20.0.1", "64:ff9b::a14:1", "169.254.169.254"]
    {
        assert!(rules.forbidden(to(shut)).is_some(), "{shut}");
    }
    assert!(rules.forbidden(SocketAddr::new(ip("127.0.0.1"), 9001)).is_some(), "the runtime API of Lambda");
    assert_eq!(rules.to_string(), "10.20.0.0/16,100.64.0.0/10,fd12:3456::/32,127.0.0.0/8");
    assert_eq!(Rules::parse(&rules.to_string()).unwrap(), rules);
    for bad in [
        "0.0.0.0/0",
        "10.0.0.0/7",
        "10.0.0.5/8",
        "10.0.0.0",
        "10.0.0.0/33",
        "169.254.0.0/16",
        "169.254.169.254/32",
        "fe80::/10",
        "fd00:ec2::/32",
        "224.0.0.0/8",
        "64:ff9b::/96",
        "::ffff:10.0.0.0/104",
        "::/0",
        "8.8.8.0/24",
        "10.0.0.0/8;172.16.0.0/12",
        "10.0.0.0/+8",
    ] {
        assert!(Rules::parse(bad).is_err(), "{bad}");
    }
    // The widest range that holds the metadata services of EC2 does not open them.
    assert!(Rules::of_ones_own().forbidden(to("fd00:ec2::254")).is_some());
    assert_eq!(Rules::parse("").unwrap(), Rules::public());
}

#[test]
fn public_addresses_may_be_called() {
    for text in ["1.1.1.1", "52.94.236.248", "2606:4700:4700::1111", "2a05:d018::1"] {
        assert_eq!(forbidden(ip(text)), None, "{text}");
    }
}

#[test]
fn of_a_url_only_its_host_is_shown() {
    let place = webhook("https://Hooks.Slack.com/services/T/B/x?y=1").unwrap();
    assert_eq!((place.host.as_str(), place.port, place.path.as_str()), ("hooks.slack.com", 443, "/services/T/B/x?y=1"));
    let place = webhook("https://hooks.example.com:8443?a").unwrap();
    assert_eq!((place.authority.as_str(), place.port, place.path.as_str()), ("hooks.example.com:8443", 8443, "/?a"));
    assert_eq!(webhook("https://[2606:4700::1111]/").unwrap().host, "2606:4700::1111");
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
        assert!(webhook(bad).is_err(), "{bad}");
    }
}

#[test]
fn each_refusal_names_its_rule() {
    for (url, rule) in [
        ("http://a.example.com", "https-only"),
        ("https://u@a.example.com", "plain-characters"),
        ("https://a.example.com/?x", "plain-characters"),
        ("https://127.1", "plain-host"),
        ("https://a.example.com.", "plain-host"),
        ("https://localhost", "inner-name"),
        ("https://db.prod.internal", "inner-name"),
        ("https://sts.us-east-1.amazonaws.com", "aws-service"),
        ("https://a1b2.execute-api.us-east-1.amazonaws.com", "aws-service"),
        ("https://a.example.com:22", "port"),
        ("https://a.example.com:9001", "port"),
        ("https://a.example.com/a/../b", "path"),
        ("https://10.0.0.1", "address"),
    ] {
        let refused = Place::parse(url, Door::ApiServer, &Rules::public()).unwrap_err();
        assert_eq!(refused.rule(), rule, "{url}: {refused}");
    }
    for fine in [
        "https://ABC.gr7.us-east-1.eks.amazonaws.com",
        "https://ABC.eks-cluster.us-east-1.api.aws",
        "https://lb-1.elb.us-east-1.amazonaws.com:6443",
        "https://ec2-1-2-3-4.compute-1.amazonaws.com:6443",
        "https://EKS-ENDPOINT",
        "https://gate.example.com/k8s/clusters/c-1/",
    ] {
        assert!(Place::parse(fine, Door::ApiServer, &Rules::public()).is_ok(), "{fine}");
    }
    assert!(webhook("https://a1b2.execute-api.us-east-1.amazonaws.com/hook").is_ok());
    assert_eq!(webhook("https://EKS-ENDPOINT").unwrap_err().rule(), "inner-name");
    let opened = Rules::parse("10.0.0.0/8").unwrap();
    assert!(Place::parse("https://api.prod.internal:6443", Door::ApiServer, &opened).is_ok(), "names of a network that was opened");
}
