use super::*;

fn plan_key(customer: &str) -> PlanKey {
    PlanKey {
        customer: CustomerId::parse(customer).unwrap(),
        cluster: ClusterId::parse("prod").unwrap(),
        plan: PlanId::parse("rescue-1").unwrap(),
    }
}

#[test]
fn the_order_of_instants_is_the_order_of_their_texts() {
    let whole: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
    let nano: Timestamp = "2026-11-23T10:00:00.000000001Z".parse().unwrap();
    let tenth: Timestamp = "2026-11-23T10:00:00.1Z".parse().unwrap();
    assert!(instant(whole) < instant(nano) && instant(nano) < instant(tenth));
    assert_eq!(instant(whole).len(), instant(nano).len());
}

#[test]
fn a_plan_due_now_stands_before_the_end_of_now() {
    let now: Timestamp = "2026-11-23T10:00:00Z".parse().unwrap();
    assert!(due_place(now, &plan_key("acme")) < after_instant(now));
}

#[test]
fn a_place_in_the_due_list_reads_back() {
    let now: Timestamp = "2026-11-23T10:00:00.5Z".parse().unwrap();
    assert_eq!(parse_due_place(&due_place(now, &plan_key("acme"))), Some((now, plan_key("acme"))));
    assert_eq!(parse_due_place("yesterday#a#b#c"), None);
}

#[test]
fn no_customer_id_is_a_prefix_of_another_ones_partition() {
    let wall = "T#acme#";
    assert!(plan(&plan_key("acme")).pk.starts_with(wall));
    assert!(!plan(&plan_key("acme-2")).pk.starts_with(wall));
}

#[test]
fn free_text_cannot_leave_its_part_of_a_key() {
    let customer = CustomerId::parse("acme").unwrap();
    let forged = idempotency(&customer, "x#T#other#IDEMPOTENCY#y");
    assert_eq!(forged.pk.matches('#').count(), "T#acme#IDEMPOTENCY#".matches('#').count());
    assert_ne!(text(""), "");
    assert!(text(&"k".repeat(2_000)).len() < 100);
}

#[test]
fn different_texts_have_different_keys() {
    let hash = text("a b");
    assert_ne!(text("a b"), text("a  b"));
    // The hash of one text given as a text is hashed again.
    assert_ne!(text(&hash), hash);
}

#[test]
fn the_due_list_is_spread_over_all_its_partitions() {
    let shards: std::collections::BTreeSet<_> = (0..400).map(|n| due_shard(&plan_key(&format!("customer-{n}")))).collect();
    assert_eq!(shards.len(), DUE_SHARDS as usize);
}
