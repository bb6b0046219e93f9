//! The HTTPS client: one connection for many calls, through the [`Gate`], trusted roots only, no redirects.

use domain::ports::ClusterError;
use gate::Gate;
use https::{Client, NoTls, Settings, Trust};
use rustls::client::WantsClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder};
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;

/// How long a TCP connection may take to come up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// What to trust: the cluster's own authority, or, where it names none, the public ones.
pub(crate) fn tls(authority: Option<&str>) -> Result<ClientConfig, ClusterError> {
    Ok(trusting(authority)?.with_no_client_auth())
}

/// The same, and shows a client certificate.
pub(crate) fn tls_as(authority: Option<&str>, chain_pem: &str, key_pem: &SecretString) -> Result<ClientConfig, ClusterError> {
    // What the parser says of a key that it cannot read is not repeated: it may quote it.
    let refuse = |what: &str| ClusterError::Refused(format!("the client {what} cannot be used"));
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain_pem.as_bytes()).collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty()).ok_or_else(|| refuse("certificate"))?;
    let key = PrivateKeyDer::from_pem_slice(key_pem.expose_secret().as_bytes()).map_err(|_| refuse("key"))?;
    trusting(authority)?.with_client_auth_cert(chain, key).map_err(|_| refuse("certificate with its key"))
}

fn trusting(authority: Option<&str>) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, ClusterError> {
    https::trusting(authority.map_or(Trust::Public, Trust::Authority)).map_err(|error| {
        let beside = if error == NoTls::NoAuthorities { ", and the cluster names none" } else { "" };
        ClusterError::Refused(format!("{error}{beside}"))
    })
}

/// A client that prefers HTTP/2, so that a burst of evictions shares one connection. Must be called inside a Tokio runtime.
pub(crate) fn client(tls: ClientConfig, gate: &Gate) -> Client {
    let settings = Settings { plain: false, shared: true };
    https::client(settings, tls, gate.clone().waiting(CONNECT_TIMEOUT))
}

#[cfg(test)]
mod tests;
