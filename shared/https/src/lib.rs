//! The one HTTP client of the house: over the [`Gate`], TLS by rustls with ring, and no redirects.
//!
//! Clusters, the decision server and AWS itself are called with it. One type of client is one copy of HTTP in each function: a second one
//! is a tenth of a megabyte in each zip.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), https::NoTls> {
//! let tls = https::trusting(https::Trust::Nobody)?.with_no_client_auth();
//! let client = https::client(https::Settings { plain: true, shared: false }, tls, gate::Gate::this_machine());
//! # let _ = client;
//! # Ok(()) }
//! ```
//!
//! Not here, and never: what is said to whom, limits on answers, and tries. Whoever calls says those.

use gate::Gate;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::client::WantsClientCert;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore};
use std::io::Cursor;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

pub mod gzip;

pub use hyper_util::client::legacy::Error;

/// Below the idle limit of the load balancers in front of servers (60 s), so that they never close under a call of ours.
const IDLE_TIMEOUT: Duration = Duration::from_secs(55);
/// A function that was frozen between two events wakes up with a dead connection: pings find it out.
const PING_EVERY: Duration = Duration::from_secs(5);
const PING_TIMEOUT: Duration = Duration::from_secs(2);

/// What a call sends.
pub type Body = Full<Cursor<Vec<u8>>>;
/// Connections, kept for those that call the same place again. A clone shares them.
pub type Client = legacy::Client<HttpsConnector<Gate>, Body>;

/// These bytes, as a call sends them.
pub fn body(bytes: Vec<u8>) -> Body {
    Full::new(Cursor::new(bytes))
}

/// Why there is no TLS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoTls {
    /// The authority that was named cannot be used.
    #[error("the certificate authority cannot be used: {0}")]
    Authority(String),
    /// None was named, and the machine has none.
    #[error("this machine has no public certificate authorities")]
    NoAuthorities,
    /// rustls refuses what it is set up with.
    #[error("TLS cannot be set up: {0}")]
    Setup(String),
}

/// How a client speaks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// Whether a place may be called without TLS, where its address says `http`.
    pub plain: bool,
    /// HTTP/2 where the server takes it: many calls at once share a connection, which is asked every 5 s whether it lives, and given up after
    /// 2 s of silence. Else HTTP/1.1.
    pub shared: bool,
}

/// Who says that a server is the one that it says it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust<'a> {
    /// The public authorities that this machine knows.
    Public,
    /// This one, in PEM.
    Authority(&'a str),
    /// Nobody: for places that are called without TLS.
    Nobody,
}

/// TLS that trusts them.
///
/// # Errors
/// [`NoTls`].
pub fn trusting(whom: Trust<'_>) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, NoTls> {
    let roots = match whom {
        Trust::Public => public_roots()?,
        Trust::Authority(pem) => Arc::new(own_roots(pem)?),
        Trust::Nobody => Arc::new(RootCertStore::empty()),
    };
    // The provider is named here, so that no process-wide default has to be set by whoever calls us.
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| NoTls::Setup(error.to_string()))?;
    Ok(versions.with_root_certificates(roots))
}

fn own_roots(pem: &str) -> Result<RootCertStore, NoTls> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|error| NoTls::Authority(error.to_string()))?;
        roots.add(certificate).map_err(|error| NoTls::Authority(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(NoTls::Authority("it holds no PEM certificate".to_owned()));
    }
    Ok(roots)
}

/// Read once: they are a quarter of a megabyte on the disk, and do not change while a process lives.
fn public_roots() -> Result<Arc<RootCertStore>, NoTls> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let roots = ROOTS.get_or_init(|| {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Arc::new(roots)
    });
    if roots.is_empty() { Err(NoTls::NoAuthorities) } else { Ok(roots.clone()) }
}

/// A client. Connects to nothing yet. Must be called inside a Tokio runtime.
pub fn client(settings: Settings, tls: ClientConfig, gate: Gate) -> Client {
    let builder = HttpsConnectorBuilder::new().with_tls_config(tls);
    let builder = if settings.plain { builder.https_or_http() } else { builder.https_only() };
    let mut client = legacy::Client::builder(TokioExecutor::new());
    client.timer(TokioTimer::new()).pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE_TIMEOUT);
    if !settings.shared {
        return client.build(builder.enable_http1().wrap_connector(gate));
    }
    client.http2_keep_alive_interval(PING_EVERY).http2_keep_alive_timeout(PING_TIMEOUT);
    client.build(builder.enable_all_versions().wrap_connector(gate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_that_is_none_is_refused_and_the_public_ones_are_read() {
        for bad in ["", "rubbish", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            assert!(matches!(trusting(Trust::Authority(bad)), Err(NoTls::Authority(_))), "{bad}");
        }
        assert!(matches!(trusting(Trust::Public), Ok(_) | Err(NoTls::NoAuthorities)));
    }
}
