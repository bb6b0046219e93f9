//! Models, holes and keys on their pages, over a real decision server.

use super::support::{Bench, customer};
use data_encoding::BASE64URL_NOPAD;
use domain::ports::{MarketWishes, Models, Objects, Registry, Trail};
use http::StatusCode;

const TREE: &[u8] = include_bytes!("../../../decision/testdata/tree.onnx");
const NAN: &[u8] = include_bytes!("../../../decision/testdata/nan.onnx");

async fn upload(bench: &Bench, cookie: &str, onnx: &[u8]) -> StatusCode {
    bench.act(cookie, "/console/models/upload", &[("name", "a <b>model</b>"), ("onnx", &BASE64URL_NOPAD.encode(onnx))]).await.status
}

#[tokio::test]
async fn a_model_is_uploaded_shadowed_activated_and_rolled_back_on_its_page() {
    let bench = Bench::served().await;
    let cookie = bench.enter("default-admin").await;
    assert!(bench.get(&cookie, "/console/models").await.text.contains("No model was uploaded"));
    assert_eq!(upload(&bench, &cookie, TREE).await, StatusCode::SEE_OTHER);
    let id = bench.market.models().await.unwrap()[0].id.clone();
    let page = bench.get(&cookie, &format!("/console/models?model={id}")).await.text;
    assert!(page.contains("a &#60;b&#62;model&#60;/b&#62;") && page.contains("Run in the shadow") && page.contains("built-in engine"));
    assert_eq!(bench.act(&cookie, "/console/models/activate", &[("model", &id)]).await.status, StatusCode::CONFLICT, "never in the shadow");
    for (path, said) in [("shadow", "shadow"), ("activate", "activated"), ("rollback", "rolled-back")] {
        let answer = bench.act(&cookie, &format!("/console/models/{path}"), &[("model", &id)]).await;
        assert!(answer.status == StatusCode::SEE_OTHER && answer.header("location").ends_with(said), "{path}: {}", answer.text);
    }
    let deployment = bench.market.deployment().await.unwrap();
    assert!(deployment.active.is_none() && deployment.changes.iter().all(|change| change.by == "default-admin"), "{deployment:?}");
    assert!(bench.get(&cookie, "/console/models").await.text.contains("rolled back"));
    assert_eq!(bench.act(&cookie, "/console/models/remove", &[("model", &id)]).await.status, StatusCode::SEE_OTHER);
    assert!(bench.market.models().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_model_that_does_not_fit_is_refused_in_words_and_nobody_else_manages_them() {
    let bench = Bench::served().await;
    let cookie = bench.enter("default-admin").await;
    let answer = bench.act(&cookie, "/console/models/upload", &[("name", "x"), ("onnx", &BASE64URL_NOPAD.encode(NAN))]).await;
    assert!(answer.status == StatusCode::CONFLICT && answer.text.contains("no number"), "{}", answer.text);
    for key in ["acme-admin", "default-operator"] {
        let cookie = bench.enter(key).await;
        assert_ne!(upload(&bench, &cookie, TREE).await, StatusCode::SEE_OTHER, "{key}");
        let page = bench.get(&cookie, "/console/models").await.text;
        assert!(!page.contains("/console/models/upload") && page.contains("whoever runs this control plane"), "{key}");
    }
    assert!(bench.market.models().await.unwrap().is_empty());
}

/// What the script of the page does, step by step.
#[tokio::test]
async fn a_file_is_put_at_the_address_that_the_page_asks_for_and_its_upload_is_registered() {
    let (bench, objects) = Bench::taking_uploads("https://files.test").await;
    let cookie = bench.enter("default-admin").await;
    let page = bench.get(&cookie, "/console/models").await;
    assert!(page.text.contains("data-uploads=\"/console/models/uploads\"") && page.text.contains("32 MB at most"), "{}", page.text);
    assert!(page.text.contains("role=\"progressbar\" aria-label=\"Upload of File\""), "{}", page.text);
    let size = TREE.len().to_string();
    let begun = bench.act(&cookie, "/console/models/uploads", &[("bytes", &size)]).await;
    let begun: serde_json::Value = serde_json::from_str(&begun.text).unwrap();
    let (url, id) = (begun["url"].as_str().unwrap(), begun["upload_id"].as_str().unwrap());
    assert!(url.starts_with("https://files.test/"), "{url}");
    assert_eq!(bench.act(&cookie, "/console/models/upload", &[("name", "x"), ("upload_id", id)]).await.status, StatusCode::CONFLICT);
    objects.put(&format!("uploads/{id}"), TREE.to_vec()).await.unwrap();
    let done = bench.act(&cookie, "/console/models/upload", &[("name", "x"), ("upload_id", id)]).await;
    assert_eq!((done.status, done.header("location")), (StatusCode::SEE_OTHER, "/console/models?done=uploaded"), "{}", done.text);
    assert_eq!(bench.market.models().await.unwrap()[0].by, "default-admin");
    let rows = bench.store.requests(&customer("default"), None, 50).await.unwrap().items;
    for action in ["POST /console/models/uploads", "POST /console/models/upload"] {
        assert!(rows.iter().any(|row| row.action == action && row.by == "default-admin"), "{action} stands in the trail");
    }
    assert!(rows.iter().all(|row| !format!("{row:?}").contains(url)), "the address stands nowhere");
}

#[tokio::test]
async fn only_the_page_of_models_and_only_for_who_manages_them_may_send_to_where_files_are_put() {
    let (bench, _) = Bench::taking_uploads("https://files.test").await;
    let admin = bench.enter("default-admin").await;
    let policy = |answer: &super::support::Answer| answer.header("content-security-policy").to_owned();
    let allowed = policy(&bench.get(&admin, "/console/models").await);
    assert!(allowed.ends_with("connect-src 'self' https://files.test"), "{allowed}");
    let other = bench.enter("acme-admin").await;
    for (cookie, path) in [(&admin, "/console"), (&admin, "/console/gaps"), (&other, "/console/models")] {
        assert!(policy(&bench.get(cookie, path).await).ends_with("connect-src 'self'"), "{path}");
    }
    // A decision server of somebody else widens nothing but by an origin.
    for origin in ["*", "https://*", "https://a.test; script-src *", "https://a.test/ 'unsafe-inline'", "http://a.test", "data:", ""] {
        let (bench, _) = Bench::taking_uploads(origin).await;
        let cookie = bench.enter("default-admin").await;
        assert!(policy(&bench.get(&cookie, "/console/models").await).ends_with("connect-src 'self'"), "{origin:?}");
    }
}

#[tokio::test]
async fn where_no_file_is_put_by_itself_it_goes_with_the_form_and_the_script_is_told_why() {
    let bench = Bench::served().await;
    let cookie = bench.enter("default-admin").await;
    let page = bench.get(&cookie, "/console/models").await;
    assert!(!page.text.contains("data-uploads") && page.text.contains("3 MB at most"), "{}", page.text);
    assert!(page.header("content-security-policy").ends_with("connect-src 'self'"));
    let told = bench.act(&cookie, "/console/models/uploads", &[("bytes", "7")]).await;
    assert!(told.status == StatusCode::CONFLICT && told.text.starts_with("{\"why\":"), "{}", told.text);
}

#[tokio::test]
async fn a_filling_is_asked_for_and_undone_on_the_page_of_holes() {
    let bench = Bench::served().await;
    let cookie = bench.enter("default-admin").await;
    let page = bench.get(&cookie, "/console/gaps?region=us-east-1&family=m6i").await.text;
    assert!(page.contains("what is kept begins later") && page.contains("us-east-1a"), "{page}");
    assert_eq!(bench.act(&cookie, "/console/gaps/fill", &[("region", "us-east-1"), ("family", "m6i")]).await.status, StatusCode::SEE_OTHER);
    let wish = bench.market.fill_wishes(9).await.unwrap().remove(0);
    assert!(wish.by == "default-admin" && wish.types.iter().all(|name| name.as_str().starts_with("m6i.")) && !wish.types.is_empty());
    assert!(bench.get(&cookie, "/console/gaps").await.text.contains("queued"));
    assert_eq!(bench.act(&cookie, "/console/gaps/undo", &[("fill", &wish.id)]).await.status, StatusCode::SEE_OTHER);
    assert!(bench.market.fill_wish(&wish.id).await.unwrap().unwrap().undo.is_some());
    assert_eq!(bench.act(&cookie, "/console/gaps/undo", &[("fill", "../models")]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(bench.act(&cookie, "/console/gaps/refresh", &[("region", "us-east-1")]).await.status, StatusCode::SEE_OTHER);
    let region = "us-east-1".to_owned().try_into().unwrap();
    assert_eq!(bench.market.refresh_wish(&region).await.unwrap().unwrap().by, "default-admin");
}

#[tokio::test]
async fn how_often_the_market_is_read_is_shown_and_set_against_the_version_that_was_read() {
    let bench = Bench::served().await;
    let cookie = bench.enter("default-admin").await;
    let page = bench.get(&cookie, "/console/gaps").await.text;
    assert!(page.contains("every 10 min") && page.contains("3 min to 15 min"), "{page}");
    assert!(page.contains("as it was built in") && page.contains("value=\"1440\""), "{page}");
    let set = [("version", "\"0\""), ("spot_prices_minutes", "5"), ("on_demand_minutes", "1440"), ("advisor_minutes", "360")];
    for wrong in ["2", "16", "-1", "soon"] {
        let fields = [set[0], ("spot_prices_minutes", wrong)];
        assert_eq!(bench.act(&cookie, "/console/gaps/schedule", &fields).await.status, StatusCode::CONFLICT, "{wrong}");
    }
    let answer = bench.act(&cookie, "/console/gaps/schedule", &set).await;
    assert_eq!((answer.status, answer.header("location")), (StatusCode::SEE_OTHER, "/console/gaps?done=schedule"), "{}", answer.text);
    let kept = bench.market.schedule().await.unwrap();
    assert_eq!((kept.spot_prices_minutes, kept.by.as_deref(), kept.version), (5, Some("default-admin"), 1));
    assert!(bench.get(&cookie, "/console/gaps").await.text.contains("set by default-admin"));
    assert!(bench.get(&cookie, "/console/pricing").await.text.contains("every 5 min"));
    let late = bench.act(&cookie, "/console/gaps/schedule", &set).await;
    assert!(late.status == StatusCode::CONFLICT && late.text.contains("changed since you read it"), "{}", late.text);
    let other = bench.enter("acme-admin").await;
    assert_eq!(bench.act(&other, "/console/gaps/schedule", &set).await.status, StatusCode::CONFLICT);
    assert!(!bench.get(&other, "/console/gaps").await.text.contains("/console/gaps/schedule"));
}

#[tokio::test]
async fn a_key_is_made_shown_once_works_and_is_taken_back() {
    let bench = Bench::empty().await;
    let cookie = bench.enter("acme-admin").await;
    let made = bench.act(&cookie, "/console/keys/create", &[("label", "a pipeline"), ("role", "operator"), ("days", "30")]).await;
    let secret = made.text.split("class=\"secret\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert!(secret.starts_with("co_") && made.header("cache-control") == "no-store");
    let page = bench.get(&cookie, "/console/keys").await.text;
    assert!(page.contains("a pipeline") && !page.contains(&secret));
    assert_eq!(bench.get(&bench.enter(&secret).await, "/console").await.status, StatusCode::OK);
    let keys = bench.store.api_keys(&customer("acme"), None, 50).await.unwrap().items;
    let id = keys.iter().find(|key| key.label == "a pipeline").unwrap().id.clone();
    let stranger = bench.enter("other-admin").await;
    assert_eq!(bench.act(&stranger, "/console/keys/revoke", &[("id", &id)]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(bench.act(&cookie, "/console/keys/revoke", &[("id", &id)]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(bench.post("", "/console/sign-in", &[("key", &secret)]).await.status, StatusCode::UNAUTHORIZED);
    for fields in [
        [("label", ""), ("role", "viewer"), ("days", "30")],
        [("label", "x"), ("role", "root"), ("days", "30")],
        [("label", "x"), ("role", "viewer"), ("days", "9999")],
    ] {
        assert_eq!(bench.act(&cookie, "/console/keys/create", &fields).await.status, StatusCode::CONFLICT, "{fields:?}");
    }
    let viewer = bench.enter("acme-viewer").await;
    assert!(!bench.get(&viewer, "/console/keys").await.text.contains("acme-operator"));
}

#[tokio::test]
async fn what_is_no_page_is_said_to_be_none_by_a_page() {
    let bench = Bench::empty().await;
    for path in ["/console/nowhere", "/console/plans/a/b/c", "/console/models/nothing/here"] {
        let answer = bench.get("", path).await;
        assert!(answer.status == StatusCode::NOT_FOUND && answer.text.contains("There is no such page"), "{path}: {}", answer.text);
        assert!(answer.header("content-security-policy").contains("default-src 'none'"), "{path}");
    }
}
