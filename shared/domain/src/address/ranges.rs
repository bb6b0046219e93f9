//! Which addresses beyond the public internet an operator lets us call.

use super::special;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Where Lambda's own runtime API listens, on loopback: whoever reaches it reads the next event.
const RUNTIME_API: u16 = 9001;
/// No operator names half the internet: the widest range that is opened, per family (10.0.0.0/8, fc00::/7).
const WIDEST: (u32, u32) = (8, 7);

/// A range of addresses, by its first one and the length of its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    first: IpAddr,
    length: u32,
}

impl Range {
    fn parse(text: &str) -> Option<Range> {
        let (first, length) = text.split_once('/')?;
        // `parse` would take `+8`.
        let length = Some(length).filter(|length| length.bytes().all(|b| b.is_ascii_digit()))?;
        let (first, length): (IpAddr, u32) = (first.parse().ok()?, length.parse().ok()?);
        let (widest, bits) = if first.is_ipv4() { (WIDEST.0, 32) } else { (WIDEST.1, 128) };
        let range = Range { first, length };
        // Its first address must be its first address, and be one that may be opened: 10.0.0.5/8 and 169.254.0.0/16 are mistakes.
        let begins = number(first).trailing_zeros() >= bits - length.min(bits) || length == bits;
        ((widest..=bits).contains(&length) && begins && special(first).is_some_and(|special| special.openable)).then_some(range)
    }

    fn holds(&self, address: IpAddr) -> bool {
        let bits = if self.first.is_ipv4() { 32 } else { 128 };
        self.first.is_ipv4() == address.is_ipv4() && (number(self.first) ^ number(address)) >> (bits - self.length) == 0
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(u32::from(v4)),
        IpAddr::V6(v6) => u128::from(v6),
    }
}

/// Why a text names no ranges that can be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no range that can be opened: private ones such as 10.20.0.0/16, 100.64.0.0/10, 127.0.0.0/8 or fd12:3456::/32, separated \
     by commas; no link-local, metadata, multicast or translated ones"
)]
pub struct NotARange(pub String);

/// Which addresses are called: those of the public internet, and those that were opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    opened: Vec<Range>,
}

impl Rules {
    /// The public internet and nothing else.
    pub fn public() -> Rules {
        Rules::default()
    }

    /// This machine as well: for what talks to parts of its own process.
    pub fn this_machine() -> Rules {
        let (v4, v6) = (IpAddr::V4(Ipv4Addr::new(127, 0, 0, 0)), IpAddr::V6(Ipv6Addr::LOCALHOST));
        Rules { opened: vec![Range { first: v4, length: 8 }, Range { first: v6, length: 128 }] }
    }

    /// Every network of one's own: for a person at a terminal who names an address himself.
    pub fn of_ones_own() -> Rules {
        let nets: [(IpAddr, u32); 5] = [
            (Ipv4Addr::new(10, 0, 0, 0).into(), 8),
            (Ipv4Addr::new(100, 64, 0, 0).into(), 10),
            (Ipv4Addr::new(172, 16, 0, 0).into(), 12),
            (Ipv4Addr::new(192, 168, 0, 0).into(), 16),
            (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0).into(), 7),
        ];
        let mut rules = Rules::this_machine();
        rules.opened.extend(nets.map(|(first, length)| Range { first, length }));
        rules
    }

    /// `10.20.0.0/16,fd12::/16`: what an operator opens. Nothing at all is the public internet alone.
    ///
    /// # Errors
    /// [`NotARange`] names the first one that cannot be opened.
    pub fn parse(text: &str) -> Result<Rules, NotARange> {
        let texts = text.split(',').map(str::trim).filter(|text| !text.is_empty());
        let opened = texts.map(|text| Range::parse(text).ok_or_else(|| NotARange(text.chars().take(64).collect())));
        Ok(Rules { opened: opened.collect::<Result<_, _>>()? })
    }

    /// Whether anything beyond the public internet is open.
    pub fn open_something(&self) -> bool {
        !self.opened.is_empty()
    }

    /// Why this is not called; `None`: it may be.
    pub fn forbidden(&self, to: SocketAddr) -> Option<&'static str> {
        let special = special(to.ip())?;
        if to.ip().is_loopback() && to.port() == RUNTIME_API {
            return Some("the runtime's own");
        }
        let opened = special.openable && self.opened.iter().any(|range| range.holds(to.ip()));
        (!opened).then_some(special.why)
    }
}

impl std::fmt::Display for Rules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, Range { first, length }) in self.opened.iter().enumerate() {
            write!(f, "{}{first}/{length}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}
