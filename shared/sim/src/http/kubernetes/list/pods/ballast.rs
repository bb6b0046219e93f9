//! What pods of real clusters carry besides what anybody here reads: field managers, applied configurations, environments. Most of
//! the bytes of a list are of this kind.

use serde_json::{Map, Value, json};

/// Adds ballast to a pod until it is about as large as its key says: evenly spread from nothing to `bytes_max`.
pub(super) fn load(pod: &mut Value, key: u64, bytes_max: usize) {
    if bytes_max == 0 {
        return;
    }
    let spread = key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    let wanted = usize::try_from(spread).unwrap_or_default() % bytes_max;
    let missing = wanted.saturating_sub(pod.to_string().len());
    if missing < 200 {
        return;
    }
    // A third each: a text full of escapes, a tree of small objects, and plain texts.
    let applied = "{\"apiVersion\":\"v1\",\"kind\":\"Pod\"}".repeat(missing / 3 / 44);
    pod["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] = Value::String(applied);
    let fields: Map<String, Value> = (0..missing / 3 / 27).map(|n| (format!("f:field{n:03}"), json!({"f:name": {}}))).collect();
    pod["metadata"]["managedFields"] = json!([{"manager": "kubelet", "operation": "Update"}]);
    pod["metadata"]["managedFields"][0]["fieldsV1"] = Value::Object(fields);
    // No two alike, as secrets and addresses are: else it would all be packed to next to nothing.
    let mut random = fastrand::Rng::with_seed(key);
    let mut value = |_| std::iter::repeat_with(|| random.alphanumeric()).take(40).collect::<String>();
    let env: Vec<Value> = (0..missing / 3 / 72).map(|n| json!({"name": format!("SETTING_{n:03}"), "value": value(n)})).collect();
    pod["spec"]["containers"][0]["env"] = Value::Array(env);
}
