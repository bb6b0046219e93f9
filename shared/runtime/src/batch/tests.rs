use super::*;

fn batch(bodies: &[&str]) -> SqsEvent {
    let records: Vec<_> = bodies.iter().map(|body| serde_json::json!({"messageId": format!("id-{body}"), "body": body})).collect();
    serde_json::from_value(serde_json::json!({ "Records": records })).unwrap()
}

async fn failed(bodies: &[&str]) -> Vec<String> {
    let answer = run(batch(bodies), 10, |message| async move {
        match message.body.as_deref() {
            Some("bad") => Err("bad"),
            Some("panic") => panic!("a handler's own bug"),
            _ => Ok(()),
        }
    });
    let mut ids: Vec<String> = answer.await.batch_item_failures.into_iter().map(|f| f.item_identifier).collect();
    ids.sort();
    ids
}

#[tokio::test]
async fn only_the_messages_that_failed_or_panicked_come_back() {
    let ids = failed(&["a", "bad", "b", "panic"]).await;
    assert_eq!(ids, ["id-bad", "id-panic"]);
}

#[tokio::test]
async fn an_empty_batch_has_no_failures() {
    assert!(failed(&[]).await.is_empty());
}
