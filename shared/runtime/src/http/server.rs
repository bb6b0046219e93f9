//! Where a server is, checked once.

use domain::address::{Door, Place, Refused};
use http::Uri;
use http::uri::PathAndQuery;

/// Why a text is not the address of a server.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is not the address of a server: {0}")]
pub struct NotAServer(pub &'static str);

/// A server: `https://host[:port][/prefix]`. Plain `http://` leads to this machine only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    text: String,
    tls: bool,
}

impl Server {
    /// Checks an address. Userinfo, query, fragment and escapes are not accepted; a prefix is, because gateways serve several. Where
    /// it leads is judged by the gate, at each connection.
    ///
    /// # Errors
    /// [`NotAServer`] says what is wrong.
    pub fn parse(text: &str) -> Result<Server, NotAServer> {
        let (tls, rest) = match text.strip_prefix("http://") {
            Some(rest) => (false, rest),
            None => (true, text.strip_prefix("https://").ok_or(NotAServer("it must begin with https://"))?),
        };
        let place = Place::read(&format!("https://{rest}"), Door::Server).map_err(|refused| NotAServer(said(&refused)))?;
        if !tls && !loopback(&place.host) {
            return Err(NotAServer("http:// is for this machine only; elsewhere the key could be read on the way"));
        }
        let (scheme, path) = (if tls { "https" } else { "http" }, place.path.trim_end_matches('/'));
        Ok(Server { text: format!("{scheme}://{}{path}", place.authority), tls })
    }

    /// Whether it is spoken to over TLS.
    pub fn tls(&self) -> bool {
        self.tls
    }

    /// The address of a path of it.
    pub(super) fn uri(&self, path: &Uri) -> Result<Uri, http::uri::InvalidUri> {
        format!("{}{}", self.text, path.path_and_query().map_or("/", PathAndQuery::as_str)).parse()
    }
}

impl std::fmt::Display for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

fn loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn said(refused: &Refused) -> &'static str {
    match refused {
        Refused::NotHttps => "it must begin with https://",
        Refused::Characters(_) => "userinfo, query, fragment, spaces and escapes are not allowed",
        Refused::Host | Refused::Port(_) => "it has no host, or its port is no port",
        Refused::Path => "its path climbs",
        Refused::InnerName | Refused::AwsService | Refused::Address { .. } => "it is not called",
    }
}
