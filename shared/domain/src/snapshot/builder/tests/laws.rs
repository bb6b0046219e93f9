//! Laws over random clusters.

use super::*;

const KEYS: [&str; 5] = ["app", "tier", "leader", "track", "serial"];

/// A pod and its class agree on this: where it belongs, what it asks for, and what every selector says of it.
type Sight = (String, Option<Controller>, Resources, Vec<bool>);

/// A selector with the namespace it looks at; `None`: all of them.
type Looks = (Option<String>, Selector);

fn some_selector(random: &mut fastrand::Rng) -> Selector {
    let key = KEYS[random.usize(..KEYS.len())];
    select(&[(key, &random.u32(..3).to_string())])
}

fn cluster(random: &mut fastrand::Rng) -> (Vec<PodBudget>, Vec<PodDetail>, Vec<Looks>) {
    let mut selectors = Vec::new();
    let budgets: Vec<PodBudget> = (0..random.usize(..3)).map(|n| budget(["shop", "infra"][n % 2], some_selector(random))).collect();
    selectors.extend(budgets.iter().map(|budget| (Some(budget.namespace.clone()), budget.selector.clone().unwrap())));
    let pods = (0..random.usize(..200)).map(|n| {
        let own: Vec<(&str, String)> =
            KEYS.iter().map(|key| (*key, random.u32(..6).to_string())).filter(|(_, value)| value.as_str() < "3").collect();
        let own: Vec<(&str, &str)> = own.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let node = random.bool().then(|| format!("n-{}", random.u32(..5)));
        let mut pod = pod(&format!("p-{n}"), node.as_deref(), &own);
        pod.view.pod.namespace = ["shop", "infra"][random.usize(..2)].to_owned();
        pod.view.controller = random.bool().then(|| Controller { kind: "Job".into(), name: random.u32(..4).to_string() });
        pod.requests.cpu_millis = 100 * random.u64(..3);
        if random.u32(..20) == 0 {
            let mut term = apart(some_selector(random));
            term.any_namespace = random.bool();
            let scope = (!term.any_namespace).then(|| pod.view.pod.namespace.clone());
            selectors.push((scope, term.selector.clone().unwrap()));
            pod.scheduling.anti_affinity = vec![term];
        }
        pod
    });
    let pods = pods.collect();
    (budgets, pods, selectors)
}

fn verdicts(selectors: &[Looks], namespace: &str, labels: &BTreeMap<String, String>) -> Vec<bool> {
    selectors.iter().map(|(scope, s)| scope.as_deref().is_none_or(|scope| scope == namespace) && s.selects(labels)).collect()
}

#[test]
fn a_snapshot_holds_the_same_pods_on_the_same_nodes_and_every_selector_selects_them_as_before() {
    for seed in 0..500 {
        let mut random = fastrand::Rng::with_seed(seed);
        let (budgets, mut pods, selectors) = cluster(&mut random);
        let mut expected: BTreeMap<Option<NodeName>, Vec<Sight>> = BTreeMap::new();
        for PodDetail { view, requests, .. } in &pods {
            let verdicts = verdicts(&selectors, &view.pod.namespace, &view.labels);
            expected.entry(view.node.clone()).or_default().push((
                view.pod.namespace.clone(),
                view.controller.clone(),
                requests.clone(),
                verdicts,
            ));
        }
        let found = grouped(SnapshotBuilder::new(&budgets, None), &pods);
        let sights = |placed: &[Placed]| -> Vec<Sight> {
            let one = |p: &Placed| {
                let class = &found.classes[p.class as usize];
                let verdicts = verdicts(&selectors, &class.namespace, &class.labels);
                vec![(class.namespace.clone(), class.controller.clone(), class.requests.clone(), verdicts); p.count as usize]
            };
            placed.iter().flat_map(one).collect()
        };
        let mut seen: BTreeMap<Option<NodeName>, Vec<Sight>> =
            found.nodes.iter().map(|(name, node)| (Some(name.clone()), sights(&node.pods))).collect();
        seen.insert(None, sights(&found.pending));
        seen.retain(|_, pods| !pods.is_empty());
        expected.values_mut().chain(seen.values_mut()).for_each(|sights| sights.sort());
        assert_eq!(seen, expected, "seed {seed}");

        random.shuffle(&mut pods);
        assert_eq!(grouped(SnapshotBuilder::new(&budgets, None), &pods), found, "seed {seed}: the order of the list means nothing");
    }
}

/// Each pod with a label of its own, as workflow engines and Spark write them.
fn individuals(count: usize) -> Vec<PodDetail> {
    (0..count).map(|n| pod(&format!("p-{n}"), Some(&format!("n-{}", n % 50)), &[("app", "web"), ("serial", &n.to_string())])).collect()
}

#[test]
fn a_label_that_is_another_for_every_pod_does_not_make_a_class_of_every_pod() {
    let mut builder = builder();
    for pod in individuals(30_000) {
        builder.pod(pod);
        assert!(builder.class_count() <= CLASSES_BEFORE_COARSER);
    }
    assert!(!builder.needs_another_pass());
    let found = builder.finish(|_| None);
    assert_eq!(found.classes.len(), 1);
    assert_eq!(found.nodes.values().map(|node| node.pods[0].count).sum::<u32>(), 30_000);
}

#[test]
fn a_label_that_is_looked_at_after_it_was_dropped_is_kept_in_another_pass() {
    let mut pods = individuals(10_000);
    let mut last = pod("z", Some("n-1"), &[]);
    last.scheduling.anti_affinity = vec![apart(select(&[("serial", "7")]))];
    pods.push(last);
    let mut builder = builder();
    pods.iter().for_each(|pod| builder.pod(pod.clone()));
    assert!(builder.needs_another_pass());
    builder.restart();
    pods.iter().for_each(|pod| builder.pod(pod.clone()));
    assert!(!builder.needs_another_pass());
    let found = builder.finish(|_| None);
    let serials: BTreeSet<&String> = found.classes.iter().filter_map(|class| class.labels.get("serial")).collect();
    assert_eq!(serials.len(), 10_000);
}
