//! Addresses that nothing of ours may be made to call: private, loopback, link-local, metadata, and all ways to spell them.
//!
//! Whoever lets a customer say where something is sent to could otherwise be sent to the metadata service of the machine it runs on.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What is not the public internet (IANA special-purpose registries for IPv4 and IPv6; multicast and reserved space).
const V4: [(Ipv4Addr, u32, &str); 16] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, "this network"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "shared by carriers"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local, where metadata services are"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "kept for protocols"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "for documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "6to4 relays"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "for benchmarks"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "for documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "for documentation"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
    (Ipv4Addr::BROADCAST, 32, "broadcast"),
];

/// Why an address must not be called; `None`: it is on the public internet.
pub fn forbidden(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => forbidden_v4(address),
        IpAddr::V6(address) => forbidden_v6(address),
    }
}

fn forbidden_v4(address: Ipv4Addr) -> Option<&'static str> {
    let bits = u32::from(address);
    let inside = |net: Ipv4Addr, length: u32| (bits ^ u32::from(net)).leading_zeros() >= length;
    V4.into_iter().find(|(net, length, _)| inside(*net, *length)).map(|(_, _, why)| why)
}

/// Only 2000::/3 is given out to anybody; what of it carries an IPv4 address inside is judged by that, or not called at all.
fn forbidden_v6(address: Ipv6Addr) -> Option<&'static str> {
    let [a, b, _, _, _, _, g, h] = address.segments();
    let last = Ipv4Addr::from((u32::from(g) << 16) | u32::from(h));
    if let Some(mapped) = address.to_ipv4_mapped() {
        // Spelled as IPv6, dialled as IPv4.
        return forbidden_v4(mapped);
    }
    match (a, b) {
        // NAT64 (RFC 6052): the IPv4 address is what is called in the end. The local-use prefix may hold it anywhere.
        (0x64, 0xff9b) if address.segments()[2..6] == [0, 0, 0, 0] => forbidden_v4(last),
        (0x64, 0xff9b) => Some("NAT64 of a local network"),
        (0x2001, 0x0000..=0x01ff) => Some("Teredo and other protocols"),
        (0x2001, 0x0db8) => Some("for documentation"),
        (0x2002, _) => Some("6to4"),
        (0x3fff, 0x0000..=0x0fff) => Some("for documentation"),
        (0x2000..=0x3fff, _) => None,
        (0xfc00..=0xfdff, _) => Some("private, where metadata services are"),
        (0xfe80..=0xfebf, _) => Some("link-local"),
        (0xff00..=0xffff, _) => Some("multicast"),
        _ => Some("not given out to anybody"),
    }
}

/// The ports that are called: a webhook elsewhere is more likely somebody's internal service than somebody's receiver.
const PORTS: [u16; 2] = [443, 8443];

/// Why a URL is none that is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a receiver is https://host[:443 or :8443]/path, without userinfo and fragment, and on the public internet")]
pub struct NotAPlace;

/// A URL that may be called, as far as can be said without resolving its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its host in lower case, an IPv6 address without brackets: all that people are shown of a URL.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Host and port as they stand in the header `Host`.
    pub authority: String,
    /// Path and query.
    pub path: String,
}

impl Place {
    /// Checks a URL; nothing is resolved. Addresses in it are judged at once.
    ///
    /// # Errors
    /// [`NotAPlace`].
    pub fn parse(url: &str) -> Result<Place, NotAPlace> {
        if url.len() > 2_000 || url.chars().any(|c| !c.is_ascii_graphic() || "#\\\"<>^`{|}".contains(c)) {
            return Err(NotAPlace);
        }
        let rest = url.strip_prefix("https://").ok_or(NotAPlace)?;
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let authority = authority.to_ascii_lowercase();
        // Of a ':' inside brackets, none is in front of a port.
        let end = authority.find(']').map_or_else(|| authority.find(':').unwrap_or(authority.len()), |bracket| bracket + 1);
        let (host, port) = authority.split_at_checked(end).ok_or(NotAPlace)?;
        let port = match port {
            "" => 443,
            port => port.strip_prefix(':').and_then(|port| port.parse().ok()).ok_or(NotAPlace)?,
        };
        let address: Option<IpAddr> = match host.strip_prefix('[') {
            Some(inner) => Some(inner.strip_suffix(']').and_then(|v6| v6.parse().ok()).ok_or(NotAPlace)?),
            None => host.parse().ok(),
        };
        let named = |host: &str| {
            host.len() <= 253
                && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))
                && host.contains(|c: char| c.is_ascii_alphabetic())
        };
        let fine = address.map_or_else(|| named(host), |address| forbidden(address).is_none());
        if !fine || !PORTS.contains(&port) {
            return Err(NotAPlace);
        }
        let host = host.trim_matches(['[', ']']).to_owned();
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Place { host, port, authority, path })
    }
}

#[cfg(test)]
mod tests;
