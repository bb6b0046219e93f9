//! DynamoDB: passed on to the emulator that the caller serves.

use super::answer::{self, Answer};
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Request, header};
use http_body_util::Full;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;

/// The way to the emulator.
pub(crate) struct DynamoDb {
    url: String,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl DynamoDb {
    pub(crate) fn new(url: String) -> Self {
        Self { url, client: Client::builder(TokioExecutor::new()).build_http() }
    }

    /// The same call there, and its answer as it came, checksum and all.
    pub(crate) async fn forward(&self, headers: &HeaderMap, body: Bytes) -> Answer {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = axum::http::Method::POST;
        let Ok(uri) = self.url.parse() else { return answer::plain(502, format!("{} is no URL", self.url)) };
        *request.uri_mut() = uri;
        *request.headers_mut() = headers.clone();
        // These belong to the connection, not to the call.
        for name in [header::HOST, header::CONNECTION, header::TRANSFER_ENCODING, header::CONTENT_LENGTH] {
            request.headers_mut().remove(name);
        }
        match self.client.request(request).await {
            Ok(answer) => answer.map(Body::new),
            Err(error) => answer::plain(502, format!("the DynamoDB emulator does not answer: {error}")),
        }
    }
}
