use super::*;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Default)]
struct Reader {
    reads: AtomicU64,
    down: std::sync::atomic::AtomicBool,
}

#[async_trait]
impl KeySource for Reader {
    async fn read(&self) -> Result<Vec<u8>, String> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        if self.down.load(Ordering::SeqCst) { Err("down".to_owned()) } else { Ok(br#"{"keys":[]}"#.to_vec()) }
    }
}

/// `{"alg":"RS256","kid":"a"}`, `{}`, and a signature of nobody.
const TOKEN: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImEifQ.e30.AAAA";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn issuer(source: &Arc<Reader>) -> Issuer {
    Issuer::new(Expected { issuer: "i".to_owned(), audience: "a".to_owned() }, source.clone())
}

#[tokio::test]
async fn a_thousand_tokens_with_unknown_keys_read_the_list_once_in_five_seconds() {
    let source = Arc::new(Reader::default());
    let issuer = issuer(&source);
    for _ in 0..1_000 {
        assert!(matches!(issuer.judge(TOKEN, at(0)).await, Err(Untold::Refused(_))));
    }
    assert_eq!(source.reads.load(Ordering::SeqCst), 1);
    let _ = issuer.judge(TOKEN, at(5)).await;
    assert_eq!(source.reads.load(Ordering::SeqCst), 2);
    // What is no token at all reads nothing.
    let _ = issuer.judge("a.b.c", at(60)).await;
    assert_eq!(source.reads.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn keys_are_believed_for_a_minute_and_not_longer() {
    let source = Arc::new(Reader::default());
    let issuer = issuer(&source);
    let _ = issuer.judge(TOKEN, at(0)).await;
    source.down.store(true, Ordering::SeqCst);
    assert!(matches!(issuer.judge(TOKEN, at(59)).await, Err(Untold::Refused(_))), "those of a minute ago still hold");
    assert!(matches!(issuer.judge(TOKEN, at(65)).await, Err(Untold::Unavailable(_))));
}

#[tokio::test]
async fn an_address_of_keys_is_cut_into_server_and_path() {
    assert_eq!(
        Published::new("https://id.example.com/.well-known/jwks.json", &Gate::this_machine()).unwrap().path,
        "/.well-known/jwks.json"
    );
    assert_eq!(Published::new("https://id.example.com", &Gate::this_machine()).unwrap().path, "/");
    for bad in
        ["http://id.example.com/keys", "https://", "https://u:p@id.example.com/", "file:///etc/passwd", "https://id.example.com/../x"]
    {
        assert!(Published::new(bad, &Gate::this_machine()).is_err(), "{bad}");
    }
}
