//! Where an API server is, checked once; and paths that cannot leave it.

use domain::address::{Door, Place, Refused};
use domain::ports::ClusterError;

/// An API server: `https://host[:port][/prefix]`, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint(String);

impl Endpoint {
    /// Accepts https only, without userinfo, query and fragment. A path is accepted: some gateways serve many clusters. Where it leads
    /// is judged by the gate, at each connection.
    pub(crate) fn parse(text: &str) -> Result<Self, ClusterError> {
        let refuse = |why: Refused| ClusterError::Refused(format!("the endpoint is not usable: {why}"));
        let place = Place::read(text, Door::ApiServer).map_err(refuse)?;
        Ok(Self(format!("https://{}{}", place.authority, place.path.trim_end_matches('/'))))
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
