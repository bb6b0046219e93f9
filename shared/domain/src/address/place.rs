//! A URL that somebody names, judged before any name is resolved.

use super::Rules;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// What a place is called for: each kind has its ports and its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// A customer's receiver of notices. Elsewhere than at 443 and 8443 is more likely somebody's internal service than a receiver.
    Webhook,
    /// A customer's Kubernetes API: 443, and what is above the ports of the system.
    ApiServer,
    /// A server that the operator has set: any port.
    Server,
}

impl Door {
    fn takes(self, port: u16) -> bool {
        match self {
            Door::Webhook => [443, 8443].contains(&port),
            // Redis and Lambda's runtime API: no API server, and worth being reached.
            Door::ApiServer => port == 443 || (port >= 1024 && ![6379, 9001].contains(&port)),
            Door::Server => port > 0,
        }
    }

    fn ports(self) -> &'static str {
        match self {
            Door::Webhook => "443 or 8443",
            Door::ApiServer => "443 or one from 1024 to 65535",
            Door::Server => "one from 1 to 65535",
        }
    }

    fn length_max(self) -> usize {
        match self {
            Door::ApiServer => 512,
            Door::Webhook | Door::Server => 2_000,
        }
    }
}

/// Which rule a place breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Another scheme, or none.
    #[error("it begins with https://")]
    NotHttps,
    /// What could be read in two ways.
    #[error("no user, fragment, blanks, escapes of its host, or characters beyond ASCII, and at most {0} characters")]
    Characters(usize),
    /// No host, or one that could be read as a number.
    #[error("its host is a DNS name or a public or private IP address in its plain form")]
    Host,
    /// A name that means something else inside than outside.
    #[error("its host is a name of an inner network (localhost, .local, .internal)")]
    InnerName,
    /// AWS itself.
    #[error("its host is a service of AWS, and none that customers run")]
    AwsService,
    /// A port that is not called.
    #[error("its port is {0}")]
    Port(&'static str),
    /// A path that climbs.
    #[error("its path does not climb")]
    Path,
    /// An address that is not called, and why.
    #[error("it leads to {address}, which is {why}, and whoever runs this has not named it in ALLOWED_ADDRESS_RANGES")]
    Address {
        /// The address.
        address: IpAddr,
        /// What it is.
        why: &'static str,
    },
}

impl Refused {
    /// The rule in a word, for programs.
    pub fn rule(&self) -> &'static str {
        match self {
            Refused::NotHttps => "https-only",
            Refused::Characters(_) => "plain-characters",
            Refused::Host => "plain-host",
            Refused::InnerName => "inner-name",
            Refused::AwsService => "aws-service",
            Refused::Port(_) => "port",
            Refused::Path => "path",
            Refused::Address { .. } => "address",
        }
    }
}

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
    /// [`Refused`].
    pub fn parse(url: &str, door: Door, rules: &Rules) -> Result<Place, Refused> {
        let place = Place::read(url, door)?;
        place.judge(door, rules).map(|()| place)
    }

    /// Reads a URL without judging where it leads: for what was judged before, and is judged again at each connection.
    ///
    /// # Errors
    /// [`Refused`]: what it looks like.
    pub fn read(url: &str, door: Door) -> Result<Place, Refused> {
        let strange = Refused::Characters(door.length_max());
        // A token may stand in the query of a webhook. A server is one place with many paths, and has none.
        let queries = if door == Door::Webhook { "" } else { "?%@" };
        let odd = |c: char| !c.is_ascii_graphic() || "#\\\"<>^`{|}".contains(c) || queries.contains(c);
        if url.len() > door.length_max() || url.chars().any(odd) {
            return Err(strange);
        }
        let rest = url.strip_prefix("https://").ok_or(Refused::NotHttps)?;
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let authority = authority.to_ascii_lowercase();
        if authority.contains('@') {
            return Err(strange);
        }
        // Of a ':' inside brackets, none is in front of a port.
        let end = authority.find(']').map_or_else(|| authority.find(':').unwrap_or(authority.len()), |bracket| bracket + 1);
        let (host, port) = authority.split_at_checked(end).ok_or(Refused::Host)?;
        if !plain_host(host) {
            return Err(Refused::Host);
        }
        let port = match port {
            "" => Some(443),
            port => port.strip_prefix(':').filter(|port| port.bytes().all(|b| b.is_ascii_digit())).and_then(|port| port.parse().ok()),
        };
        let port = port.filter(|port| door.takes(*port)).ok_or_else(|| Refused::Port(door.ports()))?;
        let parts = path.split(['?', '/']);
        if door != Door::Webhook && (parts.into_iter().any(|part| part == "." || part == "..") || path.trim_end_matches('/').contains("//"))
        {
            return Err(Refused::Path);
        }
        let host = host.trim_matches(['[', ']']).to_owned();
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Place { host, port, authority, path })
    }

    /// Judges the host as it is spelled.
    ///
    /// # Errors
    /// [`Refused`]: where it leads.
    pub fn judge(&self, door: Door, rules: &Rules) -> Result<(), Refused> {
        if let Ok(address) = self.host.parse() {
            return judge(SocketAddr::new(address, self.port), rules);
        }
        let inner = self.host == "localhost" || [".localhost", ".local", ".internal"].iter().any(|end| self.host.ends_with(end));
        if inner && !rules.open_something() {
            return Err(Refused::InnerName);
        }
        if door != Door::Server && aws_service(&self.host, door) {
            return Err(Refused::AwsService);
        }
        // A name without a dot is looked up in the machine's own domain.
        if door == Door::Webhook && !self.host.contains('.') {
            return Err(Refused::InnerName);
        }
        Ok(())
    }
}

/// Judges an address that is about to be called.
///
/// # Errors
/// [`Refused::Address`].
pub fn judge(to: SocketAddr, rules: &Rules) -> Result<(), Refused> {
    rules.forbidden(to).map_or(Ok(()), |why| Err(Refused::Address { address: to.ip(), why }))
}

/// Names of AWS itself: its queues, tables and keys answer to signed calls, and none of them is a customer's server. What customers
/// run stands behind EKS, load balancers, instances, gateways and functions.
fn aws_service(host: &str, door: Door) -> bool {
    let aws = [".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".on.aws"].iter().any(|end| host.ends_with(end));
    let run: &[&str] = match door {
        Door::ApiServer => &[".eks.", ".eks-cluster.", ".elb.", ".compute.", ".compute-1."],
        Door::Webhook | Door::Server => &[".execute-api.", ".lambda-url.", ".elb.", ".compute.", ".compute-1."],
    };
    aws && !run.iter().any(|label| host.contains(label))
}

/// A DNS name, or an address in its plain form.
fn plain_host(host: &str) -> bool {
    if let Some(inner) = host.strip_prefix('[') {
        return inner.strip_suffix(']').is_some_and(|text| text.parse::<Ipv6Addr>().is_ok());
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if host.len() > 253 || !host.split('.').all(label) {
        return false;
    }
    // What could be read as a number must be an address in its plain form: no 127.1, no 2130706433, no 0x7f.1.
    let last = host.rsplit('.').next().unwrap_or_default();
    if last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x") {
        return host.parse::<Ipv4Addr>().is_ok();
    }
    true
}
