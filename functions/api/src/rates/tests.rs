use super::*;
use domain::ids::CustomerId;
use domain::tenant::Role;
use sim::store::MemoryStore;

fn caller(id: &str) -> Caller {
    Caller { customer: CustomerId::parse("acme").unwrap(), role: Role::Viewer, label: "l".to_owned(), credential: format!("key {id}") }
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + millis).unwrap()
}

#[tokio::test]
async fn a_key_has_its_calls_of_a_minute_and_not_one_more_in_all_processes_together() {
    let table = Arc::new(MemoryStore::default());
    let processes: Vec<Rates> = (0..3).map(|_| Rates::new(table.clone(), 100)).collect();
    let mut through = 0;
    for call in 0..1_000 {
        let rates = &processes[call % processes.len()];
        let (mark, now) = (rates.mark("a key"), at(call as i64));
        if rates.shut(mark, now).is_ok() && rates.take(&caller("a"), "h", mark, now).await.is_ok() {
            through += 1;
        }
    }
    assert_eq!(through, 100);
    let (mark, another) = (processes[0].mark("a key"), processes[0].mark("another key"));
    assert!(processes[0].shut(mark, at(999)).is_err() && processes[0].shut(another, at(999)).is_ok());
    assert!(processes[0].take(&caller("b"), "other", another, at(999)).await.is_ok(), "another key has its own");
    assert!(processes[0].shut(mark, at(60_000)).is_ok(), "the next minute is new");
    assert!(processes[0].take(&caller("a"), "h", mark, at(60_000)).await.is_ok());
}

#[tokio::test]
async fn what_is_left_counts_down_to_nothing() {
    let rates = Rates::new(Arc::new(MemoryStore::default()), 45);
    let mark = rates.mark("a key");
    for left in (0..45).rev() {
        assert_eq!(rates.take(&caller("a"), "h", mark, at(15_500)).await.unwrap(), Left { quota: 45, calls: left, seconds: 45 });
    }
    assert!(rates.take(&caller("a"), "h", mark, at(15_500)).await.is_err());
}
