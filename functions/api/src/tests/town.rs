//! The names and addresses of the tests. What is looked up and called is written down; nobody is called.

use async_trait::async_trait;
use gate::Net;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;
use tokio::net::TcpStream;

/// A resolver and a connector that write down what they were asked for.
#[derive(Default)]
pub(crate) struct Town {
    /// Names in the order asked.
    pub(crate) looked_up: Mutex<Vec<String>>,
    /// Where names lead.
    pub(crate) names: Mutex<HashMap<String, Vec<IpAddr>>>,
    /// Addresses that a packet would have gone to.
    pub(crate) dialled: Mutex<Vec<SocketAddr>>,
}

/// Where a name leads: each name of the form `to-<address with dashes>.example.com` to that address, several behind `-and-`.
fn led(host: &str) -> Option<Vec<IpAddr>> {
    let texts = host.strip_prefix("to-")?.strip_suffix(".example.com")?;
    texts.split("-and-").map(|text| text.replace('-', ".").parse().or_else(|_| text.replace('-', ":").parse()).ok()).collect()
}

#[async_trait]
impl Net for Town {
    async fn resolve(&self, host: &str, _: u16) -> std::io::Result<Vec<IpAddr>> {
        self.looked_up.lock().unwrap().push(host.to_owned());
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        let named = self.names.lock().unwrap().get(host).cloned();
        named.or_else(|| led(host)).ok_or_else(|| std::io::Error::other("no such name"))
    }

    async fn connect(&self, to: SocketAddr) -> std::io::Result<TcpStream> {
        self.dialled.lock().unwrap().push(to);
        Err(std::io::Error::other("nobody is called from here"))
    }
}
