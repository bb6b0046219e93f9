//! Addresses at the moment of the connection: what is stored already, however it came there, is judged again by whoever calls it.

use crate::corpus::{cases, told};
use async_trait::async_trait;
use domain::address::Rules;
use domain::decision::PredictRequest;
use domain::ids::Region;
use domain::notify::Sending;
use domain::ports::{Advisor, Clusters, Courier, Parcel, Vault};
use gate::{Gate, Net};
use harness::system::a_cluster;
use runtime::advisor::HttpAdvisor;
use runtime::courier::HttpCourier;
use runtime::http::Limits;
use secrecy::SecretString;
use serde_json::Value;
use sim::clock::EPOCH;
use sim::store::MemoryVault;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use tokio::net::TcpStream;

/// A resolver and a connector that write down what they were asked for. Nobody is called.
#[derive(Default)]
struct Recorder {
    leads: Vec<IpAddr>,
    /// What the name leads to from the second look on.
    then: Option<Vec<IpAddr>>,
    looked_up: Mutex<Vec<String>>,
    dialled: Mutex<Vec<SocketAddr>>,
}

#[async_trait]
impl Net for Recorder {
    async fn resolve(&self, host: &str, port: u16) -> std::io::Result<Vec<IpAddr>> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        // Numbers that are no addresses are addresses to a resolver; a real one says what this machine would dial.
        if host == "localhost" || host.bytes().all(|b| b.is_ascii_digit() || b".x".contains(&b)) {
            return gate::Internet.resolve(host, port).await;
        }
        let mut looked_up = self.looked_up.lock().unwrap();
        looked_up.push(host.to_owned());
        let leads = if looked_up.len() > 1 { self.then.as_ref().unwrap_or(&self.leads) } else { &self.leads };
        if leads.is_empty() { Err(std::io::Error::other("no such name")) } else { Ok(leads.clone()) }
    }

    async fn connect(&self, to: SocketAddr) -> std::io::Result<TcpStream> {
        self.dialled.lock().unwrap().push(to);
        Err(std::io::Error::other("nobody is called from here"))
    }
}

fn addresses(case: &Value, name: &str) -> Option<Vec<IpAddr>> {
    Some(case[name].as_array()?.iter().map(|text| text.as_str().unwrap().parse().unwrap()).collect())
}

/// Calls an API server twice as the executor would; whether it said that it refuses.
async fn api_server(url: &str, gate: Gate) -> bool {
    let vault = Arc::new(MemoryVault::default());
    let mut cluster =
        a_cluster(&"acme".to_owned().try_into().unwrap(), &"prod".to_owned().try_into().unwrap(), "123456789012", "us-east-1", EPOCH);
    cluster.k8s_api_endpoint = url.to_owned();
    cluster.k8s_ca = Some(rcgen::generate_simple_self_signed(vec!["api.example.com".to_owned()]).unwrap().cert.pem());
    cluster.k8s_token = Some(vault.seal(&cluster.seal_context(), &"the-token".to_owned().into()).await.unwrap());
    let settings = kubernetes::Settings { timeout_s: 5, retry_attempts: 2, backoff_factor: 1 };
    let connections = kubernetes::Connections::new(vault, settings, gate);
    let error = match connections.connect(&cluster).await {
        Err(error) => error,
        Ok(cluster) => cluster.nodes().await.expect_err("nobody answers"),
    };
    assert!(!error.to_string().contains("the-token"), "{error}");
    matches!(error, domain::ports::ClusterError::Refused(_))
}

/// Sends a notice twice.
async fn webhook(url: &str, gate: Gate) -> bool {
    let courier = HttpCourier::new(gate, Some(rustls::RootCertStore::empty())).unwrap();
    let parcel = Parcel::Post { url: SecretString::from(url.to_owned()), headers: Vec::new(), body: "{}".to_owned() };
    let first = courier.carry(&parcel).await;
    let second = courier.carry(&parcel).await;
    [first, second].contains(&Sending::Forbidden)
}

/// Asks a decision server twice.
async fn server(url: &str, gate: Gate) -> bool {
    let key = SecretString::from("a-key-of-sixteen-characters".to_owned());
    let limits = Limits { connect_s: 1, whole_s: 5, ..Limits::default() };
    let Ok(advisor) = HttpAdvisor::new(url, &key, limits, &gate) else { return true };
    let question = PredictRequest { region: Region::parse("us-east-1").unwrap(), pools: Vec::new(), horizon_minutes: 60 };
    let errors = [advisor.predict(&question).await.unwrap_err(), advisor.predict(&question).await.unwrap_err()];
    assert!(errors.iter().all(|error| !error.to_string().contains("a-key-of")), "{errors:?}");
    errors.iter().any(|error| matches!(error, domain::ports::AdvisorError::Refused(_)))
}

#[tokio::test]
async fn no_address_of_the_corpus_is_called_and_a_good_one_is_the_one_that_was_judged() {
    let (cases, mut wrong) = (cases("addresses.json"), Vec::new());
    for case in &cases {
        let (url, expect) = (case["url"].as_str().unwrap(), case["expect"].as_str().unwrap());
        let leads = addresses(case, "leads_to");
        let net = Arc::new(Recorder { leads: leads.clone().unwrap_or_default(), then: addresses(case, "then"), ..Recorder::default() });
        let gate = Gate::new(net.clone(), Rules::public());
        let refused = match case["door"].as_str().unwrap() {
            "api-server" => api_server(url, gate).await,
            "webhook" => webhook(url, gate).await,
            "server" => server(url, gate).await,
            other => panic!("{other}"),
        };
        let dialled = net.dialled.lock().unwrap().clone();
        let looked_up = net.looked_up.lock().unwrap().len();
        if expect == "refuse" {
            // Inner names are refused where they are named, and lead nowhere from here.
            let nowhere = leads.is_none() && looked_up > 0;
            if !dialled.is_empty() || !(refused || nowhere) {
                wrong.push(format!("called {dialled:?}, refused: {refused}: {}", told(case)));
            }
        } else {
            let address: IpAddr = expect.parse().unwrap();
            if dialled.is_empty() || dialled.iter().any(|to| to.ip() != address) || looked_up < dialled.len() {
                wrong.push(format!("called {dialled:?} after {looked_up} looks: {}", told(case)));
            }
            assert_eq!(refused, case["then"].is_array(), "where the second look leads home, it is refused: {}", told(case));
        }
    }
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), cases.len());
    println!("BENCH attack_addresses_called {} cases >= 400", cases.len());
}
