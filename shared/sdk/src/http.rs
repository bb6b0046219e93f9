//! Requests to AWS, over the HTTP that clusters and the decision server are called over.
//!
//! The SDKs bring an HTTP client of their own, which would be a second copy of all of HTTP in each function. What they ask of one is small:
//! their requests are whole in memory, their tries and time limits are their own.

use ::http::Request;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::ErrorKind;
use gate::Gate;
use https::{Client, NoTls, Settings, Trust};
use std::error::Error;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Until a connection is up: what the SDKs wait by default.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3_100);

/// Connections to AWS, made with the first call. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Aws(Arc<OnceLock<Result<Client, NoTls>>>);

impl Aws {
    pub(crate) fn client(self) -> SharedHttpClient {
        SharedHttpClient::new(self)
    }

    /// Not before it is needed: authorities are read from the disk, and a start does not wait for that.
    fn connections(&self) -> Result<Client, ConnectorError> {
        let made = self.0.get_or_init(|| {
            // Where there are none, an emulator can still be called.
            let tls = https::trusting(Trust::Public).or_else(|_| https::trusting(Trust::Nobody))?.with_no_client_auth();
            Ok(https::client(Settings { plain: true, shared: false }, tls, Gate::to_aws().waiting(CONNECT_TIMEOUT)))
        });
        made.clone().map_err(|error| ConnectorError::user(error.into()))
    }
}

/// Sends requests that no SDK sends for us, signed already. Makes no connection yet.
pub fn connector() -> SharedHttpConnector {
    SharedHttpConnector::new(Aws::default())
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Aws")
    }
}

impl HttpClient for Aws {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Aws {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let aws = self.clone();
        HttpConnectorFuture::new(async move {
            let client = aws.connections()?;
            let answer = client.request(whole(request)?).await.map_err(failed)?;
            HttpResponse::try_from(answer.map(SdkBody::from_body_1_x)).map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

/// The request with its bytes. Nothing that we send is a stream.
fn whole(request: HttpRequest) -> Result<Request<https::Body>, ConnectorError> {
    let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
    let (parts, body) = request.into_parts();
    let bytes = body.bytes().ok_or_else(|| ConnectorError::user("the request is a stream, which is not sent".into()))?;
    Ok(Request::from_parts(parts, https::body(bytes.to_vec())))
}

/// What the SDK may try again, and what it may not.
fn failed(error: https::Error) -> ConnectorError {
    if error.is_connect() {
        return ConnectorError::io(error.into());
    }
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(hyper) = inner.downcast_ref::<hyper::Error>() {
            if hyper.is_user() {
                return ConnectorError::user(error.into());
            }
            // It broke off: nobody knows whether the request was seen, and what must not come twice bears a token.
            if hyper.is_incomplete_message() {
                return ConnectorError::other(error.into(), Some(ErrorKind::TransientError));
            }
            if hyper.is_timeout() {
                return ConnectorError::timeout(error.into());
            }
            if hyper.is_closed() || hyper.is_canceled() {
                return ConnectorError::io(error.into());
            }
        }
        if inner.is::<std::io::Error>() {
            return ConnectorError::io(error.into());
        }
        cause = inner.source();
    }
    ConnectorError::other(error.into(), None)
}

#[cfg(test)]
mod tests;
