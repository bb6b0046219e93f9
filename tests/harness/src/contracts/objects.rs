//! The contract of the store of files, and of the addresses at which others put theirs.

use domain::SignedDuration;
use domain::ports::{ObjectError, Objects, Permit, Place};
use gate::Gate;
use http::{Request, StatusCode};
use runtime::http::{Client, Limits, Server};

/// The largest file that is put here.
const MOST: usize = 300_000;

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|n| (n % 251) as u8).collect()
}

/// What may be put at this key, and nothing is said of.
pub fn permit(key: &str) -> Permit {
    Permit { key: key.to_owned(), bytes: None, sha256: None, bytes_max: MOST as u64, lasts: SignedDuration::from_mins(15) }
}

/// Puts a file at an address, as a stranger does: by what came with the address, and nothing else. Answers the status.
pub async fn put(place: &Place, body: &[u8]) -> StatusCode {
    let (scheme, rest) = place.url.split_once("://").unwrap();
    let (host, path) = rest.split_once('/').unwrap();
    let server = Server::parse(&format!("{scheme}://{host}")).unwrap();
    let client = Client::new(server, Limits::default(), &Gate::this_machine()).unwrap();
    let request = Request::builder().method("PUT").uri(format!("/{path}"));
    // The length is said by whoever sends.
    let headers = place.headers.iter().filter(|(name, _)| *name != "content-length");
    let request = headers.fold(request, |request, (name, value)| request.header(name, value));
    client.send(request.body(body.to_vec()).unwrap()).await.unwrap().status
}

/// Runs every law that an emulator can be held to. Nobody else may write to the store meanwhile.
pub async fn objects(store: &impl Objects) {
    a_file_is_read_whole_or_not_at_all(store).await;
    a_file_that_is_not_there_is_none_and_discarding_it_is_no_error(store).await;
    what_is_no_key_is_refused(store).await;
    whoever_has_the_address_puts_the_file(store).await;
}

async fn a_file_is_read_whole_or_not_at_all(store: &impl Objects) {
    for size in [0, 1, MOST] {
        store.put("models/a", content(size)).await.unwrap();
        assert_eq!(store.read("models/a", MOST).await.unwrap(), Some(content(size)), "{size} bytes");
    }
    assert_eq!(store.read("models/a", MOST).await.unwrap().map(|bytes| bytes.len()), Some(MOST), "exactly as large as may be");
    let refused = store.read("models/a", MOST - 1).await;
    assert!(matches!(refused, Err(ObjectError::TooLarge(bytes)) if bytes == MOST as u64), "{refused:?}");
    store.put("models/a", b"another".to_vec()).await.unwrap();
    assert_eq!(store.read("models/a", MOST).await.unwrap().as_deref(), Some(b"another".as_slice()), "in its place");
    assert_eq!(store.read("models/b", MOST).await.unwrap(), None, "and nowhere else");
}

async fn a_file_that_is_not_there_is_none_and_discarding_it_is_no_error(store: &impl Objects) {
    store.put("models/c", content(7)).await.unwrap();
    for _ in 0..2 {
        store.discard("models/c").await.unwrap();
        assert_eq!(store.read("models/c", MOST).await.unwrap(), None);
    }
}

async fn what_is_no_key_is_refused(store: &impl Objects) {
    for key in ["", "/", "models/", "models/../a", "models/a?x=y", "models/a b"] {
        let refused = |error: ObjectError| assert!(matches!(error, ObjectError::Refused(_)), "{key:?}: {error}");
        refused(store.read(key, MOST).await.unwrap_err());
        refused(store.put(key, Vec::new()).await.unwrap_err());
        refused(store.discard(key).await.unwrap_err());
        refused(store.place(&permit(key)).await.unwrap_err());
    }
}

async fn whoever_has_the_address_puts_the_file(store: &impl Objects) {
    let file = content(1_234);
    let sha256 = data_encoding::HEXLOWER.encode(&<sha2::Sha256 as sha2::Digest>::digest(&file));
    let pinned = Permit { bytes: Some(1_234), sha256: Some(sha256), ..permit("uploads/b") };
    for permit in [permit("uploads/a"), pinned] {
        assert_eq!(store.read(&permit.key, MOST).await.unwrap(), None, "an address is no file");
        let place = store.place(&permit).await.unwrap();
        assert!(place.url.starts_with(&format!("{}/", store.origin())), "{} is at {}", place.url, store.origin());
        assert_eq!(place.headers["content-type"], "application/octet-stream");
        assert_eq!(place.headers.contains_key("content-length"), permit.bytes.is_some());
        assert_eq!(place.headers.contains_key("x-amz-checksum-sha256"), permit.sha256.is_some());
        assert!(put(&place, &file).await.is_success());
        assert_eq!(store.read(&permit.key, MOST).await.unwrap(), Some(file.clone()));
        store.discard(&permit.key).await.unwrap();
    }
}

/// What S3 does with an address, and what emulators pass over: they check no signature of a presigned request.
pub async fn addresses_are_walled(store: &impl Objects, a_quarter_later: impl AsyncFnOnce()) {
    let file = content(1_234);
    let sha256 = data_encoding::HEXLOWER.encode(&<sha2::Sha256 as sha2::Digest>::digest(&file));
    let sized = store.place(&Permit { bytes: Some(1_234), ..permit("uploads/sized") }).await.unwrap();
    for other in [content(1_233), content(1_235), Vec::new()] {
        assert!(put(&sized, &other).await.is_client_error(), "{} bytes", other.len());
    }
    let hashed = store.place(&Permit { sha256: Some(sha256), ..permit("uploads/hashed") }).await.unwrap();
    assert!(put(&hashed, &content(1_235)).await.is_client_error());
    let free = store.place(&permit("uploads/free")).await.unwrap();
    assert!(put(&free, &content(MOST + 1)).await.is_client_error(), "larger than whoever reads it takes");
    let mut other_header = free.clone();
    other_header.headers.insert("content-type".to_owned(), "text/html".to_owned());
    assert!(put(&other_header, &file).await.is_client_error());
    let guessed = Place { url: format!("{}0", free.url), ..free.clone() };
    assert!(put(&guessed, &file).await.is_client_error());
    for key in ["uploads/sized", "uploads/hashed", "uploads/free"] {
        assert_eq!(store.read(key, MOST).await.unwrap(), None, "nothing of what was refused is kept: {key}");
    }
    assert!(put(&free, &file).await.is_success() && put(&sized, &file).await.is_success() && put(&hashed, &file).await.is_success());
    a_quarter_later().await;
    assert!(put(&free, b"late").await.is_client_error());
    assert_eq!(store.read("uploads/free", MOST).await.unwrap(), Some(file), "what was put in time is there");
}
