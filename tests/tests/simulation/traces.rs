//! One event, one trace: every line of the log that is about it says so, in whichever function it is written.

use domain::SignedDuration;
use domain::ports::Clock;
use harness::one_rescue::scene;
use harness::system::Ended;
use serde_json::Value;
use sim::faults::Fault;
use std::io::Write;
use std::sync::{Arc, Mutex};
use tracing_subscriber::layer::SubscriberExt;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn every_line_of_a_rescue_carries_the_event_that_it_began_with() {
    let written = Lines::default();
    let to = written.clone();
    let lines = tracing_subscriber::fmt::layer().json().flatten_event(true).with_current_span(true).with_writer(move || to.clone());
    // With one subscriber in the process, tracing asks the thread that comes first to a line whether anybody wants it, and remembers the
    // answer for all threads: other tests run beside this one and want none. With two it asks them both.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let _log = tracing::subscriber::set_default(tracing_subscriber::registry().with(lines));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let event = runtime.block_on(async {
        let mut story = scene(3, SignedDuration::ZERO).await;
        // The first process dies in the middle, so that another function goes on through a queue.
        let mut evictions = 0;
        story.system.gate.script(move |call| {
            evictions += u32::from(call.name == "cluster.evict");
            (call.name == "cluster.evict" && evictions == 2).then_some(Fault::CrashAfter)
        });
        story.interrupt();
        let told = story.system.queue.take_due(story.system.clock.now()).remove(0);
        let notice: Value = serde_json::from_str(&told.body).unwrap();
        assert_eq!(story.system.invoke(&told).await, Ended::Crashed);
        // As SQS does with a message whose process died.
        story.system.queue.give_back(told, SignedDuration::from_secs(25));
        story.judge().await.unwrap();
        notice["id"].as_str().unwrap().to_owned()
    });
    let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    let all: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of_the_plan: Vec<&Value> = all.iter().filter(|line| line.get("plan.id").is_some()).collect();
    let messages: Vec<&str> = of_the_plan.iter().filter_map(|line| line["message"].as_str()).collect();
    for needed in ["A rescue begins", "A step ended", "Went on with a plan", "A plan ended"] {
        assert!(messages.contains(&needed), "{needed} is not in the log: {messages:?} of {text}");
    }
    // The sweeper brings plans back by their keys, and looks at none of them.
    for line in of_the_plan.iter().filter(|line| line["target"] != "execution::sweep") {
        assert_eq!(line["span"]["trace.id"], event.as_str(), "{line}");
    }
}
