//! A connection without a registered cluster: for whoever holds the credential in his own hands.

use crate::call::Api;
use crate::connect::{Settings, bearer};
use crate::connection::Connection;
use crate::endpoint::Endpoint;
use crate::transport;
use domain::ports::{Cluster, ClusterError};
use gate::Gate;
use secrecy::SecretString;
use std::sync::Arc;

/// How to reach an API server.
#[derive(Debug, Clone)]
pub struct Access {
    /// `https://...`.
    pub endpoint: String,
    /// Certificate authority of the endpoint, PEM; `None`: the public ones.
    pub ca_pem: Option<String>,
    /// What to show it.
    pub credential: Credential,
}

/// A credential.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A bearer token.
    Token(SecretString),
    /// A client certificate.
    Certificate {
        /// The chain, PEM.
        chain_pem: String,
        /// The private key, PEM.
        key_pem: SecretString,
    },
}

/// Opens a connection. Makes no call. Must be called inside a Tokio runtime.
///
/// # Errors
/// [`ClusterError::Refused`]: an endpoint that is not https, an authority or a credential that cannot be used.
pub fn open(access: &Access, settings: Settings, gate: Gate) -> Result<Arc<dyn Cluster>, ClusterError> {
    let endpoint = Endpoint::parse(&access.endpoint)?;
    let (authorization, tls) = match &access.credential {
        Credential::Token(token) => (Some(bearer(token)?), transport::tls(access.ca_pem.as_deref())?),
        Credential::Certificate { chain_pem, key_pem } => (None, transport::tls_as(access.ca_pem.as_deref(), chain_pem, key_pem)?),
    };
    Ok(Arc::new(Connection { api: Api::new(endpoint, authorization, tls, settings, gate) }))
}
