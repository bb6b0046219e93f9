//! Laws of what is sent.

use super::{message_id, slack, webhook};
use domain::Timestamp;
use domain::ids::{ClusterId, CustomerId};
use domain::ports::{Moment, Notice};

fn notice(subject: &str, sentences: Vec<String>) -> Notice {
    let at: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    let (customer, cluster) = (CustomerId::parse("acme").unwrap(), ClusterId::parse("prod").unwrap());
    Notice::new((&customer, &cluster), ("ghost", Moment::Detected), (subject, at), sentences, at)
}

#[test]
fn slack_takes_whatever_is_said() {
    for said in [vec![], vec!["a < b & c > d".to_owned()], vec!["x".repeat(50_000)], vec!["ä".repeat(4_000); 10]] {
        let message = slack(&notice(&"i-0123".repeat(100), said));
        let blocks = message["blocks"].as_array().unwrap();
        assert!(blocks.len() <= 50 && !message["text"].as_str().unwrap().is_empty());
        assert!(blocks[0]["text"]["text"].as_str().unwrap().chars().count() <= 150);
        for block in &blocks[1..] {
            let text = block["text"]["text"].as_str().or_else(|| block["elements"][0]["text"].as_str()).unwrap();
            assert!((1..=3_000).contains(&text.chars().count()));
            assert!(!text.contains(['<', '>']));
        }
    }
}

#[test]
fn a_webhook_says_what_where_and_when_below_twenty_kilobytes() {
    let body = webhook(&notice("i-0123456789abcdef0", vec!["It runs and is no node.".to_owned(), "y".repeat(100_000)]));
    assert_eq!((body["type"].as_str(), body["timestamp"].as_str()), (Some("ghost.detected"), Some("2026-03-01T12:00:00Z")));
    assert_eq!(body["data"]["cluster_id"], "prod");
    assert_eq!(body["data"]["headline"], "Found: ghost instance i-0123456789abcdef0 (prod)");
    assert_eq!(body["data"]["sentences"][0], "It runs and is no node.");
    assert!(body.to_string().len() < 20_000);
}

#[test]
fn the_id_of_a_message_stays_the_same_and_is_plain() {
    let one = notice("deployment shop/web ü", Vec::new());
    assert_eq!(message_id(&one), message_id(&one.clone()));
    assert_ne!(message_id(&one), message_id(&notice("deployment shop/web", Vec::new())));
    assert!(message_id(&one).bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
}

#[test]
fn what_looks_like_a_secret_is_sent_to_nobody() {
    let token = format!("eyJ{}", "h".repeat(80));
    let told = notice(&token, vec![format!("The server said: Bearer {token} is not valid.")]);
    for body in [webhook(&told).to_string(), slack(&told).to_string(), super::mail(&told)] {
        assert!(!body.contains(&token), "{body}");
    }
}
