//! Laws of the way out: a resolver and a connector that write down what they were asked for.

use super::{Gate, Net, NotDialled, refusal};
use async_trait::async_trait;
use domain::address::{Door, Place, Refused, Rules};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::net::{TcpListener, TcpStream};
use tower_service::Service;

const PUBLIC: &str = "93.184.215.14";

/// Names lead to public addresses at the first look and home at the second.
#[derive(Default)]
struct Town {
    port: u16,
    looked_up: AtomicUsize,
    dialled: Mutex<Vec<SocketAddr>>,
}

#[async_trait]
impl Net for Town {
    async fn resolve(&self, host: &str, _: u16) -> std::io::Result<Vec<IpAddr>> {
        let looks = self.looked_up.fetch_add(1, Ordering::Relaxed);
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        let texts: &[&str] = match host {
            "good.example.com" => &[PUBLIC],
            "rebinding.example.com" if looks == 0 => &[PUBLIC],
            "rebinding.example.com" => &["127.0.0.1"],
            "private.example.com" => &["10.20.1.1"],
            "mixed.example.com" => &[PUBLIC, "10.20.1.1"],
            "metadata.example.com" => &["169.254.169.254"],
            "dead.example.com" => &["198.41.0.4", "198.41.0.5", "198.41.0.6"],
            "hangs.example.com" => std::future::pending().await,
            "empty.example.com" => &[],
            _ => return Err(std::io::Error::other("no such name")),
        };
        Ok(texts.iter().map(|text| text.parse().unwrap()).collect())
    }

    async fn connect(&self, to: SocketAddr) -> std::io::Result<TcpStream> {
        self.dialled.lock().unwrap().push(to);
        if to.ip().to_string().starts_with("198.41.") {
            return Err(std::io::Error::other("nobody there"));
        }
        TcpStream::connect(("127.0.0.1", self.port)).await
    }
}

async fn town(rules: Rules) -> (Arc<Town>, Gate, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let town = Arc::new(Town { port: listener.local_addr().unwrap().port(), ..Town::default() });
    (town.clone(), Gate::new(town, rules), listener)
}

fn dialled(town: &Town) -> Vec<String> {
    town.dialled.lock().unwrap().iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn the_connection_goes_to_the_address_that_was_judged() {
    let (town, gate, _listener) = town(Rules::public()).await;
    gate.dial("rebinding.example.com", 443).await.unwrap();
    assert_eq!((dialled(&town), town.looked_up.load(Ordering::Relaxed)), (vec![format!("{PUBLIC}:443")], 1));
    // Its second look is another connection's, and is judged anew.
    assert!(matches!(gate.dial("rebinding.example.com", 443).await, Err(NotDialled::Refused(_))));
    assert_eq!(dialled(&town).len(), 1);
}

#[tokio::test]
async fn one_bad_address_refuses_the_good_ones() {
    let (town, gate, _listener) = town(Rules::public()).await;
    for name in ["private.example.com", "mixed.example.com", "metadata.example.com", "169.254.169.254", "::ffff:127.0.0.1", "127.0.0.1"] {
        assert!(matches!(gate.dial(name, 443).await, Err(NotDialled::Refused(Refused::Address { .. }))), "{name}");
    }
    assert_eq!(dialled(&town), Vec::<String>::new());
}

#[tokio::test]
async fn an_opened_range_opens_itself_and_nothing_else() {
    let (town, gate, _listener) = town(Rules::parse("10.20.0.0/16").unwrap()).await;
    gate.dial("private.example.com", 6443).await.unwrap();
    gate.dial("mixed.example.com", 6443).await.unwrap();
    for name in ["10.21.0.1", "metadata.example.com", "127.0.0.1"] {
        assert!(gate.dial(name, 6443).await.is_err(), "{name}");
    }
    assert_eq!(dialled(&town), ["10.20.1.1:6443".to_owned(), format!("{PUBLIC}:6443")]);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_leads_nowhere_ends_in_time() {
    let (town, gate, _listener) = town(Rules::public()).await;
    for name in ["nobody.example.com", "empty.example.com", "hangs.example.com"] {
        assert_eq!(gate.dial(name, 443).await.unwrap_err(), NotDialled::NoAddress, "{name}");
    }
    assert_eq!(gate.dial("dead.example.com", 443).await.unwrap_err(), NotDialled::NoConnection);
    assert_eq!(dialled(&town).len(), 2, "two of its three addresses were tried");
}

#[tokio::test(start_paused = true)]
async fn whoever_names_a_place_is_told_where_it_leads_and_nothing_is_dialled() {
    let (town, gate, _listener) = town(Rules::public()).await;
    let place = |name: &str| Place::read(&format!("https://{name}"), Door::ApiServer).unwrap();
    for fine in ["good.example.com", "nobody.example.com", "hangs.example.com"] {
        assert_eq!(gate.admit(&place(fine)).await, Ok(()), "{fine}");
    }
    for bad in ["private.example.com", "mixed.example.com", "metadata.example.com"] {
        assert_eq!(gate.admit(&place(bad)).await.unwrap_err().rule(), "address", "{bad}");
    }
    assert_eq!(dialled(&town), Vec::<String>::new());
}

#[tokio::test]
async fn a_client_of_hyper_is_led_through() {
    let (town, mut gate, _listener) = town(Rules::public()).await;
    gate.call("https://good.example.com/x".parse().unwrap()).await.unwrap();
    gate.call("https://[2606:4700::1111]:6443/x".parse().unwrap()).await.unwrap();
    let refused = gate.call("http://[::1]:9001/next".parse().unwrap()).await.err().unwrap();
    assert!(refusal(&refused).is_some());
    let wrapped = std::io::Error::other(refused);
    assert!(refusal(&wrapped).is_some() || wrapped.get_ref().is_some_and(|inner| inner.downcast_ref::<NotDialled>().is_some()));
    assert_eq!(dialled(&town), [format!("{PUBLIC}:443"), "[2606:4700::1111]:6443".to_owned()]);
}
