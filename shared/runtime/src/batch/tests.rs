use super::*;
use futures::executor::block_on;
use std::sync::atomic::{AtomicUsize, Ordering};

fn event(messages: &[(Option<&str>, &str)]) -> SqsEvent {
    let records: Vec<_> = messages.iter().map(|(id, body)| serde_json::json!({ "messageId": id, "body": body })).collect();
    serde_json::from_value(serde_json::json!({ "Records": records })).unwrap()
}

async fn handler(message: SqsMessage) -> Result<(), String> {
    match message.body.as_deref() {
        Some("bad") => Err("no".to_owned()),
        #[expect(clippy::panic, reason = "that is what is tested")]
        Some("panic") => panic!("poison"),
        _ => Ok(()),
    }
}

fn failed(response: &SqsBatchResponse) -> Vec<&str> {
    let mut ids: Vec<&str> = response.batch_item_failures.iter().map(|f| f.item_identifier.as_str()).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn only_what_failed_comes_back() {
    let event = event(&[(Some("a"), "ok"), (Some("b"), "bad"), (Some("c"), "ok")]);
    assert_eq!(failed(&block_on(run(event, 10, handler))), ["b"]);
}

#[test]
fn a_panic_fails_only_its_own_message() {
    let event = event(&[(Some("a"), "panic"), (Some("b"), "ok"), (Some("c"), "panic"), (Some("d"), "ok")]);
    assert_eq!(failed(&block_on(run(event, 2, handler))), ["a", "c"]);
}

#[test]
fn a_panic_before_the_first_await_is_caught_too() {
    #[expect(clippy::panic, reason = "that is what is tested")]
    fn eager(_: SqsMessage) -> std::future::Ready<Result<(), String>> {
        panic!("at once")
    }
    assert_eq!(failed(&block_on(run(event(&[(Some("a"), "")]), 10, eager))), ["a"]);
}

#[test]
fn a_failed_message_without_an_id_does_not_bring_the_others_back() {
    let event = event(&[(None, "bad"), (Some(""), "bad"), (Some("b"), "ok")]);
    assert_eq!(failed(&block_on(run(event, 10, handler))), Vec::<&str>::new());
}

#[test]
fn an_empty_batch_is_done() {
    assert!(block_on(run(event(&[]), 0, handler)).batch_item_failures.is_empty());
}

#[test]
fn messages_are_handled_side_by_side() {
    let messages: Vec<(Option<&str>, &str)> = vec![(Some("x"), "ok"); 10];
    let waiting = AtomicUsize::new(0);
    // Each waits until all ten have begun: one after the other would never end.
    let together = |_message: SqsMessage| {
        waiting.fetch_add(1, Ordering::SeqCst);
        std::future::poll_fn(|context| {
            if waiting.load(Ordering::SeqCst) == 10 {
                return std::task::Poll::Ready(Ok::<(), String>(()));
            }
            context.waker().wake_by_ref();
            std::task::Poll::Pending
        })
    };
    assert!(block_on(run(event(&messages), 10, together)).batch_item_failures.is_empty());
}
