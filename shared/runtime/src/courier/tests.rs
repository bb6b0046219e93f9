//! Laws of carrying, against receivers of every temper over real TLS. Names lead to public addresses, behind which this machine stands.

use super::HttpCourier;
use async_trait::async_trait;
use domain::address::Rules;
use domain::notify::Sending;
use domain::ports::{Courier, Parcel};
use gate::{Gate, Net};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{RootCertStore, ServerConfig};
use secrecy::SecretString;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A public address, behind which the receiver of the test stands.
const PUBLIC: &str = "93.184.215.14";

/// Where names lead, what was dialled, and how often names were looked up.
struct Town {
    port: u16,
    dialled: Mutex<Vec<SocketAddr>>,
    looked_up: AtomicUsize,
}

#[async_trait]
impl Net for Town {
    async fn resolve(&self, host: &str, _port: u16) -> std::io::Result<Vec<IpAddr>> {
        self.looked_up.fetch_add(1, Ordering::Relaxed);
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        let texts: &[&str] = match host {
            "receiver.example.com" | "elsewhere.example.com" => &[PUBLIC],
            "metadata.example.com" => &["169.254.169.254"],
            "mixed.example.com" => &[PUBLIC, "10.0.0.7"],
            "mapped.example.com" => &["::ffff:127.0.0.1"],
            "empty.example.com" => &[],
            _ => return Err(std::io::Error::other("no such name")),
        };
        Ok(texts.iter().map(|text| text.parse().unwrap()).collect())
    }

    async fn connect(&self, to: SocketAddr) -> std::io::Result<TcpStream> {
        self.dialled.lock().unwrap().push(to);
        TcpStream::connect(("127.0.0.1", self.port)).await
    }
}

/// A receiver that answers with these bytes and then hangs; gives what it was sent.
async fn receiver(answer: &'static [u8]) -> (Arc<Town>, HttpCourier, Arc<Mutex<String>>) {
    let made = rcgen::generate_simple_self_signed(vec!["receiver.example.com".to_owned()]).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Arc::new(Mutex::new(String::new()));
    let ears = heard.clone();
    tokio::spawn(async move {
        while let Ok((tcp, _)) = listener.accept().await {
            let (acceptor, ears) = (acceptor.clone(), ears.clone());
            tokio::spawn(async move {
                let Ok(mut tls) = acceptor.accept(tcp).await else { return };
                let mut buffer = vec![0; 65_536];
                let mut text = String::new();
                while !text.contains("\"end\"") {
                    let Ok(read) = tls.read(&mut buffer).await else { return };
                    if read == 0 {
                        return;
                    }
                    text.push_str(&String::from_utf8_lossy(&buffer[..read]));
                }
                *ears.lock().unwrap() = text;
                // A written error means that nobody listens any more.
                let _written = tls.write_all(answer).await;
                let _flushed = tls.flush().await;
                std::future::pending::<()>().await;
            });
        }
    });
    let town = Arc::new(Town { port, dialled: Mutex::default(), looked_up: AtomicUsize::new(0) });
    let courier = HttpCourier::new(Gate::new(town.clone(), Rules::public()), Some(roots)).unwrap();
    (town, courier, heard)
}

fn post(url: &str) -> Parcel {
    Parcel::Post {
        url: SecretString::from(url.to_owned()),
        headers: vec![("webhook-id", "msg_1".to_owned())],
        body: r#"{"say":"end"}"#.replace(r#""end""#, r#"["end"]"#),
    }
}

#[tokio::test]
async fn a_status_of_two_hundred_and_something_is_a_delivery() {
    let (town, courier, heard) = receiver(b"HTTP/1.1 202 Accepted\r\ncontent-length: 9\r\n\r\nsecret so").await;
    assert_eq!(courier.carry(&post("https://receiver.example.com/hook?key=1")).await, Sending::Delivered { status: 202 });
    let heard = heard.lock().unwrap().clone();
    assert!(heard.starts_with("POST /hook?key=1 HTTP/1.1\r\n"), "{heard}");
    assert!(heard.contains("host: receiver.example.com\r\n") && heard.contains("webhook-id: msg_1\r\n"), "{heard}");
    assert_eq!(*town.dialled.lock().unwrap(), vec![format!("{PUBLIC}:443").parse::<SocketAddr>().unwrap()]);
    assert_eq!(town.looked_up.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (town, courier, _) =
        receiver(b"HTTP/1.1 307 Temporary Redirect\r\nlocation: https://169.254.169.254/\r\ncontent-length: 0\r\n\r\n").await;
    assert_eq!(courier.carry(&post("https://receiver.example.com/")).await, Sending::Refused { status: 307, retry_after_s: None });
    assert_eq!((town.dialled.lock().unwrap().len(), town.looked_up.load(Ordering::Relaxed)), (1, 1));
}

#[tokio::test]
async fn a_busy_receiver_says_how_long() {
    let (_, courier, _) = receiver(b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 77\r\ncontent-length: 0\r\n\r\n").await;
    assert_eq!(courier.carry(&post("https://receiver.example.com/")).await, Sending::Refused { status: 429, retry_after_s: Some(77) });
}

#[tokio::test]
async fn no_packet_goes_to_a_place_that_may_not_be_called() {
    let (town, courier, _) = receiver(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    for url in [
        "https://metadata.example.com/",
        "https://mixed.example.com/",
        "https://mapped.example.com/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "http://receiver.example.com/",
        "https://receiver.example.com:9001/",
        "https://user:pw@receiver.example.com/",
        "ftp://receiver.example.com/",
        "receiver.example.com",
        "",
    ] {
        assert_eq!(courier.carry(&post(url)).await, Sending::Forbidden, "{url}");
    }
    assert_eq!(*town.dialled.lock().unwrap(), vec![]);
    assert_eq!(courier.carry(&post("https://nobody.example.com/")).await, Sending::NoAddress);
    assert_eq!(courier.carry(&post("https://empty.example.com/")).await, Sending::NoAddress);
}

#[tokio::test]
async fn a_certificate_for_another_name_is_no_tls() {
    let (_, courier, heard) = receiver(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    assert_eq!(courier.carry(&post("https://elsewhere.example.com/")).await, Sending::NoTls);
    assert_eq!(*heard.lock().unwrap(), "", "nothing was said to it");
}

#[tokio::test]
async fn a_receiver_that_talks_nonsense_is_no_connection() {
    let (_, courier, _) = receiver(b"SSH-2.0-OpenSSH_9.9\r\n").await;
    assert_eq!(courier.carry(&post("https://receiver.example.com/")).await, Sending::NoConnection);
    let (_, courier, _) = receiver(b"").await;
    let hung = tokio::time::timeout(std::time::Duration::from_millis(300), courier.carry(&post("https://receiver.example.com/"))).await;
    assert!(hung.is_err(), "one that hangs is waited for, up to the limit");
}

#[tokio::test]
async fn mail_that_nobody_was_given_is_said_to_be_unsent() {
    let (_, courier, _) = receiver(b"").await;
    let letter = Parcel::Letter { to: "ops@example.com".to_owned(), subject: "s".to_owned(), text: "t".to_owned() };
    assert!(matches!(courier.carry(&letter).await, Sending::NotSent { .. }));
}
