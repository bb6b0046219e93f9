//! Files that are put by themselves: an address, the file, the registration; and everything that goes wrong between.

use super::models::House;
use super::support::send;
use crate::models::tests::{Trees, forest};
use axum::body::Body;
use data_encoding::{BASE64, HEXLOWER};
use domain::SignedDuration;
use domain::model::{KeptIn, MODEL_BYTES_MAX, model_key};
use domain::ports::{Clock, Models, Objects};
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const BEGIN: &str = "/api/v1/ml/models/uploads";
const MODELS: &str = "/api/v1/ml/models";
const LINEAR: &[u8] = include_bytes!("../../testdata/linear.onnx");
const TREE: &[u8] = include_bytes!("../../testdata/tree.onnx");
const NAN: &[u8] = include_bytes!("../../testdata/nan.onnx");

fn hash(file: &[u8]) -> String {
    HEXLOWER.encode(&Sha256::digest(file))
}

/// Larger than a request may carry.
fn large() -> Vec<u8> {
    let onnx = forest(Trees { many: 1_300, depth: 6, weights: 1 });
    assert!(onnx.len() > MODEL_BYTES_MAX);
    onnx
}

impl House {
    /// An address for a file of which this is said.
    async fn begin(&self, said: Value) -> Value {
        let answer = self.post(BEGIN, said).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", String::from_utf8_lossy(&answer.body));
        assert_eq!(answer.header("cache-control"), "no-store", "the address is a secret");
        answer.json()
    }

    /// Puts a file where the answer says.
    async fn put(&self, begun: &Value, file: &[u8]) -> StatusCode {
        let path = begun["url"].as_str().unwrap().strip_prefix("http://files.test").unwrap().to_owned();
        let request = Request::builder().method(begun["method"].as_str().unwrap()).uri(path);
        let headers = begun["headers"].as_object().unwrap().iter().filter(|(name, _)| *name != "content-length");
        let request = headers.fold(request, |request, (name, value)| request.header(name, value.as_str().unwrap()));
        let request = request.header("content-length", file.len());
        send(&self.door, request.body(Body::from(file.to_vec())).unwrap()).await.status
    }

    async fn register(&self, begun: &Value) -> super::support::Answer {
        self.post(MODELS, json!({ "name": "uploaded", "upload_id": begun["upload_id"] })).await
    }

    async fn refused(&self, begun: &Value) -> (u16, String) {
        let answer = self.register(begun).await;
        assert!(answer.json()["detail"].as_str().unwrap().ends_with('.'), "{}", answer.json());
        (answer.status.as_u16(), answer.code())
    }
}

#[tokio::test]
async fn a_file_is_put_by_itself_checked_and_kept_with_who_asked_and_who_registered() {
    let house = House::taking_uploads();
    for (file, kept_in) in [(TREE.to_vec(), KeptIn::Table), (large(), KeptIn::Objects)] {
        let begun = house.begin(json!({ "bytes": file.len(), "sha256": hash(&file).to_uppercase() })).await;
        assert_eq!((&begun["method"], &begun["bytes_max"]), (&json!("PUT"), &json!(32_000_000)));
        assert_eq!(begun["headers"]["content-length"], json!(file.len().to_string()));
        let id = begun["upload_id"].as_str().unwrap();
        assert_eq!(house.table.upload(id).await.unwrap().unwrap().by, "ann (key k-1)");
        assert_eq!(house.put(&begun, &file).await, StatusCode::OK);
        let model = house.register(&begun).await.json();
        assert_eq!((&model["sha256"], &model["by"], &model["state"]), (&json!(hash(&file)), &json!("ann (key k-1)"), &json!("ready")));
        let record = house.table.model(model["id"].as_str().unwrap()).await.unwrap().unwrap();
        assert_eq!((record.kept_in, record.bytes as usize), (kept_in, file.len()));
        let objects = house.objects.as_ref().unwrap();
        let kept = objects.read(&model_key(&record.sha256), 32_000_000).await.unwrap();
        assert_eq!(kept, (kept_in == KeptIn::Objects).then_some(file), "small ones stay in the table");
        assert_eq!(objects.read(&format!("uploads/{id}"), 32_000_000).await.unwrap(), None, "what was taken is removed");
        assert_eq!(house.register(&begun).await.json()["id"], model["id"], "the same upload is the same model");
    }
}

