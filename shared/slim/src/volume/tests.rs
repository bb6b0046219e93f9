use super::*;
use serde_json::json;

fn zones(names: &[&str]) -> Option<Vec<Zone>> {
    Some(names.iter().map(|name| Zone::parse(*name).unwrap()).collect())
}

fn volume(spec: serde_json::Value) -> Places {
    serde_json::from_value::<Volume>(json!({ "metadata": { "name": "pv" }, "spec": spec })).unwrap().places()
}

fn affine(terms: serde_json::Value) -> Places {
    volume(json!({ "nodeAffinity": { "required": { "nodeSelectorTerms": terms } } }))
}

fn term(key: &str, values: &[&str]) -> serde_json::Value {
    json!({ "matchExpressions": [{ "key": key, "operator": "In", "values": values }] })
}

#[test]
fn a_volume_is_where_its_node_affinity_says() {
    let ebs = affine(json!([term("topology.ebs.csi.aws.com/zone", &["us-east-1a"])]));
    assert_eq!(ebs, Places { zones: zones(&["us-east-1a"]), local: false });
    let both = affine(json!([term("topology.kubernetes.io/zone", &["us-east-1b"]), term(ZONE_KEYS[0], &["us-east-1a"])]));
    assert_eq!(both, Places { zones: zones(&["us-east-1a", "us-east-1b"]), local: false }, "terms are alternatives");
    assert_eq!(volume(json!({})), Places { zones: None, local: false }, "a network file system is everywhere");
}

#[test]
fn a_volume_that_is_on_one_node_stays_there() {
    assert!(affine(json!([term("kubernetes.io/hostname", &["n-1"])])).local);
    assert!(volume(json!({ "hostPath": { "path": "/data" } })).local);
    assert!(volume(json!({ "local": { "path": "/data" } })).local);
}

#[test]
fn what_is_not_understood_of_a_volume_ties_it_to_where_it_is() {
    assert!(affine(json!([term("example.com/rack", &["7"])])).local);
    assert!(affine(json!([term(ZONE_KEYS[0], &["rack 7"])])).local, "no zone of AWS is called so");
    assert!(affine(json!([])).local, "nothing fulfils it");
    let either = affine(json!([{ "matchExpressions": [{ "key": ZONE_KEYS[0], "operator": "NotIn", "values": ["us-east-1a"] }] }]));
    assert!(either.local);
}

#[test]
fn old_volumes_carry_their_zones_as_a_label() {
    let old = json!({ "metadata": { "labels": { "failure-domain.beta.kubernetes.io/zone": "us-east-1a__us-east-1b" } } });
    assert_eq!(serde_json::from_value::<Volume>(old).unwrap().places().zones, zones(&["us-east-1a", "us-east-1b"]));
}

#[test]
fn a_claim_is_where_its_volume_is_and_one_that_waits_where_its_class_allows() {
    let read = |spec: serde_json::Value| {
        let claim = serde_json::from_value(json!({ "metadata": { "namespace": "shop", "name": "data" }, "spec": spec })).unwrap();
        let volumes = BTreeMap::from([("pv-1".to_owned(), Places { zones: zones(&["us-east-1a"]), local: false })]);
        let classes = BTreeMap::from([("narrow".to_owned(), zones(&["us-east-1b"]).unwrap())]);
        super::claim(claim, &volumes, &classes)
    };
    assert_eq!(read(json!({ "volumeName": "pv-1", "storageClassName": "narrow" })).zones, zones(&["us-east-1a"]));
    assert_eq!(read(json!({ "storageClassName": "narrow" })).zones, zones(&["us-east-1b"]));
    let waits = read(json!({ "storageClassName": "gp3", "volumeName": "" }));
    assert!(waits.zones.is_none() && !waits.local);
    assert!(read(json!({ "volumeName": "made-a-moment-ago" })).local);
}

#[test]
fn a_class_allows_the_zones_of_its_topologies() {
    let class = |topologies: serde_json::Value| {
        serde_json::from_value::<StorageClass>(json!({ "metadata": { "name": "c" }, "allowedTopologies": topologies })).unwrap().zones()
    };
    assert_eq!(class(json!(null)), None);
    let narrow = json!([{ "matchLabelExpressions": [{ "key": ZONE_KEYS[1], "values": ["us-east-1a"] }] }]);
    assert_eq!(class(narrow), zones(&["us-east-1a"]));
}
