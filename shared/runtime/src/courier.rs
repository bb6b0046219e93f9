//! Carries notices over HTTPS to where customers say, and nowhere else: the adapter to the port [`Courier`].

use async_trait::async_trait;
use domain::address::{Door, Place};
use domain::notify::Sending;
use domain::ports::{Courier, Parcel};
use gate::{Gate, NotDialled};
use http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri, header};
use http_body_util::Full;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use secrecy::ExposeSecret;
use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::TlsConnector;

/// The most that one sending takes, from the name to the status (Standard Webhooks: 15 to 30 s).
const WHOLE: Duration = Duration::from_secs(15);
/// The most of an answer's head that is read, in bytes.
const HEAD_MAX: usize = 32_768;

/// Carries posts; letters go to whom it was given for them.
///
/// # Guarantees
/// Those of [`Courier`] and of the [`Gate`]. No connection is kept: the next sending resolves and judges anew.
pub struct HttpCourier {
    gate: Gate,
    tls: TlsConnector,
    letters: Option<Arc<dyn Courier>>,
}

impl HttpCourier {
    /// Connects to nothing yet. `roots`: whom certificates must come from; `None`: the public authorities that this machine knows.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(gate: Gate, roots: Option<RootCertStore>) -> Result<HttpCourier, rustls::Error> {
        let roots = roots.unwrap_or_else(|| {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            roots
        });
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let config = config.with_root_certificates(roots).with_no_client_auth();
        Ok(HttpCourier { gate, tls: TlsConnector::from(Arc::new(config)), letters: None })
    }

    /// Gives letters to this one.
    #[must_use]
    pub fn with_letters(self, letters: Arc<dyn Courier>) -> HttpCourier {
        HttpCourier { letters: Some(letters), ..self }
    }

    async fn post(&self, place: &Place, headers: &[(&'static str, String)], body: &str) -> Result<Sending, Sending> {
        let tcp = self.gate.dial(&place.host, place.port).await.map_err(|error| match error {
            NotDialled::NoAddress => Sending::NoAddress,
            NotDialled::Refused(_) => Sending::Forbidden,
            NotDialled::NoConnection => Sending::NoConnection,
        })?;
        let name = ServerName::try_from(place.host.clone()).map_err(|_| Sending::NoTls)?;
        let tls = self.tls.connect(name, tcp).await.map_err(|_| Sending::NoTls)?;
        let request = request(place, headers, body)?;
        let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
            .max_buf_size(HEAD_MAX)
            .handshake(TokioIo::new(tls))
            .await
            .map_err(|_| Sending::NoConnection)?;
        // The connection is driven here and not in a task of its own, so that it ends with this sending. It may be over in the very
        // moment in which the answer is there.
        let mut answer = std::pin::pin!(sender.send_request(request));
        let answer = tokio::select! {
            answer = &mut answer => answer,
            _ = connection => answer.await,
        };
        let response = answer.map_err(|_| Sending::NoConnection)?;
        // The body is not read: it is shown to nobody.
        let status = response.status();
        let asked = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        match status.is_success() {
            true => Ok(Sending::Delivered { status: status.as_u16() }),
            false => Err(Sending::Refused { status: status.as_u16(), retry_after_s: asked.filter(|_| patient(status)) }),
        }
    }
}

#[async_trait]
impl Courier for HttpCourier {
    async fn carry(&self, parcel: &Parcel) -> Sending {
        match parcel {
            Parcel::Post { url, headers, body } => {
                let Ok(place) = Place::parse(url.expose_secret(), Door::Webhook, self.gate.rules()) else {
                    return Sending::Forbidden;
                };
                match tokio::time::timeout(WHOLE, self.post(&place, headers, body)).await {
                    Ok(Ok(sending) | Err(sending)) => sending,
                    Err(_) => Sending::Slow,
                }
            }
            Parcel::Letter { .. } => match &self.letters {
                Some(letters) => letters.carry(parcel).await,
                None => Sending::NotSent { why: "mail is not set up here: NOTIFICATION_EMAIL_FROM names no verified sender".to_owned() },
            },
        }
    }
}

/// Whose `Retry-After` means something.
fn patient(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
    )
}

fn request(place: &Place, headers: &[(&'static str, String)], body: &str) -> Result<Request<Full<Cursor<Vec<u8>>>>, Sending> {
    let unfit = || Sending::NotSent { why: "the request cannot be made: a header has characters that none may have".to_owned() };
    let mut request = Request::new(Full::new(Cursor::new(body.as_bytes().to_vec())));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = place.path.parse::<Uri>().map_err(|_| Sending::Forbidden)?;
    let fixed = [
        (header::HOST, place.authority.clone()),
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CONTENT_LENGTH, body.len().to_string()),
        (header::USER_AGENT, "cloudoptim".to_owned()),
        (header::CONNECTION, "close".to_owned()),
    ];
    let given = headers.iter().map(|(name, value)| (HeaderName::from_static(name), value.clone()));
    for (name, value) in fixed.into_iter().chain(given) {
        request.headers_mut().insert(name, HeaderValue::try_from(value).map_err(|_| unfit())?);
    }
    Ok(request)
}

#[cfg(test)]
mod tests;
