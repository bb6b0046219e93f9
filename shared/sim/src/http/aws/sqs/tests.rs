use super::*;
use crate::clock::SimClock;

struct Bench {
    clock: Arc<SimClock>,
    sqs: Sqs,
}

fn bench() -> Bench {
    let clock = SimClock::new();
    let spec = |name: &str, dead_letter| QueueSpec { name: name.to_owned(), visibility_s: 25, dead_letter };
    let specs = [spec("work", Some(("dead".to_owned(), 2))), spec("dead", None)];
    Bench { sqs: Sqs::new(clock.clone(), "http://sqs".to_owned(), &specs), clock }
}

impl Bench {
    async fn call(&self, operation: &str, queue: &str, mut body: Value) -> Result<Value, Fault> {
        body["QueueUrl"] = json!(format!("http://sqs/0/{queue}"));
        self.sqs.call(operation, &body).await
    }

    async fn receive(&self, queue: &str) -> Vec<Value> {
        let answer = self.call("ReceiveMessage", queue, json!({ "MaxNumberOfMessages": 10 })).await.unwrap();
        answer["Messages"].as_array().cloned().unwrap_or_default()
    }

    async fn pass(&self, seconds: i64) {
        self.clock.sleep(SignedDuration::from_secs(seconds)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_received_message_is_out_of_sight_until_its_time_is_over() {
    let bench = bench();
    bench.call("SendMessage", "work", json!({ "MessageBody": "a" })).await.unwrap();
    let first = bench.receive("work").await;
    assert_eq!(first[0]["Body"], "a");
    assert!(bench.receive("work").await.is_empty());
    bench.pass(25).await;
    let second = bench.receive("work").await;
    assert_eq!(second[0]["Attributes"]["ApproximateReceiveCount"], "2");
    // The first receipt is old: deleting with it does nothing.
    bench.call("DeleteMessage", "work", json!({ "ReceiptHandle": first[0]["ReceiptHandle"] })).await.unwrap();
    assert_eq!(
        bench.call("GetQueueAttributes", "work", json!({})).await.unwrap()["Attributes"]["ApproximateNumberOfMessagesNotVisible"],
        "1"
    );
    bench.call("DeleteMessage", "work", json!({ "ReceiptHandle": second[0]["ReceiptHandle"] })).await.unwrap();
    bench.pass(60).await;
    assert!(bench.receive("work").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_delayed_message_comes_when_its_delay_is_over_and_a_long_poll_waits_for_it() {
    let bench = bench();
    bench.call("SendMessage", "work", json!({ "MessageBody": "a", "DelaySeconds": 5 })).await.unwrap();
    assert!(bench.receive("work").await.is_empty());
    let answer = bench.call("ReceiveMessage", "work", json!({ "WaitTimeSeconds": 20 })).await.unwrap();
    assert_eq!(answer["Messages"][0]["Body"], "a");
    let waited = bench.clock.now().duration_since(crate::clock::EPOCH).as_secs();
    assert!((5..7).contains(&waited), "{waited}");
    let too_long = bench.call("SendMessage", "work", json!({ "MessageBody": "a", "DelaySeconds": 901 })).await;
    assert_eq!(too_long.unwrap_err().code, "InvalidParameterValue");
}

#[tokio::test(start_paused = true)]
async fn a_message_received_too_often_becomes_a_dead_letter() {
    let bench = bench();
    bench.call("SendMessage", "work", json!({ "MessageBody": "poison" })).await.unwrap();
    for _ in 0..2 {
        assert_eq!(bench.receive("work").await.len(), 1);
        bench.pass(25).await;
    }
    assert!(bench.receive("work").await.is_empty());
    assert_eq!(bench.receive("dead").await[0]["Body"], "poison");
}

#[tokio::test(start_paused = true)]
async fn visibility_can_be_given_back_at_once() {
    let bench = bench();
    bench.call("SendMessage", "work", json!({ "MessageBody": "a" })).await.unwrap();
    let handle = bench.receive("work").await[0]["ReceiptHandle"].clone();
    bench.call("ChangeMessageVisibility", "work", json!({ "ReceiptHandle": handle, "VisibilityTimeout": 0 })).await.unwrap();
    assert_eq!(bench.receive("work").await.len(), 1);
    let old = bench.call("ChangeMessageVisibility", "work", json!({ "ReceiptHandle": handle, "VisibilityTimeout": 0 })).await;
    assert_eq!(old.unwrap_err().code, "ReceiptHandleIsInvalid");
}

#[tokio::test(start_paused = true)]
async fn one_bad_entry_of_a_batch_does_not_fail_its_neighbours() {
    let bench = bench();
    let entries = json!({ "Entries": [{ "Id": "1", "MessageBody": "a" }, { "Id": "2", "MessageBody": "" }] });
    let answer = bench.call("SendMessageBatch", "work", entries).await.unwrap();
    assert_eq!((&answer["Successful"][0]["Id"], &answer["Failed"][0]["Id"]), (&json!("1"), &json!("2")));
    assert_eq!(bench.call("SendMessage", "none", json!({ "MessageBody": "a" })).await.unwrap_err().code, "QueueDoesNotExist");
}