#[tokio::test]
async fn a_large_model_speaks_is_tried_and_is_removed_with_its_file() {
    let house = House::taking_uploads();
    let file = large();
    let begun = house.begin(json!({})).await;
    assert_eq!(house.put(&begun, &file).await, StatusCode::OK);
    let model = house.register(&begun).await.json();
    let id = model["id"].as_str().unwrap();
    let activated = house.post(&format!("{MODELS}/{id}/activate"), json!({ "without_shadow": true })).await;
    assert_eq!(activated.json()["active"], json!(id));
    assert!(house.chance().await["because"][0].as_str().unwrap().contains(id));
    assert_eq!(house.call(Method::GET, &format!("{MODELS}/{id}/comparison"), None).await.status, StatusCode::OK);
    house.post(&format!("{MODELS}/rollback"), json!({})).await;
    assert_eq!(house.call(Method::DELETE, &format!("{MODELS}/{id}"), None).await.status, StatusCode::OK);
    let key = model_key(&hash(&file));
    assert_eq!(house.objects.as_ref().unwrap().read(&key, 32_000_000).await.unwrap(), None);
}

/// Whoever may write into the bucket is not whoever may say what answers.
#[tokio::test]
async fn a_file_that_is_not_what_was_checked_never_speaks() {
    let house = House::taking_uploads();
    let begun = house.begin(json!({})).await;
    house.put(&begun, &large()).await;
    let model = house.register(&begun).await.json();
    let id = model["id"].as_str().unwrap();
    let own = house.chance().await["probability"].clone();
    let key = model_key(model["sha256"].as_str().unwrap());
    house.objects.as_ref().unwrap().put(&key, forest(Trees { many: 1_301, depth: 6, weights: 1 })).await.unwrap();
    house.post(&format!("{MODELS}/{id}/activate"), json!({ "without_shadow": true })).await;
    let told = house.chance().await;
    assert_eq!(told["probability"], own, "this server's own engine answers");
    assert!(told["because"].to_string().contains("cannot be read"), "{told}");
    assert_eq!(house.call(Method::GET, &format!("{MODELS}/{id}/comparison"), None).await.code(), "internal");
}

