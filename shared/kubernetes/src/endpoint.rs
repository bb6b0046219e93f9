//! Where an API server is, checked once; and paths that cannot leave it.

use domain::ports::ClusterError;

/// An API server: `https://host[:port][/prefix]`, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint(String);

impl Endpoint {
    /// Accepts https only, without userinfo, query and fragment. A path is accepted: some gateways serve many clusters.
    pub(crate) fn parse(text: &str) -> Result<Self, ClusterError> {
        let refuse = |why: &str| ClusterError::Refused(format!("the endpoint is not usable: {why}"));
        if text.chars().any(|c| !c.is_ascii_graphic() || "@?#\\%".contains(c)) {
            return Err(refuse("userinfo, query, fragment, spaces and escapes are not allowed"));
        }
        let uri: http::Uri = text.parse().map_err(|_| refuse("it is not a URL"))?;
        if uri.scheme_str() != Some("https") {
            return Err(refuse("it must begin with https://"));
        }
        let authority = uri.authority().ok_or_else(|| refuse("it has no host"))?;
        // The parser leaves a port that is no port to whoever asks for it.
        let port = authority.as_str().strip_prefix(authority.host()).unwrap_or("?");
        let usable = port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
        if authority.host().is_empty() || !usable {
            return Err(refuse("it has no host, or its port is no port"));
        }
        if uri.path().split('/').any(|part| part == "..") {
            return Err(refuse("its path climbs"));
        }
        Ok(Self(format!("https://{authority}{}", uri.path().trim_end_matches('/'))))
    }

    /// The URL of a path, which begins with a slash.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

/// A name as one segment of a path. Refuses what could lead elsewhere: names come from a cluster or from a stored plan.
pub(crate) fn segment(name: &str) -> Result<&str, ClusterError> {
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b));
    if plain && !name.is_empty() && name.len() <= 253 && name != "." && name != ".." {
        return Ok(name);
    }
    Err(ClusterError::Refused("a name is no Kubernetes name".to_owned()))
}

/// A value for a query: everything but letters, digits and `-_.` is escaped.
pub(crate) fn query_value(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, b| {
        if b.is_ascii_alphanumeric() || b"-_.".contains(&b) {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
        out
    })
}

#[cfg(test)]
mod tests;
