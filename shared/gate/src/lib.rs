//! The one way out to addresses that others have named: Kubernetes APIs, receivers of notices, decision servers.
//!
//! ```no_run
//! # async fn example() -> Result<(), gate::NotDialled> {
//! let gate = gate::Gate::internet(domain::address::Rules::public());
//! let connection = gate.dial("hooks.example.com", 443).await?;
//! # Ok(()) }
//! ```
//!
//! # Guarantees
//! A name is resolved once per connection. Every address that it leads to is judged, and one bad address among good ones refuses
//! them all: so it is that a name is made to lead elsewhere at the second look. The connection goes to one of those very addresses;
//! what is said over it (SNI, `Host`) is the name's. No proxy of the environment is used. Where the answer is no, no packet leaves.
//!
//! Not here, and never: TLS, HTTP, redirects. Whoever speaks over a connection follows none.

use async_trait::async_trait;
use domain::address::{self, Place, Refused, Rules};
use http::Uri;
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Until a name is resolved, when a connection waits for it.
const RESOLVE: Duration = Duration::from_secs(3);
/// The same, when a person waits who has just named it.
const LOOK: Duration = Duration::from_secs(1);
/// Until a connection is up, by default.
const CONNECT: Duration = Duration::from_secs(3);
/// How many of a name's addresses are tried.
const TRIES: usize = 2;

/// Names and connections.
#[async_trait]
pub trait Net: Send + Sync {
    /// All addresses of a name, or the address that it is.
    async fn resolve(&self, host: &str, port: u16) -> std::io::Result<Vec<IpAddr>>;
    /// A connection to this very address.
    async fn connect(&self, to: SocketAddr) -> std::io::Result<TcpStream>;
}

/// The internet, as this machine sees it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Internet;

#[async_trait]
impl Net for Internet {
    async fn resolve(&self, host: &str, port: u16) -> std::io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, port)).await?.map(|address| address.ip()).collect())
    }

    async fn connect(&self, to: SocketAddr) -> std::io::Result<TcpStream> {
        TcpStream::connect(to).await
    }
}

/// Why there is no connection. The words are ours: what a resolver or a peer says is not repeated to whoever named the place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotDialled {
    /// The name leads nowhere, or was not resolved in time.
    #[error("its name leads to no address")]
    NoAddress,
    /// It leads to an address that is not called.
    #[error("the address is refused: {0}")]
    Refused(#[from] Refused),
    /// None of its addresses answered in time.
    #[error("no connection to any of its addresses")]
    NoConnection,
}

/// Resolves, judges, connects. Cheap to clone.
#[derive(Clone)]
pub struct Gate {
    net: Arc<dyn Net>,
    rules: Arc<Rules>,
    /// Whether addresses are judged: all but AWS's own are.
    judges: bool,
    connect: Duration,
}

impl Gate {
    /// Over this net.
    pub fn new(net: Arc<dyn Net>, rules: Rules) -> Gate {
        Gate { net, rules: Arc::new(rules), judges: true, connect: CONNECT }
    }

    /// Over the internet, as this machine sees it.
    pub fn internet(rules: Rules) -> Gate {
        Gate::new(Arc::new(Internet), rules)
    }

    /// Over the internet and to this machine: for what talks to parts of its own process.
    pub fn this_machine() -> Gate {
        Gate::internet(Rules::this_machine())
    }

    /// To AWS, wherever it is: at public addresses, at an endpoint in our own network, or at an emulator on this machine. Nobody but whoever
    /// deploys the product names those, so that they are not judged; what a customer names never goes this way.
    pub fn to_aws() -> Gate {
        Gate { judges: false, ..Gate::internet(Rules::public()) }
    }

    /// Waits so long for a connection to each address.
    #[must_use]
    pub fn waiting(self, connect: Duration) -> Gate {
        Gate { connect, ..self }
    }

    /// What may be called.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Judges where a place leads right now, for whoever has just named it. A name that leads nowhere yet passes: a cluster may be
    /// registered before it is reachable, and each connection judges anew. No connection is made.
    ///
    /// # Errors
    /// [`Refused`] says which rule.
    pub async fn admit(&self, place: &Place) -> Result<(), Refused> {
        let found = timeout(LOOK, self.net.resolve(&place.host, place.port)).await;
        let addresses = found.ok().and_then(Result::ok).unwrap_or_default();
        addresses.into_iter().try_for_each(|address| self.judge(SocketAddr::new(address, place.port)))
    }

    fn judge(&self, to: SocketAddr) -> Result<(), Refused> {
        if self.judges { address::judge(to, &self.rules) } else { Ok(()) }
    }

    /// A connection to a place, to an address that was judged just before.
    ///
    /// # Errors
    /// [`NotDialled`].
    pub async fn dial(&self, host: &str, port: u16) -> Result<TcpStream, NotDialled> {
        let found = timeout(RESOLVE, self.net.resolve(host, port)).await;
        let addresses = found.ok().and_then(Result::ok).filter(|found| !found.is_empty()).ok_or(NotDialled::NoAddress)?;
        let places: Vec<SocketAddr> = addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect();
        places.iter().try_for_each(|to| self.judge(*to))?;
        for to in places.into_iter().take(TRIES) {
            if let Ok(Ok(tcp)) = timeout(self.connect, self.net.connect(to)).await {
                // Small requests must not wait for each other. One that cannot say so is slower, and works.
                let _nagled = tcp.set_nodelay(true);
                return Ok(tcp);
            }
        }
        Err(NotDialled::NoConnection)
    }
}

/// For hyper's connectors: a connection to the host of a URI.
impl tower_service::Service<Uri> for Gate {
    type Response = TokioIo<TcpStream>;
    type Error = NotDialled;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NotDialled>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let gate = self.clone();
        Box::pin(async move {
            let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
            let port = uri.port_u16().unwrap_or_else(|| if uri.scheme_str() == Some("http") { 80 } else { 443 });
            gate.dial(host, port).await.map(TokioIo::new)
        })
    }
}

/// Whether an error of an HTTP client says, anywhere inside, that an address was refused. Trying again changes nothing then.
pub fn refusal<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e Refused> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        match error.downcast_ref::<NotDialled>() {
            Some(NotDialled::Refused(refused)) => return Some(refused),
            Some(NotDialled::NoAddress | NotDialled::NoConnection) => return None,
            None => cause = error.source(),
        }
    }
    None
}

#[cfg(test)]
mod tests;
