use super::*;
use domain::pod::PodDetail;
use serde_json::json;

#[derive(Default)]
struct Seen(Vec<String>);

impl PodSink for Seen {
    fn pod(&mut self, pod: PodDetail) {
        self.0.push(pod.view.pod.name);
    }

    fn restart(&mut self) {
        self.0.clear();
    }
}

fn decoded(page: &[u8]) -> (Vec<String>, Result<PageEnd, serde_json::Error>) {
    let mut seen = Seen::default();
    let end = decode(page, &mut seen);
    (seen.0, end)
}

fn named(name: &str) -> serde_json::Value {
    json!({ "metadata": { "name": name, "uid": name } })
}

#[test]
fn pods_come_in_the_order_of_the_page_and_the_token_whether_before_or_behind_them() {
    for page in [
        json!({ "kind": "PodList", "metadata": { "continue": "t" }, "items": [named("a"), named("b")] }),
        json!({ "items": [named("a"), named("b")], "metadata": { "continue": "t" } }),
    ] {
        let (seen, end) = decoded(page.to_string().as_bytes());
        assert_eq!(seen, ["a", "b"]);
        assert_eq!(end.unwrap(), PageEnd { next: "t".into(), left_out: 0 });
    }
}

#[test]
fn a_pod_without_a_uid_is_left_out_and_counted() {
    let (seen, end) = decoded(json!({ "items": [named("a"), {}, named("b")] }).to_string().as_bytes());
    assert_eq!((seen.len(), end.unwrap().left_out), (2, 1));
}

#[test]
fn empty_and_null_lists_are_complete_ones() {
    for page in [r#"{"items":null}"#, r#"{"items":null,"metadata":null}"#, r#"{"items":[],"metadata":{"continue":null}}"#] {
        assert_eq!(decoded(page.as_bytes()).1.unwrap(), PageEnd::default(), "{page}");
    }
}

#[test]
fn what_is_no_list_of_pods_is_an_error_and_never_a_panic() {
    let deep = format!("{{\"items\":[{}", "[".repeat(100_000));
    let nested = format!(r#"{{"items":[{{"metadata":{{"labels":{}"#, r#"{"a":"#.repeat(10_000));
    let huge = format!(r#"{{"items":[{{"spec":{{"containers":[{{"resources":{{"requests":{{{}}}}}}}]}}}}]}}"#, {
        let names: Vec<String> = (0..1000).map(|n| format!(r#""r{n}":"1""#)).collect();
        names.join(",")
    });
    for page in [
        "",
        "null",
        "[]",
        "7",
        "{",
        "{}",
        r#"{"kind":"Secret","data":{"token":"c2VjcmV0"}}"#,
        r#"{"items":7}"#,
        r#"{"items":[7]}"#,
        r#"{"items":{"a":1}}"#,
        r#"{"items":[]}x"#,
        r#"{"items":[{"metadata":7}]}"#,
        r#"{"items":[{"spec":{"containers":{}}}]}"#,
        r#"{"items":[{"spec":{"priority":"high"}}]}"#,
        r#"{"metadata":{"continue":5}}"#,
        "{\"items\":[{\"metadata\":{\"name\":\"\u{0}\"}}]}",
        &deep,
        &nested,
        &huge,
    ] {
        assert!(decoded(page.as_bytes()).1.is_err(), "{}", page.chars().take(60).collect::<String>());
    }
    assert!(decoded(&[0xff, 0xfe, b'{', b'}']).1.is_err());
}

#[test]
fn no_cut_or_changed_byte_of_a_page_makes_it_panic() {
    let pod = json!({
        "metadata": { "name": "a", "uid": "u", "labels": { "a": "b" }, "annotations": { "x": "\u{e9}\"" } },
        "spec": {
            "containers": [{ "resources": { "requests": { "cpu": "1", "memory": 5 } }, "ports": [{ "hostPort": 80 }] }],
            "tolerations": [{ "operator": "Exists" }], "topologySpreadConstraints": [{ "maxSkew": 1 }],
        },
    });
    let page = json!({ "metadata": { "continue": "t" }, "items": [pod, pod] }).to_string().into_bytes();
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..20_000 {
        let mut page = page.clone();
        page.truncate(random.usize(..=page.len()));
        for _ in 0..random.usize(..4) {
            if !page.is_empty() {
                let at = random.usize(..page.len());
                page[at] = random.u8(..);
            }
        }
        let _ = decoded(&page);
    }
}
