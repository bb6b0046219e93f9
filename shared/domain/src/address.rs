//! Addresses that nothing of ours may be made to call: private, loopback, link-local, metadata, and all ways to spell them.
//!
//! Whoever lets a customer say where something is sent to could otherwise be sent to the metadata service of the machine it runs on.
//! The rules stand here, and nowhere else: [`Place`] judges a URL when somebody names it, and [`Rules`] judge each address that its
//! name leads to, whenever a connection is made.

mod place;
mod ranges;

pub use place::{Door, Place, Refused, judge};
pub use ranges::{NotARange, Rules};

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is not called, and whether an operator may open it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Special {
    why: &'static str,
    /// A network of somebody's own, which an operator may name. The rest is never called: metadata, and what leads around this table.
    openable: bool,
}

const fn never(why: &'static str) -> Special {
    Special { why, openable: false }
}

const fn own(why: &'static str) -> Special {
    Special { why, openable: true }
}

/// What is not the public internet (IANA special-purpose registries for IPv4 and IPv6; multicast and reserved space).
const V4: [(Ipv4Addr, u32, Special); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, never("this network")),
    (Ipv4Addr::new(10, 0, 0, 0), 8, own("private")),
    (Ipv4Addr::new(100, 64, 0, 0), 10, own("shared by carriers")),
    (Ipv4Addr::new(127, 0, 0, 0), 8, own("loopback")),
    (Ipv4Addr::new(169, 254, 0, 0), 16, never("link-local, where metadata services are")),
    (Ipv4Addr::new(172, 16, 0, 0), 12, own("private")),
    (Ipv4Addr::new(192, 0, 0, 0), 24, never("kept for protocols")),
    (Ipv4Addr::new(192, 0, 2, 0), 24, never("for documentation")),
    (Ipv4Addr::new(192, 88, 99, 0), 24, never("6to4 relays")),
    (Ipv4Addr::new(192, 168, 0, 0), 16, own("private")),
    (Ipv4Addr::new(198, 18, 0, 0), 15, own("for benchmarks")),
    (Ipv4Addr::new(198, 51, 100, 0), 24, never("for documentation")),
    (Ipv4Addr::new(203, 0, 113, 0), 24, never("for documentation")),
    (Ipv4Addr::new(224, 0, 0, 0), 4, never("multicast")),
    (Ipv4Addr::new(240, 0, 0, 0), 4, never("reserved")),
    (Ipv4Addr::BROADCAST, 32, never("broadcast")),
];

/// Why an address is not on the public internet; `None`: it is.
pub fn forbidden(address: IpAddr) -> Option<&'static str> {
    special(address).map(|special| special.why)
}

fn special(address: IpAddr) -> Option<Special> {
    match address {
        IpAddr::V4(address) => special_v4(address),
        IpAddr::V6(address) => special_v6(address),
    }
}

fn special_v4(address: Ipv4Addr) -> Option<Special> {
    let bits = u32::from(address);
    let inside = |net: Ipv4Addr, length: u32| (bits ^ u32::from(net)).leading_zeros() >= length;
    V4.into_iter().find(|(net, length, _)| inside(*net, *length)).map(|(_, _, special)| special)
}

/// Only 2000::/3 is given out to anybody. What carries an IPv4 address inside is not called at all: it is dialled as something else
/// than it looks like, and whoever means an IPv4 address can write one.
fn special_v6(address: Ipv6Addr) -> Option<Special> {
    let [a, b, ..] = address.segments();
    if address.to_ipv4_mapped().is_some() {
        return Some(never("an IPv4 address spelled as IPv6"));
    }
    if address == Ipv6Addr::LOCALHOST {
        return Some(own("loopback"));
    }
    match (a, b) {
        // RFC 6052 and RFC 8215.
        (0x64, 0xff9b) => Some(never("NAT64")),
        (0x2001, 0x0000..=0x01ff) => Some(never("Teredo and other protocols")),
        (0x2001, 0x0db8) => Some(never("for documentation")),
        (0x2002, _) => Some(never("6to4")),
        (0x3fff, 0x0000..=0x0fff) => Some(never("for documentation")),
        (0x2000..=0x3fff, _) => None,
        // The services of EC2 beside 169.254/16: metadata, DNS, time (EC2 user guide).
        (0xfd00, 0x0ec2) => Some(never("where metadata services are")),
        (0xfc00..=0xfdff, _) => Some(own("private")),
        (0xfe80..=0xfebf, _) => Some(never("link-local")),
        (0xff00..=0xffff, _) => Some(never("multicast")),
        _ => Some(never("not given out to anybody")),
    }
}

#[cfg(test)]
mod tests;
