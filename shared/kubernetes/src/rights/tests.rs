use super::{Right, review};
use serde_json::json;

#[test]
fn a_right_is_asked_for_in_the_servers_words() {
    let right = Right { verb: "create".into(), group: String::new(), resource: "pods/eviction".into() };
    assert_eq!(
        review(&right)["spec"]["resourceAttributes"],
        json!({ "verb": "create", "group": "", "resource": "pods", "subresource": "eviction" })
    );
    assert_eq!(right.to_string(), "create pods/eviction");
    let other = Right { verb: "list".into(), group: "apps".into(), resource: "daemonsets".into() };
    assert_eq!(review(&other)["spec"]["resourceAttributes"], json!({ "verb": "list", "group": "apps", "resource": "daemonsets" }));
    assert_eq!(other.to_string(), "list daemonsets.apps");
}
