//! Addresses that are named: refused where they would be refused when they are called, and nothing leaves.

use super::super::support::{Bench, printed};
use super::{CLUSTERS, cases, told};
use http::StatusCode;
use serde_json::{Value, json};
use std::net::IpAddr;

const ADDRESSES: &str = include_str!("../../../../../tests/attacks/addresses.json");

/// The host of a URL that leads somewhere.
fn host(url: &str) -> &str {
    url.trim_start_matches("https://").split('/').next().unwrap()
}

#[expect(clippy::print_stdout, reason = "a figure for CI")]
#[tokio::test]
async fn no_address_of_the_corpus_can_be_named() {
    let (mut named, mut wrong) = (0, Vec::new());
    for case in cases(ADDRESSES) {
        let (url, door) = (case["url"].as_str().unwrap(), case["door"].as_str().unwrap());
        let bench = Bench::new().await;
        let leads: Option<Vec<IpAddr>> =
            case["leads_to"].as_array().map(|all| all.iter().map(|text| text.as_str().unwrap().parse().unwrap()).collect());
        if let Some(leads) = &leads {
            bench.town.names.lock().unwrap().insert(host(url).to_owned(), leads.clone());
        }
        let answer = match door {
            "api-server" => {
                let mut body = printed();
                body["k8s_api_endpoint"] = json!(url);
                bench.post("acme-admin", CLUSTERS, &body).await
            }
            "webhook" => {
                let body = json!({ "label": "x", "channel": "webhook", "url": url });
                bench.post("acme-admin", "/api/v1/notifications/targets", &body).await
            }
            // Named by whoever runs this, in the environment.
            "server" => continue,
            other => panic!("{other}"),
        };
        named += 1;
        let expected = if case["expect"] == "refuse" { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::CREATED };
        if answer.status != expected {
            wrong.push(format!("{} instead of {expected}: {}: {}", answer.status, told(&case), answer.text));
        }
        assert_eq!(*bench.town.dialled.lock().unwrap(), vec![], "{}", told(&case));
        // A name is looked up once, and what is refused as it is spelled not at all.
        let looked_up = bench.town.looked_up.lock().unwrap().iter().filter(|name| name.parse::<IpAddr>().is_err()).count();
        assert_eq!(looked_up, usize::from(leads.is_some()), "{}", told(&case));
        if expected == StatusCode::UNPROCESSABLE_ENTITY {
            let stored = bench.get("acme-admin", CLUSTERS).await.json();
            assert_eq!(stored["items"].as_array().map(Vec::len), Some(1), "{}", told(&case));
            let kept: Value = bench.get("acme-admin", "/api/v1/notifications/targets").await.json();
            assert_eq!(kept["items"], json!([]), "{}", told(&case));
        }
    }
    assert!(wrong.is_empty(), "{} of {named}: {wrong:#?}", wrong.len());
    println!("BENCH attack_addresses_named {named} cases >= 280");
}
