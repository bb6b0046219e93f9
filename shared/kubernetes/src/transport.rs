//! The HTTPS client: one connection for many calls, through the [`Gate`], trusted roots only, no redirects.

use domain::ports::ClusterError;
use gate::Gate;
use http_body_util::Full;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::client::WantsClientCert;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};
use secrecy::{ExposeSecret, SecretString};
use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

/// How long a TCP connection may take to come up.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Below the idle limit of the load balancers in front of API servers (60 s), so that they never close under a call of ours.
const IDLE_TIMEOUT: Duration = Duration::from_secs(55);
/// A function that was frozen between two events wakes up with a dead connection: pings find it out.
const PING_EVERY: Duration = Duration::from_secs(5);
const PING_TIMEOUT: Duration = Duration::from_secs(2);

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
    let roots = authority.map_or_else(public_roots, own_roots)?;
    // The provider is named here, so that no process-wide default has to be set by whoever calls us.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ClusterError::Refused(format!("TLS cannot be set up: {error}")))?;
    Ok(versions.with_root_certificates(roots))
}

fn own_roots(pem: &str) -> Result<RootCertStore, ClusterError> {
    let refuse = |why: String| ClusterError::Refused(format!("the certificate authority cannot be used: {why}"));
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|error| refuse(error.to_string()))?;
        roots.add(certificate).map_err(|error| refuse(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(refuse("it holds no PEM certificate".to_owned()));
    }
    Ok(roots)
}

fn public_roots() -> Result<RootCertStore, ClusterError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(ClusterError::Refused("this machine has no public certificate authorities, and the cluster names none".to_owned()));
    }
    Ok(roots)
}

/// What a call sends.
pub(crate) type Body = Full<Cursor<Vec<u8>>>;
/// Connections to one API server. A clone shares them.
pub(crate) type Client = legacy::Client<HttpsConnector<Gate>, Body>;

/// A client that prefers HTTP/2, so that a burst of evictions shares one connection. Must be called inside a Tokio runtime.
pub(crate) fn client(tls: ClientConfig, gate: &Gate) -> Client {
    let tcp = gate.clone().waiting(CONNECT_TIMEOUT);
    let https = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(tls).https_only().enable_all_versions().wrap_connector(tcp);
    legacy::Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .http2_keep_alive_interval(PING_EVERY)
        .http2_keep_alive_timeout(PING_TIMEOUT)
        .build(https)
}

#[cfg(test)]
mod tests;
