//! Where a server is, checked once.

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
    /// Checks an address. Userinfo, query, fragment and escapes are not accepted; a prefix is, because gateways serve several.
    ///
    /// # Errors
    /// [`NotAServer`] says what is wrong.
    pub fn parse(text: &str) -> Result<Server, NotAServer> {
        if text.chars().any(|c| !c.is_ascii_graphic() || "@?#\\%".contains(c)) {
            return Err(NotAServer("userinfo, query, fragment, spaces and escapes are not allowed"));
        }
        let uri: Uri = text.parse().map_err(|_| NotAServer("it is no URL"))?;
        let authority = uri.authority().ok_or(NotAServer("it has no host"))?;
        let host = authority.host();
        // The parser leaves a port that is no port to whoever asks for it.
        let port = authority.as_str().strip_prefix(host).unwrap_or("?");
        let usable = port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
        if host.is_empty() || !usable {
            return Err(NotAServer("it has no host, or its port is no port"));
        }
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if loopback(host) => false,
            Some("http") => return Err(NotAServer("http:// is for this machine only; elsewhere the key could be read on the way")),
            _ => return Err(NotAServer("it must begin with https://")),
        };
        if uri.path().split('/').any(|part| part == "..") {
            return Err(NotAServer("its path climbs"));
        }
        let scheme = if tls { "https" } else { "http" };
        Ok(Server { text: format!("{scheme}://{authority}{}", uri.path().trim_end_matches('/')), tls })
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
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
