use super::*;
use crate::node::Taint;

fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}

fn need(key: &str, operator: NodeOperator, values: &[&str]) -> NodeRequirement {
    NodeRequirement { key: key.into(), operator, values: values.iter().map(|v| (*v).to_owned()).collect() }
}

#[test]
fn terms_are_alternatives_and_an_empty_term_matches_nothing() {
    let node = labels(&[("zone", "a"), ("cpu", "8")]);
    let mut pod = Scheduling { required_nodes: vec![NodeTerm::default()], ..Scheduling::default() };
    assert!(!pod.selects_node("n", &node));
    pod.required_nodes.push(NodeTerm(vec![need("zone", NodeOperator::In, &["a"]), need("cpu", NodeOperator::Gt, &["4"])]));
    assert!(pod.selects_node("n", &node));
    assert!(!pod.selects_node("n", &labels(&[("zone", "a"), ("cpu", "four")])));
}

#[test]
fn a_pod_can_name_its_node() {
    let pod = Scheduling { required_nodes: vec![NodeTerm(vec![need(NAME_FIELD, NodeOperator::In, &["n1"])])], ..Scheduling::default() };
    assert!(pod.selects_node("n1", &BTreeMap::new()));
    assert!(!pod.selects_node("n2", &BTreeMap::new()));
}

#[test]
fn only_taints_that_repel_need_a_toleration() {
    let taint = |effect: &str| Taint { key: "dedicated".into(), value: "db".into(), effect: effect.into(), time_added: None };
    let mut pod = Scheduling::default();
    assert!(pod.tolerates(&[taint("PreferNoSchedule")]));
    assert!(!pod.tolerates(&[taint("NoSchedule")]));
    pod.tolerations =
        vec![Toleration { key: Some("dedicated".into()), exists: false, value: "db".into(), effect: Some("NoSchedule".into()) }];
    assert!(pod.tolerates(&[taint("NoSchedule")]));
    assert!(!pod.tolerates(&[taint("NoExecute")]));
    pod.tolerations = vec![Toleration { key: None, exists: true, value: String::new(), effect: None }];
    assert!(pod.tolerates(&[taint("NoExecute")]));
}

#[test]
fn ports_collide_on_one_address_or_on_all() {
    let port = |ip: &str| HostPort { ip: ip.into(), protocol: "TCP".into(), port: 80 };
    assert!(port("").collides(&port("10.0.0.1")));
    assert!(!port("10.0.0.1").collides(&port("10.0.0.2")));
}

#[test]
fn what_a_node_does_not_name_it_does_not_have() {
    let mut pod = Resources::new(100, 100);
    assert!(Resources::new(100, 100).covers(&pod));
    pod.extended.insert("nvidia.com/gpu".into(), 1);
    assert!(!Resources::new(100, 100).covers(&pod));
}