#[tokio::test]
async fn an_upload_that_is_unknown_late_empty_or_another_file_is_refused_with_a_code_and_nothing_is_kept() {
    let house = House::taking_uploads();
    for id in ["", "..", "nothing", &"0".repeat(32)] {
        assert_eq!(house.refused(&json!({ "upload_id": id })).await, (404, "upload-unknown".to_owned()), "{id:?}");
    }
    let empty = house.begin(json!({})).await;
    assert_eq!(house.refused(&empty).await, (409, "upload-missing".to_owned()));

    // The door holds what S3 holds; whoever could pass it is refused when the model is registered.
    let pinned = house.begin(json!({ "bytes": TREE.len(), "sha256": hash(TREE) })).await;
    assert!(house.put(&pinned, LINEAR).await.is_client_error());
    assert_eq!(house.refused(&pinned).await, (409, "upload-missing".to_owned()), "nothing of it was taken");
    let key = format!("uploads/{}", pinned["upload_id"].as_str().unwrap());
    let objects = house.objects.as_ref().unwrap();
    objects.put(&key, large()).await.unwrap();
    assert_eq!(house.refused(&pinned).await, (422, "upload-not-as-announced".to_owned()), "larger than announced: not read");
    let hashed = house.begin(json!({ "sha256": hash(TREE) })).await;
    objects.put(&format!("uploads/{}", hashed["upload_id"].as_str().unwrap()), LINEAR.to_vec()).await.unwrap();
    assert_eq!(house.refused(&hashed).await, (422, "upload-not-as-announced".to_owned()));

    let huge = house.begin(json!({})).await;
    objects.put(&format!("uploads/{}", huge["upload_id"].as_str().unwrap()), vec![0; 32_000_001]).await.unwrap();
    assert_eq!(house.refused(&huge).await, (422, "upload-too-large".to_owned()));
    let wrong = house.begin(json!({})).await;
    house.put(&wrong, NAN).await;
    assert_eq!(house.refused(&wrong).await, (422, "model-output-not-finite".to_owned()), "the check is the same");
    assert_eq!(house.table.models().await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn an_address_lasts_a_quarter_of_an_hour_and_its_upload_is_registered_within_one() {
    let house = House::taking_uploads();
    let begun = house.begin(json!({})).await;
    let until: domain::Timestamp = begun["expires_at"].as_str().unwrap().parse().unwrap();
    assert_eq!(until.duration_since(house.clock.now()), SignedDuration::from_mins(15));
    assert_eq!(house.put(&begun, TREE).await, StatusCode::OK);
    house.clock.sleep(SignedDuration::from_mins(16)).await;
    assert!(house.put(&begun, LINEAR).await.is_client_error(), "too late");
    let late = house.begin(json!({})).await;
    assert_eq!(house.register(&begun).await.status, StatusCode::OK, "what was put in time is taken");
    house.put(&late, LINEAR).await;
    house.clock.sleep(SignedDuration::from_mins(61)).await;
    assert_eq!(house.refused(&late).await, (409, "upload-expired".to_owned()));
}

#[tokio::test]
async fn what_is_announced_can_be_a_file_and_one_model_has_one_file() {
    let house = House::taking_uploads();
    for (said, code) in [
        (json!([]), "invalid-body"),
        (json!({ "bytes": 0 }), "invalid-body"),
        (json!({ "sha256": "ab" }), "invalid-body"),
        (json!({ "sha256": "g".repeat(64) }), "invalid-body"),
        (json!({ "bytes": 32_000_001 }), "upload-too-large"),
        (json!({ "bytes": -1 }), "invalid-body"),
    ] {
        let answer = house.post(BEGIN, said.clone()).await;
        assert!(answer.status.is_client_error(), "{said}");
        assert_eq!(answer.code(), code, "{said}");
    }
    assert_eq!(house.call(Method::POST, BEGIN, None).await.status, StatusCode::OK, "nothing needs to be said");
    let begun = house.begin(json!({ "bytes": 32_000_000 })).await;
    let both = json!({ "name": "x", "onnx_base64": BASE64.encode(TREE), "upload_id": begun["upload_id"] });
    for body in [both, json!({ "name": "x" })] {
        let answer = house.post(MODELS, body).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNPROCESSABLE_ENTITY, "invalid-body"));
    }
    let contract = house.get("/api/v1/ml/models/contract").await;
    assert_eq!(contract["uploads"], json!({ "bytes_max": 32_000_000, "origin": "http://files.test" }));
}

#[tokio::test]
async fn a_server_without_a_store_of_files_says_so_and_takes_small_models_as_ever() {
    let house = House::new();
    let known = json!({ "name": "x", "upload_id": "0".repeat(32) });
    for (path, body) in [(BEGIN, json!({})), (MODELS, known)] {
        let answer = house.post(path, body).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::CONFLICT, "no-upload-store"), "{path}");
        assert!(answer.json()["detail"].as_str().unwrap().contains("onnx_base64"));
    }
    assert_eq!(house.get("/api/v1/ml/models/contract").await["uploads"], Value::Null);
    let sent = house.post(MODELS, json!({ "name": "x", "onnx_base64": BASE64.encode(TREE) })).await;
    assert_eq!(sent.json()["kept_in"], json!("table"));
}
